import { isDue, lookWithin } from '../model/waiting.ts'
import type { Trouble } from '../ports/vault-trouble.ts'
import { type CaStep, tell, withRotation } from './step.ts'

/** Stays in the phase, says why, and looks again at a time. */
export function waitUntil(step: CaStep, reason: string, message: string, at: number, now: number): CaStep {
  return lookWithin(withRotation(step, { reason, message }), Math.max(0, at - now), now)
}

/**
 * Stays in the phase because of something that a person should know of: they are told once a phase and reason; `more` is told
 * besides.
 */
export function holdAndTell(
  step: CaStep,
  reason: string,
  message: string,
  ms: number,
  now: number,
  more?: string,
): CaStep {
  const { rotation } = step.document
  if (!rotation) return step
  const held = lookWithin(withRotation(step, { reason, message }), ms, now)
  const what = `${rotation.phase}.${reason}`
  if (rotation.toldOf === what) return held
  const unique = `${rotation.id}.${rotation.direction}.${what}`
  const data = { phase: rotation.phase, direction: rotation.direction }
  const happening = { unique, reason, message: more === undefined ? message : `${message} ${more}`, data }
  return tell(withRotation(held, { toldOf: what }), 'certificate.held', happening, now)
}

const FIRST_MS = 5000
const MOST_MS = 600_000
/** People are told of a vault that does not answer when it has not for so many looks. */
const TELL_AFTER = 4

/** The vault does not answer, or refuses what a person must allow: nothing is lost by waiting. */
export function holdForTrouble(step: CaStep, trouble: Trouble, now: number): CaStep {
  const attempts = (step.document.rotation?.attempts ?? 0) + (isDue(step, now) ? 1 : 0)
  const wait = Math.max(trouble.retryAfterMs ?? 0, Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempts, 20)))
  const counted = withRotation(step, { attempts })
  if (attempts < TELL_AFTER) return waitUntil(counted, trouble.reason, trouble.message, now + wait, now)
  return holdAndTell(counted, trouble.reason, trouble.message, wait, now)
}
