import type { PortError } from '../ports/port-error.ts'
import type { Random } from '../ports/random.ts'

/** What a cluster's error means for a placement. */
export interface ClusterTrouble {
  /** False: nothing can be said about the cluster now. */
  readonly reachable: boolean
  readonly reason: string
  readonly message: string
  /** Until the next attempt. */
  readonly retryMs: number
}

const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 300_000
/** While requests are to go back to stable, attempts stay close. */
const LAST_RETRY_RETURNING_MS = 30_000
const REJECTED_RETRY_MS = 300_000

/** Reason, message and time of the next attempt after `attempts` failures in a row (this one counted). */
export function troubleOf(error: PortError, attempts: number, random: Random, returning: boolean): ClusterTrouble {
  const backoff = backoffMs(attempts, random, returning ? LAST_RETRY_RETURNING_MS : LAST_RETRY_MS)
  const base = { message: error.message, retryMs: Math.max(backoff, error.retryAfterMs ?? 0) }
  switch (error.kind) {
    case 'unavailable':
      return { ...base, reachable: false, reason: error.reason ?? 'Unreachable' }
    case 'denied':
      return { ...base, reachable: false, reason: error.reason ?? 'Denied' }
    case 'throttled':
      return { ...base, reachable: true, reason: 'Throttled' }
    case 'invalid':
      return { ...base, reachable: true, reason: 'Rejected', retryMs: REJECTED_RETRY_MS }
    case 'not-found':
      return { ...base, reachable: true, reason: error.reason ?? 'NotFound' }
    default:
      return { ...base, reachable: true, reason: error.reason ?? 'WriteConflict' }
  }
}

/** Exponential, from 1 s to `mostMs`, with the upper half by chance so that many do not come back at once. */
export function backoffMs(attempts: number, random: Random, mostMs: number = LAST_RETRY_MS): number {
  const full = Math.min(mostMs, FIRST_RETRY_MS * 2 ** Math.min(20, Math.max(0, attempts - 1)))
  return Math.round(full / 2 + (full / 2) * random.next())
}
