import { isDue, lookWithin } from '../model/waiting.ts'
import type { Trouble } from '../ports/vault-trouble.ts'
import { type Step, withRotation } from './step.ts'

export interface Pace {
  readonly firstMs: number
  readonly mostMs: number
}

/** Stays in the phase and looks again, the longer it takes the less often. */
export function hold(step: Step, reason: string, message: string, pace: Pace, now: number): Step {
  const attempts = (step.document.rotation?.attempts ?? 0) + (isDue(step, now) ? 1 : 0)
  const wait = Math.min(pace.mostMs, pace.firstMs * 2 ** Math.min(attempts, 30))
  return lookWithin(withRotation(step, { reason, message, attempts }, now), wait, now)
}

const TROUBLE_PACE: Pace = { firstMs: 5000, mostMs: 600_000 }

/** The vault does not answer, or refuses what a person must allow: nothing is lost by waiting. */
export function holdForTrouble(step: Step, trouble: Trouble, now: number): Step {
  const held = hold(step, trouble.reason, trouble.message, TROUBLE_PACE, now)
  if (trouble.retryAfterMs === undefined) return held
  return { ...held, lookAt: Math.max(held.lookAt ?? 0, now + trouble.retryAfterMs) }
}
