import * as z from 'zod'
import { durationBetween, durationMs } from '../model/names.ts'
import type { Clock } from '../ports/clock.ts'

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 2000

/** `?wait=60s`: how long a call may wait for the end of what it began. Azure cuts calls off at 230 s. */
export const waitParameter = durationBetween('0s', '200s')
  .optional()
  .describe('Answer only when it is done, or after this time: then 202')

export const waitQuery = z.strictObject({ wait: waitParameter })
export type WaitQuery = z.infer<typeof waitQuery>

/**
 * Looks again and again, with growing pauses, until `done` or the time is over; the last look is the value. Ends early,
 * with the last look, when the caller goes away.
 */
export async function waitFor<T>(
  clock: Clock,
  wait: string | undefined,
  signal: AbortSignal | undefined,
  look: () => Promise<T>,
  done: (seen: T) => boolean,
): Promise<T> {
  const until = clock.now() + (wait === undefined ? 0 : durationMs(wait))
  let seen = await look()
  for (let pause = FIRST_PAUSE_MS; !done(seen); pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    const left = until - clock.now()
    if (left <= 0 || signal?.aborted) return seen
    try {
      await clock.sleep(Math.min(pause, left), signal)
    } catch {
      return seen
    }
    seen = await look()
  }
  return seen
}
