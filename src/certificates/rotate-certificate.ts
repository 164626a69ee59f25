import { auditEntry } from '../model/audit-entry.ts'
import type { CertificateDocument } from '../model/documents.ts'
import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import { remember, replayOf } from '../model/idempotency.ts'
import { type Actor, actorOf, hasRole } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import type { RequestContext } from '../model/request.ts'
import { isRotationOver, type Rotation, rotationById } from '../model/rotation.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import { rotateWork } from './certificate-work.ts'
import type { CertificateDeps } from './deps.ts'
import { startRotation } from './start-rotation.ts'

export interface RotationOrder {
  readonly actor: Actor
  /** Why, in the words of who asks. */
  readonly reason?: string
}

export interface RotationOutcome {
  readonly rotation: Rotation
  readonly document: CertificateDocument
  /** False: it was live already, or this request had started it before. */
  readonly started: boolean
}

/**
 * Asks for a new version now. A live rotation is answered with itself, and so is a request that comes again with its key.
 * What a rotation does is the worker's part: this stores that one is wanted.
 */
export async function rotateCertificate(
  deps: Pick<CertificateDeps, 'store' | 'clock'>,
  name: string,
  order: RotationOrder,
  context: RequestContext,
): Promise<Result<RotationOutcome>> {
  const changed = await changeDocument(
    deps.store,
    'certificate',
    name,
    (stored): Result<Change<CertificateDocument, { rotation: Rotation; started: boolean }>> => {
      const before = stored?.value
      if (!before) return fail('NotFound', `There is no certificate ${name}.`)
      const replay = replayOf(before.idempotency, context.idempotency)
      if (!replay.ok) return replay
      // Of very many rotations in a day the history has lost the first: it is answered with the newest, and starts none.
      const again = replay.value && (rotationById(before, replay.value.result) ?? before.rotation)
      if (again) return succeed({ kind: 'leave', value: { rotation: again, started: false } })
      if (before.deletingAt) return fail('Deleting', `Certificate ${name} is being deleted.`)
      const { rotation } = before
      if (rotation && !isRotationOver(rotation)) {
        const value = { rotation, started: false }
        if (!context.idempotency) return succeed({ kind: 'leave', value })
        // Remembered all the same: should this request come again when the rotation is over, it must not start another.
        return succeed({ kind: 'write', document: joined(before, rotation, context, deps.clock.now()), value })
      }
      const [document, made] = started(before, order, context, deps.clock.now())
      return succeed({ kind: 'write', document, value: { rotation: made, started: true } })
    },
  )
  if (!changed.ok) return changed
  const document = changed.value.stored?.value
  return document ? succeed({ ...changed.value.value, document }) : fail('NotFound', `There is no certificate ${name}.`)
}

/** With the key of a request that found a live rotation; all else as it is. */
function joined(
  before: CertificateDocument,
  rotation: Rotation,
  { idempotency: key }: RequestContext,
  now: number,
): CertificateDocument {
  const answer = { at: timestamp(now), status: 202, result: rotation.id }
  return { ...before, idempotency: remember(before.idempotency, key, answer) }
}

function started(
  before: CertificateDocument,
  { actor, reason }: RotationOrder,
  context: RequestContext,
  now: number,
): readonly [CertificateDocument, Rotation] {
  const { name } = before
  const words = reason === undefined || reason === '' ? '' : `: ${reason}`
  const unique = ['asked', context.idempotency?.id ?? `${actor.id} ${now}`]
  const message = `${actor.name} asked for a rotation${words}`.slice(0, 600)
  const step = startRotation({ document: before, entries: [] }, { actor, reason: 'Asked', message, unique }, now)
  const { rotation } = step.document
  if (!rotation) throw new Error('a started rotation is there')
  const time = timestamp(now)
  const audit = auditEntry({
    action: 'certificate.rotate',
    subject: `certificates/${name}`,
    unique: rotation.id,
    time,
    context,
    after: { rotation: rotation.id, ...(reason === undefined ? {} : { reason }) },
  })
  const answer = { at: time, status: 202, result: rotation.id }
  const document: CertificateDocument = {
    ...step.document,
    idempotency: remember(before.idempotency, context.idempotency, answer),
    outbox: [...before.outbox, ...step.entries, audit, rotateWork(name, rotation.id)],
    dueAt: time,
    updatedAt: time,
  }
  return [document, rotation]
}

/** The same for a person in a chat, `note` being their words: whether the caller may, and a sentence for people. */
export async function rotateForPerson(
  deps: Pick<CertificateDeps, 'store' | 'clock'>,
  name: string,
  note: string,
  context: RequestContext,
): Promise<Result<string>> {
  const refused = mayRotate(context)
  if (refused) return { ok: false, failure: refused }
  const outcome = await rotateCertificate(deps, name, { actor: actorOf(context.caller), reason: note }, context)
  if (!outcome.ok) return outcome
  const { rotation, started: isNew } = outcome.value
  const verb = isNew ? 'begins' : isRotationOver(rotation) ? 'is over' : 'is under way'
  return succeed(`Rotation ${rotation.id} of certificate ${name} ${verb}: ${rotation.phase}. ${rotation.message}`)
}

function mayRotate({ caller }: RequestContext): Failure | undefined {
  if (hasRole(caller, 'Mesh.Operator')) return undefined
  return fail('Forbidden', `${caller.name} needs the role Mesh.Operator.`).failure
}
