import { type CaRotation, isTakeover } from '../model/ca-rotation.ts'
import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import { durationMs } from '../model/names.ts'
import { wordsOf } from './mesh-words.ts'
import { type CaStep, end, enter, withRotation } from './step.ts'

/**
 * Turns the live rotation back to where it came from, by the way that is still safe in its phase; a failure where none is.
 * What was asked of the vault and may yet be on its way is waited for. Pure.
 */
export function turnBack(step: CaStep, words: string, now: number): Result<CaStep> {
  const { rotation: live } = step.document
  if (!live) return refuse('There is no rotation.')
  if (live.direction === 'back') return succeed(step)
  const { paused: _paused, ...rotation } = live
  return goBack({ ...step, document: { ...step.document, rotation } }, rotation, words, now)
}

function goBack(step: CaStep, rotation: CaRotation, words: string, now: number): Result<CaStep> {
  const isBegun = hasBegun(rotation)
  switch (rotation.phase) {
    case 'requested':
    case 'preparing':
    case 'awaiting-issuer':
      return succeed(end(step, 'aborted', 'Aborted', `${words} Nothing was written.`, now))
    case 'widening':
      return succeed(
        isBegun
          ? narrowBack(step, rotation, words, now)
          : end(step, 'aborted', 'Aborted', `${words} Nothing was written.`, now),
      )
    case 'trusting':
      return succeed(narrowBack(step, rotation, words, now))
    case 'switching':
      return backFromSwitching(step, rotation, words, now)
    case 'renewing':
      return switchBack(step, rotation, words, now)
    case 'narrowing':
      if (!isBegun) return switchBack(step, rotation, words, now)
      return refuse(wordsOf(step.document.spec).narrowed, ROTATE_AGAIN)
    default:
      return refuse(`The rotation is over: ${rotation.phase}.`)
  }
}

const ROTATE_AGAIN =
  'Let it end, then POST …/rotate with "what": "root": that makes another root by the same safe steps.'

const KEY_NOT_OURS =
  'The cluster is being taken over, and the vault does not have the key of its former issuer: it cannot be made to sign again.'

/** Was the vault asked to write in this phase, or has it? */
function hasBegun({ askedUntil, writtenAt }: CaRotation): boolean {
  return askedUntil !== undefined || writtenAt !== undefined
}

function backFromSwitching(step: CaStep, rotation: CaRotation, words: string, now: number): Result<CaStep> {
  if (hasBegun(rotation)) return switchBack(step, rotation, words, now)
  if (rotation.what === 'root' && rotation.from) return succeed(narrowBack(step, rotation, words, now))
  return succeed(end(step, 'aborted', 'Aborted', `${words} Nothing was written.`, now))
}

/** The new root has signed nothing: it leaves the bundles at once. */
function narrowBack(step: CaStep, rotation: CaRotation, words: string, now: number): CaStep {
  return back(step, rotation, 'narrowing', `${words} The new root signed nothing: it leaves the trust bundles.`, now)
}

/** The former intermediate signs again, while all that may be in use stays trusted. */
function switchBack(step: CaStep, rotation: CaRotation, words: string, now: number): Result<CaStep> {
  const { from } = rotation
  if (!from) return refuse('It is the first CA: there is nothing to go back to.')
  if (isTakeover(rotation)) return refuse(KEY_NOT_OURS, 'Let it end: what may be in use stays trusted in every phase.')
  const ends = [from.signer, ...from.roots].filter(
    ({ notAfter }) => Date.parse(notAfter) <= now + durationMs(step.document.spec.workloadTtl),
  )
  const [first] = ends
  if (first)
    return refuse(
      `What it would go back to ends at ${first.notAfter}, before every workload could be renewed.`,
      'Let the rotation end.',
    )
  const message = `${words} The former intermediate signs again; what is trusted stays until no certificate of the new one is in use.`
  return succeed(back(step, rotation, 'switching', message, now))
}

function back(
  step: CaStep,
  { askedUntil }: CaRotation,
  phase: 'narrowing' | 'switching',
  message: string,
  now: number,
): CaStep {
  const turned = enter(withRotation(step, { direction: 'back' }), phase, 'Aborting', message, now)
  return { ...(askedUntil === undefined ? turned : withRotation(turned, { askedUntil })), lookAt: now }
}

function refuse(detail: string, hint?: string): { ok: false; failure: Failure } {
  return fail('Conflict', detail, hint === undefined ? {} : { hint })
}
