import { auditEntry } from '../model/audit-entry.ts'
import { type CaRotation, isCaRotationOver } from '../model/ca-rotation.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { actorOf } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import type { RequestContext } from '../model/request.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import { rotateCaWork } from './ca-work.ts'
import type { MeshCaDeps } from './deps.ts'
import { type CaStep, tell } from './step.ts'
import { turnBack } from './turn-back.ts'

/** What people may do to a live rotation. */
export type CaVerb = 'pause' | 'resume' | 'abort'

/**
 * Pauses a live rotation (nothing is written until it is resumed), resumes it, or takes it back the way that is safe in its
 * phase; a failure where none is. Twice is once.
 */
export async function actOnCa(
  deps: Pick<MeshCaDeps, 'store' | 'clock'>,
  name: string,
  verb: CaVerb,
  reason: string | undefined,
  context: RequestContext,
): Promise<Result<MeshCaDocument>> {
  const changed = await changeDocument(
    deps.store,
    'mesh-ca',
    name,
    (stored): Result<Change<MeshCaDocument, undefined>> => {
      const before = stored?.value
      if (!before) return fail('NotFound', `There is no certificate ${name}.`)
      const { rotation } = before
      // Who got no answer to an abort that ended it at once asks again.
      if (verb === 'abort' && rotation?.phase === 'aborted') return succeed({ kind: 'leave', value: undefined })
      if (!rotation || isCaRotationOver(rotation)) {
        return fail('Conflict', `No rotation of ${name} is live.`, {
          hint: 'GET it: rotation.phase says how the last one ended.',
        })
      }
      const now = deps.clock.now()
      const acted = act({ document: before, entries: [] }, rotation, { verb, reason, context, now })
      if (!acted.ok) return acted
      if (acted.value.document === before) return succeed({ kind: 'leave', value: undefined })
      return succeed({
        kind: 'write',
        document: written(before, acted.value, { verb, reason, context, now }),
        value: undefined,
      })
    },
  )
  if (!changed.ok) return changed
  const document = changed.value.stored?.value
  return document ? succeed(document) : fail('NotFound', `There is no certificate ${name}.`)
}

interface Act {
  readonly verb: CaVerb
  readonly reason: string | undefined
  readonly context: RequestContext
  readonly now: number
}

function act(step: CaStep, rotation: CaRotation, { verb, reason, context, now }: Act): Result<CaStep> {
  const actor = actorOf(context.caller)
  const words = `${actor.name} asked to ${verb} it${reason === undefined ? '.' : `: ${reason}.`}`.slice(0, 600)
  if (verb === 'abort') return turnBack(step, words, now)
  if ((rotation.paused !== undefined) === (verb === 'pause')) return succeed(step)
  const { paused: _paused, restarting: _restarting, ...rest } = rotation
  const at = timestamp(now)
  const paused = { actor, at, ...(reason === undefined ? {} : { reason }) }
  const next = verb === 'pause' ? { ...rest, paused } : rest
  const event = { unique: `${rotation.id}.${at}`, reason: verb === 'pause' ? 'Paused' : 'Resumed', message: words }
  const type = verb === 'pause' ? 'certificate.paused' : 'certificate.resumed'
  return succeed(tell({ ...step, document: { ...step.document, rotation: next } }, type, event, now, actor))
}

function written(before: MeshCaDocument, step: CaStep, { verb, reason, context, now }: Act): MeshCaDocument {
  const time = timestamp(now)
  const id = before.rotation?.id ?? ''
  const audit = auditEntry({
    action: `certificate.${verb}`,
    subject: `certificates/${before.name}`,
    unique: `${id}.${time}`,
    time,
    context,
    after: { rotation: id, ...(reason === undefined ? {} : { reason }) },
  })
  const outbox = [...before.outbox, ...step.entries, audit, rotateCaWork(before.name, `${verb}.${time}`)]
  return { ...step.document, outbox, dueAt: time, updatedAt: time }
}
