import type { Random } from '../ports/random.ts'

const FIRST_MS = 60_000
const MOST_MS = 3_600_000

/** When a place that could not be seen is looked at again, in milliseconds from now: an hour at most, when the timer comes. */
export function againMs(attempts: number, random: Random): number {
  return Math.round(Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempts - 1, 10)) * (0.5 + random.next() / 2))
}
