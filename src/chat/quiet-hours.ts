import type { TeamSpec } from '../model/team.ts'

export type QuietHours = NonNullable<NonNullable<TeamSpec['chat']>['quietHours']>

const MINUTE_MS = 60_000
/** A day has at most 25 hours in any zone that changes its clocks by an hour. */
const LONGEST_MINUTES = 26 * 60

/**
 * The end of the quiet hours that `now` (epoch milliseconds) lies in: the first full minute outside; undefined when it
 * lies in none. Goes by the clock on the wall of the zone, minute by minute, so that a changed clock (an hour that is
 * missing or comes twice) is taken as people see it. `from` equal to `to` is never quiet.
 */
export function quietUntil({ from, to, timeZone }: QuietHours, now: number): number | undefined {
  if (from === to) return undefined
  const wall = wallClock(timeZone)
  const isQuiet = (ms: number): boolean => {
    const time = wall(ms)
    return from < to ? from <= time && time < to : from <= time || time < to
  }
  if (!isQuiet(now)) return undefined
  const start = Math.floor(now / MINUTE_MS) * MINUTE_MS
  for (let minutes = 1; minutes <= LONGEST_MINUTES; minutes += 1) {
    const ms = start + minutes * MINUTE_MS
    if (!isQuiet(ms)) return ms
  }
  return start + LONGEST_MINUTES * MINUTE_MS
}

/** `22:05` of an instant on a zone's clock. A zone that is not known is taken as UTC. */
function wallClock(timeZone: string): (ms: number) => string {
  const options = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
  const format = formatOf({ ...options, timeZone }) ?? new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' })
  return (ms) => format.format(ms)
}

function formatOf(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-GB', options)
  } catch {
    return undefined
  }
}
