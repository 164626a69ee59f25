import type { Trouble } from '../ports/vault-trouble.ts'
import { type Step, withRotation } from './step.ts'

/** Is it time for the next look that the document names? Others look too, and count as no attempt. */
export function isDue({ document }: Step, now: number): boolean {
  return document.dueAt === undefined || Date.parse(document.dueAt) <= now
}

/** Was the vault asked, and may it yet be doing it? A look that comes sooner asks for nothing. */
export function isAsked({ document: { rotation } }: Step, now: number): boolean {
  return rotation?.askedUntil !== undefined && Date.parse(rotation.askedUntil) > now
}

/** Looks again when the vault may be asked again. */
export function keepLease(step: Step, now: number): Step {
  const until = Date.parse(step.document.rotation?.askedUntil ?? '')
  return lookWithin(step, Number.isNaN(until) ? 0 : Math.max(0, until - now), now)
}

/** Looks again within `ms`: at the time that is set already, when that is sooner. */
export function lookWithin(step: Step, ms: number, now: number): Step {
  const set = step.document.dueAt === undefined ? Number.NaN : Date.parse(step.document.dueAt)
  const lookAt = set > now && set <= now + ms ? set : now + ms
  return { ...step, lookAt: Math.min(step.lookAt ?? lookAt, lookAt) }
}

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
