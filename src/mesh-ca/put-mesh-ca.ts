import { isCaRotationOver } from '../model/ca-rotation.ts'
import { certificateEvent } from '../model/certificate-event.ts'
import { canonicalJson } from '../model/digest.ts'
import { type MeshCaDocument, SCHEMA } from '../model/documents.ts'
import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import { actorOf } from '../model/identity.ts'
import type { MeshCaSpec } from '../model/mesh-ca.ts'
import { durationMs } from '../model/names.ts'
import type { RequestContext } from '../model/request.ts'
import { type PutOutcome, putDocument } from '../ports/put-document.ts'
import { rotateCaWork, trustWork } from './ca-work.ts'
import { checkReferences } from './check-references.ts'
import type { MeshCaDeps } from './deps.ts'
import { renewalMs } from './renewal.ts'
import { watchedBecause } from './watched.ts'

/** Registers the CA of a cluster's mesh, or replaces what is wanted of it. One write: the outbox carries all work that follows. */
export async function putMeshCa(
  deps: Pick<MeshCaDeps, 'store' | 'clock' | 'vaults' | 'vaultUrl'>,
  name: string,
  spec: MeshCaSpec,
  context: RequestContext,
): Promise<Result<PutOutcome<MeshCaDocument>>> {
  return putDocument(deps, {
    kind: 'mesh-ca',
    key: name,
    spec,
    context,
    build: async (before, now) => {
      const refused = (before && refuseMove(before, spec)) ?? (await checkReferences(deps, name, spec))
      if (refused) return { ok: false, failure: refused }
      const cluster = (await deps.store.read('cluster', spec.cluster))?.value
      const watched = watchedBecause(spec, cluster)
      const document = before ? changed(before, spec, context, now) : registered(name, spec, context, now)
      return succeed({ document, warnings: watched ? [watched.message] : warningsOf(spec, before?.spec) })
    },
  })
}

type Fields = Readonly<Record<string, unknown>>
/** What the phases of a rotation rest on. `trustDomain` is Linkerd's. */
const FIXED = ['root', 'vault', 'secrets', 'workloadTtl', 'trustDomain'] as const

/** The CA of another cluster, or of another purpose, is another CA; and a rotation ends where it began. */
function refuseMove({ name, spec: before, rotation }: MeshCaDocument, spec: MeshCaSpec): Failure | undefined {
  if (before.purpose !== spec.purpose) {
    return fail('Conflict', `${name} is a CA of purpose ${before.purpose} already.`, {
      errors: [{ pointer: '/purpose', reason: 'cannot change' }],
      hint: 'Register it under another name.',
    }).failure
  }
  if (before.cluster !== spec.cluster) {
    return fail('Conflict', 'The CA of one cluster cannot become that of another.', {
      errors: [{ pointer: '/cluster', reason: 'cannot change' }],
      hint: 'Register it under another name.',
    }).failure
  }
  if (before.purpose === 'linkerd-identity' && spec.purpose === before.purpose && before.namespace !== spec.namespace) {
    return fail('Conflict', 'What was brought to one namespace cannot move to another.', {
      errors: [{ pointer: '/namespace', reason: 'cannot change' }],
      hint: 'Register it under another name.',
    }).failure
  }
  if (!rotation || isCaRotationOver(rotation)) return undefined
  const [old, next]: readonly [Fields, Fields] = [before, spec]
  const fixed = FIXED.filter((field) => canonicalJson(old[field] ?? null) !== canonicalJson(next[field] ?? null))
  if (fixed.length === 0) return undefined
  return fail('Conflict', `A rotation of ${name} is live: ${rotation.phase}.`, {
    errors: fixed.map((field) => ({ pointer: `/${field}`, reason: 'cannot change while a rotation is live' })),
    hint: 'Let it end, or abort it first.',
  }).failure
}

function registered(name: string, spec: MeshCaSpec, context: RequestContext, now: string): MeshCaDocument {
  const event = certificateEvent(name, 'certificate.registered', {
    id: now,
    time: now,
    actor: actorOf(context.caller),
    reason: 'Registered',
    message: `The CA of cluster ${spec.cluster}, ${name}, was registered.`,
    data: { purpose: spec.purpose, cluster: spec.cluster },
  })
  return {
    schema: SCHEMA,
    kind: 'mesh-ca',
    name,
    spec,
    ...(spec.purpose === 'linkerd-identity' ? { revision: Math.floor(Date.parse(now) / 1000) } : {}),
    generation: 1,
    observedGeneration: 0,
    conditions: [],
    history: [],
    warned: { root: [], signer: [] },
    idempotency: [],
    outbox: [event, rotateCaWork(name, now), trustWork(name, now)],
    dueAt: now,
    createdAt: now,
    updatedAt: now,
  }
}

function changed(before: MeshCaDocument, spec: MeshCaSpec, context: RequestContext, now: string): MeshCaDocument {
  const { name } = before
  const generation = before.generation + 1
  const event = certificateEvent(name, 'certificate.changed', {
    id: String(generation),
    time: now,
    actor: actorOf(context.caller),
    reason: 'Changed',
    message: `The CA of cluster ${spec.cluster}, ${name}, was changed.`,
    data: { generation },
  })
  const look = isExcept(before.spec, spec) ? [trustWork(name, `put.${generation}`)] : []
  const outbox = [...before.outbox, event, rotateCaWork(name, `put.${generation}`), ...look]
  // Who names another place means another CA: what is there is looked at as if it were new.
  const isMoved = (['vault', 'secrets'] as const).some(
    (field) => canonicalJson(before.spec[field] ?? null) !== canonicalJson(spec[field] ?? null),
  )
  const { place, ...rest } = before
  const kept = isMoved || place === undefined ? {} : { place }
  return { ...rest, ...kept, spec, generation, idempotency: [], outbox, dueAt: now, updatedAt: now }
}

/** Other namespaces are to be looked at than before. */
function isExcept(before: MeshCaSpec, after: MeshCaSpec): boolean {
  const of = (spec: MeshCaSpec) => (spec.purpose === 'mesh-ca' ? (spec.exceptNamespaces ?? []) : [])
  return canonicalJson(of(before)) !== canonicalJson(of(after))
}

function warningsOf(spec: MeshCaSpec, before: MeshCaSpec | undefined): readonly string[] {
  const { root, intermediate, renewBefore, workloadTtl } = spec
  const warnings: string[] = []
  if (root.kind === 'external' && intermediate.validity !== '365d')
    warnings.push('intermediate.validity says nothing here: who signs it decides how long it is valid.')
  if (renewBefore !== undefined && durationMs(renewBefore) < renewalMs(spec))
    warnings.push(
      `renewBefore is shorter than workloads need to be renewed (workloadTtl ${workloadTtl} and more): the next is made that much earlier.`,
    )
  if (before && durationMs(workloadTtl) < durationMs(before.workloadTtl))
    warnings.push(
      `Certificates of workloads of up to ${before.workloadTtl} may still be in use: rotate nothing before that is over.`,
    )
  return warnings
}
