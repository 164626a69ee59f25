import type { Clock } from '../ports/clock.ts'
import { PortError } from '../ports/port-error.ts'

/** Takes turns at destinations that bear only so many requests a second. For this process alone: others are not seen. */
export interface Pace {
  /** Resolves when it is this call's turn. Throws PortError `throttled` when that would take too long. */
  turn(key: string): Promise<void>
  /** The destination has asked to be left alone for so long. */
  rest(key: string, durationMs: number): void
}

const MOST_KEYS = 1000

/** One turn per key every `gapMs`; none waits for longer than `longestMs`. Keys are kept in memory only. */
export function createPace(clock: Clock, system: string, gapMs: number, longestMs: number): Pace {
  const free = new Map<string, number>()
  return {
    async turn(key) {
      const now = clock.now()
      const at = Math.max(now, free.get(key) ?? 0)
      if (at - now > longestMs) {
        throw new PortError('throttled', system, `${system} takes no more requests now`, { retryAfterMs: at - now })
      }
      if (free.size >= MOST_KEYS) for (const [other, until] of free) if (until <= now) free.delete(other)
      free.set(key, at + gapMs)
      if (at > now) await clock.sleep(at - now)
    },
    rest(key, durationMs) {
      free.set(key, Math.max(free.get(key) ?? 0, clock.now() + durationMs))
    },
  }
}
