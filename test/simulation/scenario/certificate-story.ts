import type { CertificateDocument } from '../../../src/model/documents.ts'
import { isRotationOver } from '../../../src/model/rotation.ts'
import { pick } from '../faults.ts'
import type { Simulation } from '../simulation.ts'
import type { Play } from './actions.ts'
import {
  CERTIFICATE_ACTIONS,
  CERTIFICATES,
  type CertificatePart,
  certificateBody,
  completeChain,
} from './certificate-actions.ts'
import { createCertificateLedger } from './certificate-ledger.ts'
import { createGatewayHands } from './gateway-hands.ts'
import { must } from './setting.ts'
import { settle } from './settle.ts'
import { waitsForPerson } from './settle-certificates.ts'
import { createVaultHands } from './vault-hands.ts'

/** The part of a story that is about certificates: how it begins, what happens, and how it comes to an end. */

export function beginCertificates(simulation: Simulation): CertificatePart {
  const names = CERTIFICATES.filter((_, index) => index === 0 || simulation.chance.next() < 0.5)
  return {
    ledger: createCertificateLedger(simulation, names),
    vault: createVaultHands(simulation),
    gateways: createGatewayHands(simulation),
    messages: { sent: 0 },
  }
}

export async function registerCertificates({ certificates, clusters }: Play): Promise<void> {
  for (const name of certificates?.ledger.names ?? []) {
    const called = await certificates?.ledger.put(name, certificateBody(name, clusters))
    if ((called?.reply?.status ?? 500) >= 300) throw new Error(`${name} not registered: ${JSON.stringify(called)}`)
  }
}

export function chooseCertificateAction(play: Play, part: CertificatePart): Promise<void> {
  const { chance } = play.simulation
  const total = CERTIFICATE_ACTIONS.reduce((sum, [weight]) => sum + weight, 0)
  let mark = chance.next() * total
  for (const [weight, action] of CERTIFICATE_ACTIONS) {
    mark -= weight
    if (mark < 0) return action(play, part, pick(chance, part.ledger.names), pick(chance, play.clusters))
  }
  return Promise.resolve()
}

/** What people did in the vault, and no event told of, is looked for every ten minutes; what met a fault, within them. */
const NOTICED_MS = 660_000
/** The sweep that finds what is due, and a worker that takes it. */
const TAKEN_MS = 60_000

/** Issuers sign again, nothing of other hands is left in the way, namespaces are there. */
export async function healCertificates(play: Play): Promise<void> {
  const { certificates: part, clusters, simulation } = play
  if (!part) return
  const { azure } = simulation.surroundings
  azure?.refused.clear()
  if (azure) azure.wrongKeys = false
  for (const name of part.ledger.names) {
    for (const cluster of clusters) {
      part.gateways.putNamespace(cluster)
      for (const end of ['tls', 'other', 'foreign']) await part.gateways.hold(cluster, `${name}-${end}`, false)
      if (isForeign(simulation, cluster, `${name}-foreign`)) {
        await part.gateways.removeSecret(cluster, `${name}-foreign`)
      }
    }
    await part.vault.recover(name)
    await part.vault.enableAll(name)
    if (part.vault.record(name)?.pending?.tags['meshwright-rotation'] === undefined) await part.vault.cancel(name)
  }
  await looksOfBefore(simulation)
}

/**
 * A look that met a fault says so in a condition, and is repeated ten minutes later at most: that is before the quiet in
 * which nothing may be written. Waits once, for those that are planned now: looks at a world that is well plan none so soon.
 */
async function looksOfBefore(simulation: Simulation): Promise<void> {
  const { time } = simulation
  const planned = documentsOf(simulation).map(({ dueAt }) => Date.parse(dueAt ?? ''))
  const last = Math.max(...planned.filter((at) => at > time.now() && at <= time.now() + NOTICED_MS), 0)
  if (last > 0) await time.sleep(last - time.now() + TAKEN_MS)
}

function isForeign({ surroundings }: Simulation, cluster: string, name: string): boolean {
  const live = surroundings.clusters.get(cluster)?.kubernetes.get('v1', 'Secret', 'edge', name)
  return live !== undefined && live.metadata.labels?.['app.kubernetes.io/managed-by'] === undefined
}

/** People see to what waits for them, until every certificate is what it is to be. */
export async function endRotations(play: Play): Promise<void> {
  const { certificates: part, simulation } = play
  if (!part) return
  for (let rounds = 0; rounds < 6; rounds += 1) {
    await completeChain(play, part)
    await settle(simulation, 3 * 3_600_000)
    const open = documentsOf(simulation).filter(
      ({ rotation }) => rotation && (rotation.phase === 'failed' || waitsForPerson(rotation)),
    )
    if (open.length === 0) break
    for (const { name, rotation } of open) {
      if (rotation?.reason === 'OperationPending' && (await part.vault.cancel(name)))
        await simulation.time.sleep(NOTICED_MS)
      if (rotation && !isRotationOver(rotation)) continue
      await must(simulation, { method: 'POST', path: `/certificates/${name}/rotate`, as: 'operator' })
    }
    await settle(simulation, 3 * 3_600_000)
  }
  for (const { name, rotation } of documentsOf(simulation)) {
    if (rotation?.phase === 'succeeded') continue
    const { phase, reason, message } = rotation ?? {}
    simulation.watch.broke(`rotation of ${name} is ${phase} though nothing stands in its way: ${reason} ${message}`)
  }
}

function documentsOf({ watch }: Simulation): readonly CertificateDocument[] {
  return watch.documents.all().filter((document) => document.kind === 'certificate')
}

/** Some go for good. */
export async function removeSomeCertificates({ certificates, simulation }: Play): Promise<void> {
  for (const name of certificates?.ledger.names ?? []) {
    if (simulation.chance.next() < 0.3) await certificates?.ledger.remove(name)
  }
}
