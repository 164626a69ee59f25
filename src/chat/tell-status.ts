import type { CertificateDocument, MeshCaDocument, ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { Caller } from '../model/identity.ts'
import type { Rollout } from '../model/rollout.ts'
import { trafficText } from '../model/step.ts'
import type { Store } from '../ports/store.ts'
import { newestEnded } from '../rollouts/newest-ended.ts'
import { findRollout } from '../rollouts/read-rollout.ts'
import { findService } from './find-target.ts'
import type { Target } from './parse-command.ts'

/** How something stands, in lines of plain text. A bare name that no service has is looked for among certificates. */
export async function tellStatus(store: Store, target: Target, caller: Caller | undefined): Promise<Result<string>> {
  if (target.kind === 'rollout') {
    const rollout = await findRollout(store, target.id)
    return rollout ? succeed(rolloutLine(rollout)) : fail('NotFound', `There is no rollout ${target.id}.`)
  }
  const found = await findService(store, target, caller)
  if (found.ok) return succeed(await serviceLines(store, found.value))
  if (target.kind !== 'name') return found
  const certificate = (await store.read('certificate', target.name))?.value
  if (certificate) return succeed(certificateLine(certificate))
  const ca = (await store.read('mesh-ca', target.name))?.value
  return ca ? succeed(meshCaLine(ca)) : found
}

/** One rollout in a line: `shop.web.k3… is progressing at 20 % with v2: why`. */
export function rolloutLine(rollout: Rollout): string {
  const isSplit = rollout.match === undefined && rollout.mirror === undefined
  const share = isSplit ? `at ${rollout.weight} %` : `with ${trafficText(rollout)}`
  const now = rollout.endedAt === undefined ? ` ${share}` : ''
  return `Rollout ${rollout.id} of ${rollout.candidate} is ${rollout.phase}${now}: ${rollout.message}`
}

async function serviceLines(store: Store, key: string): Promise<string> {
  const service = (await store.read('service', key))?.value
  if (!service) return `There is no service ${key}.`
  const stable = stableLine(key, service)
  if (service.rollouts.length > 0) return [stable, ...service.rollouts.flatMap(rolloutLines)].join('\n')
  const last = await newestEnded(store, service)
  return [stable, last ? rolloutLine(last) : 'It has no rollout.'].join('\n')
}

function stableLine(key: string, { targets }: ServiceDocument): string {
  const clusters = Object.entries(targets).map(([cluster, { stable }]) => `${stable} on ${cluster}`)
  return `Service ${key}: ${clusters.length === 0 ? 'on no cluster' : `stable is ${clusters.join(', ')}`}.`
}

function rolloutLines(rollout: Rollout): readonly string[] {
  const gates = rollout.progress.flatMap(({ cluster, last }) =>
    last ? [`Gate on ${cluster}: ${last.verdict}. ${last.explanation}`] : [],
  )
  return [rolloutLine(rollout), ...gates]
}

function certificateLine({ name, current, rotation }: CertificateDocument): string {
  const now = current ? `serial ${current.serial}, good until ${current.notAfter}` : 'none yet'
  return `Certificate ${name}: ${now}.${rotation ? ` Its rotation is ${rotation.phase}.` : ''}`
}

function meshCaLine({ name, spec, current, rotation }: MeshCaDocument): string {
  const now = current ? `serial ${current.signer.serial} signs, good until ${current.signer.notAfter}` : 'none yet'
  const then = rotation ? ` Its rotation of the ${rotation.what} is ${rotation.phase}: ${rotation.message}` : ''
  return `Mesh CA ${name} of cluster ${spec.cluster}: ${now}.${then}`
}
