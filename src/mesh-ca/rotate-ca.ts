import { auditEntry } from '../model/audit-entry.ts'
import { type CaRotation, isCaRotationOver } from '../model/ca-rotation.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { remember, replayOf } from '../model/idempotency.ts'
import { actorOf, hasRole } from '../model/identity.ts'
import type { CaSet } from '../model/mesh-ca.ts'
import { timestamp } from '../model/names.ts'
import type { RequestContext } from '../model/request.ts'
import { rotationById } from '../model/rotation.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import { rotateCaWork } from './ca-work.ts'
import type { MeshCaDeps } from './deps.ts'
import { startCaRotation } from './start-rotation.ts'
import { foundCa } from './take-over.ts'
import { watchedBecause } from './watched.ts'

export interface CaRotationOrder {
  readonly what: CaRotation['what']
  /** Why, in the words of who asks. */
  readonly reason?: string
}

export interface CaRotationOutcome {
  readonly rotation: CaRotation
  readonly document: MeshCaDocument
  /** False: it was live already, or this request had started it before. */
  readonly started: boolean
}

type Changing = Result<Change<MeshCaDocument, { rotation: CaRotation; started: boolean }>>

/**
 * Asks for a new intermediate, or a new root, now. A live rotation of the same is answered with itself, and so is a request
 * that comes again with its key. What a rotation does is the worker's part: this stores that one is wanted.
 */
export async function rotateCa(
  deps: Pick<MeshCaDeps, 'store' | 'clock'>,
  name: string,
  order: CaRotationOrder,
  context: RequestContext,
): Promise<Result<CaRotationOutcome>> {
  const changed = await changeDocument(deps.store, 'mesh-ca', name, async (stored): Promise<Changing> => {
    const before = stored?.value
    if (!before) return fail('NotFound', `There is no certificate ${name}.`)
    const replay = replayOf(before.idempotency, context.idempotency)
    if (!replay.ok) return replay
    const again = replay.value && (rotationById(before, replay.value.result) ?? before.rotation)
    if (again) return succeed({ kind: 'leave', value: { rotation: again, started: false } })
    const { rotation } = before
    if (rotation && !isCaRotationOver(rotation)) return join(before, rotation, order, context, deps.clock.now())
    const refused = await startOf(deps, before, order)
    if (!refused.ok) return refused
    const [document, made] = started(before, order, refused.value, context, deps.clock.now())
    return succeed({ kind: 'write', document, value: { rotation: made, started: true } })
  })
  if (!changed.ok) return changed
  const document = changed.value.stored?.value
  return document ? succeed({ ...changed.value.value, document }) : fail('NotFound', `There is no certificate ${name}.`)
}

/** What a rotation starts from; undefined: nothing, it makes the first CA. */
async function startOf(
  { store }: Pick<MeshCaDeps, 'store'>,
  document: MeshCaDocument,
  { what }: CaRotationOrder,
): Promise<Result<CaSet | undefined>> {
  const { name, spec, current } = document
  const cluster = (await store.read('cluster', spec.cluster))?.value
  const watched = watchedBecause(spec, cluster)
  if (watched) {
    return fail('UnsupportedFeature', watched.message, {
      hint: 'See docs/mesh-ca.md: a CA that istiod made itself is only watched.',
    })
  }
  if (current) return succeed(current)
  if (spec.purpose === 'linkerd-identity' && what === 'root') {
    const found = foundCa(document, (await store.read('trust', name))?.value)
    if (found.kind === 'usable') return succeed(found.from)
    return fail('Conflict', found.message, { hint: 'GET it: the condition Issued says why.' })
  }
  return fail('Conflict', `There is no CA in the vault of ${name} yet to rotate from.`, {
    hint: 'GET it: the conditions Issued and VaultReadable say why.',
  })
}

/** The same again is answered with what is live; something else has to wait for its end. */
function join(
  before: MeshCaDocument,
  rotation: CaRotation,
  { what }: CaRotationOrder,
  { idempotency: key }: RequestContext,
  now: number,
): Changing {
  if (rotation.what !== what || rotation.direction === 'back') {
    const words = rotation.direction === 'back' ? 'goes back' : 'is live'
    return fail('Conflict', `A rotation of the ${rotation.what} of ${before.name} ${words}: ${rotation.phase}.`, {
      hint: 'Let it end, or abort it first.',
    })
  }
  const value = { rotation, started: false }
  if (!key) return succeed({ kind: 'leave', value })
  // Remembered all the same: should this request come again when the rotation is over, it must not start another.
  const idempotency = remember(before.idempotency, key, { at: timestamp(now), status: 202, result: rotation.id })
  return succeed({ kind: 'write', document: { ...before, idempotency }, value })
}

function started(
  before: MeshCaDocument,
  { what, reason }: CaRotationOrder,
  from: CaSet | undefined,
  context: RequestContext,
  now: number,
): readonly [MeshCaDocument, CaRotation] {
  const { name } = before
  const actor = actorOf(context.caller)
  const words = reason === undefined || reason === '' ? '' : `: ${reason}`
  const unique = ['asked', what, context.idempotency?.id ?? `${actor.id} ${now}`]
  const message = `${actor.name} asked for a rotation of the ${what}${words}`.slice(0, 600)
  const step = startCaRotation(
    { document: before, entries: [] },
    { what, actor, reason: 'Asked', message, unique, ...(from ? { from } : {}) },
    now,
  )
  const { rotation } = step.document
  if (!rotation) throw new Error('a started rotation is there')
  const time = timestamp(now)
  const audit = auditEntry({
    action: 'certificate.rotate',
    subject: `certificates/${name}`,
    unique: rotation.id,
    time,
    context,
    after: { rotation: rotation.id, what, ...(reason === undefined ? {} : { reason }) },
  })
  const document: MeshCaDocument = {
    ...step.document,
    idempotency: remember(before.idempotency, context.idempotency, { at: time, status: 202, result: rotation.id }),
    outbox: [...before.outbox, ...step.entries, audit, rotateCaWork(name, rotation.id)],
    dueAt: time,
    updatedAt: time,
  }
  return [document, rotation]
}

/** The intermediate, for a person in a chat, `note` being their words: whether the caller may, and a sentence for people. */
export async function rotateCaForPerson(
  deps: Pick<MeshCaDeps, 'store' | 'clock'>,
  name: string,
  note: string,
  context: RequestContext,
): Promise<Result<string>> {
  const { caller } = context
  if (!hasRole(caller, 'Mesh.Operator')) return fail('Forbidden', `${caller.name} needs the role Mesh.Operator.`)
  const outcome = await rotateCa(deps, name, { what: 'intermediate', reason: note }, context)
  if (!outcome.ok) return outcome
  const { rotation, started: isNew } = outcome.value
  const verb = isNew ? 'begins' : isCaRotationOver(rotation) ? 'is over' : 'is under way'
  return succeed(
    `Rotation ${rotation.id} of the intermediate of ${name} ${verb}: ${rotation.phase}. ${rotation.message}`,
  )
}
