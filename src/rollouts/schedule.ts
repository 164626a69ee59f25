import { timestamp } from '../model/names.ts'
import type { Rollout } from '../model/rollout.ts'
import type { Observations } from './observations.ts'

/** Placements tell of every change that is waited for; this is for a telling that got lost. */
export const POLL_MS = 15_000

/** Stays, says why, and is looked at again. */
export function waiting(
  rollout: Rollout,
  seen: Observations,
  reason: string,
  message: string,
  afterMs = POLL_MS,
): Rollout {
  return attemptAt(say(rollout, reason, message), seen.now, seen.now + afterMs)
}

/** The same rollout with other words for what it is doing. */
export function say(rollout: Rollout, reason: string, message: string): Rollout {
  return rollout.reason === reason && rollout.message === message ? rollout : { ...rollout, reason, message }
}

/**
 * Looked at again at `at` (epoch ms). An attempt that is still to come and no later stays: passes in between neither put
 * it off nor write anything.
 */
export function attemptAt(rollout: Rollout, now: number, at: number): Rollout {
  const planned = rollout.nextAttemptAt === undefined ? Number.NaN : Date.parse(rollout.nextAttemptAt)
  if (planned > now && planned <= at) return rollout
  return { ...rollout, nextAttemptAt: timestamp(at) }
}

/** Due at once: another transition may follow. */
export function wake(rollout: Rollout, now: number): Rollout {
  return { ...rollout, nextAttemptAt: timestamp(now) }
}
