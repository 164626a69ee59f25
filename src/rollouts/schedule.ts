import { timestamp } from '../model/names.ts'
import type { Rollout } from '../model/rollout.ts'
import type { Observations } from './observations.ts'

/** Placements tell of every change that is waited for; polls are for a telling that got lost. */
export const POLL_MS = 15_000
const POLL_MOST_MS = 60_000

/** What nobody here can hurry. Time under these reasons does not count against timeouts. */
const HOLDS: readonly string[] = ['Frozen', 'OutsideWindow', 'FreezeActive', 'Unreachable']

/** When to look again: after `everyMs`, or else the later the longer it waits; at `deadline` (epoch ms) at the latest. */
export interface Again {
  readonly everyMs?: number
  readonly deadline?: number
}

/** Stays, says why, and is looked at again. */
export function waiting(
  rollout: Rollout,
  seen: Observations,
  reason: string,
  message: string,
  { everyMs = pollAfter(rollout, seen), deadline }: Again = {},
): Rollout {
  const released = HOLDS.includes(rollout.reason) && !HOLDS.includes(reason)
  const said = say(rollout, reason, message)
  const at = deadline !== undefined && deadline > seen.now ? Math.min(seen.now + everyMs, deadline) : seen.now + everyMs
  return attemptAt(released ? { ...said, heldUntil: timestamp(seen.now) } : said, seen.now, at)
}

/** A quarter of the time in this phase, from 15 s to a minute: every look at it is a write of the document. */
export function pollAfter(rollout: Rollout, seen: Observations): number {
  const waited = seen.now - Date.parse(rollout.phaseSince)
  return Math.min(POLL_MOST_MS, Math.max(POLL_MS, Math.round(waited / 4)))
}

/** Milliseconds since `from` (RFC 3339), without the time up to the end of the last hold. */
export function waitedSince(rollout: Rollout, seen: Observations, from: string): number {
  if (HOLDS.includes(rollout.reason)) return 0
  return seen.now - Math.max(Date.parse(from), Date.parse(rollout.heldUntil ?? from))
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
