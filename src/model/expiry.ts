import { durationMs } from './names.ts'

const DAY_MS = 86_400_000

/** Days before an end at which people are told. */
export const WARNING_DAYS = [60, 30, 14, 7, 3, 1] as const
/** What is told from here on is told at once, also in quiet hours. */
export const PAGE_DAYS = 7

/** What ends. RFC 3339. */
export interface Ends {
  readonly notBefore: string
  readonly notAfter: string
}

export function lifetimeMs({ notBefore, notAfter }: Ends): number {
  return Date.parse(notAfter) - Date.parse(notBefore)
}

const URGENT_MS = 7 * DAY_MS
const URGENT_PART = 0.2

/**
 * Ends it so soon that replacing it may not wait for windows and freezes: in its last seven days, or the last fifth of a short
 * life? `mostMs`: another most than seven days. `now` is epoch milliseconds.
 */
export function isUrgent(what: Ends, now: number, mostMs = URGENT_MS): boolean {
  return Date.parse(what.notAfter) - now <= Math.min(mostMs, lifetimeMs(what) * URGENT_PART)
}

/** A new one is wanted in the last two thirds of the life at the earliest. */
const MOST_LEAD = 2 / 3

/** How long before its end the next one is wanted: as the spec says, a third of the lifetime when it says nothing. */
export function leadMs({ renewBefore }: { readonly renewBefore?: string | undefined }, what: Ends): number {
  const lifetime = lifetimeMs(what)
  return Math.min(renewBefore === undefined ? lifetime / 3 : durationMs(renewBefore), lifetime * MOST_LEAD)
}

export interface Warning {
  /** Every mark that is passed, told before or not. */
  readonly passed: readonly number[]
  /** A mark has been passed of which nobody was told. */
  readonly isNew: boolean
  /** Whole days that are left, 0 when it has ended. */
  readonly daysLeft: number
  /** When the next mark is passed, in epoch milliseconds; undefined when none is left. */
  readonly nextAt?: number
}

/**
 * Which marks (days before an end, the most first) are passed, and which of them are new. Only as far as the renewal, `leadMs`
 * before the end, should have happened by then: a short life is not near its end while its renewal is not due.
 */
export function passedMarks(
  days: readonly number[],
  what: Ends,
  leadMs: number,
  warned: readonly number[],
  now: number,
): Warning {
  const end = Date.parse(what.notAfter)
  const marks = days.filter((mark) => (mark - 1) * DAY_MS < leadMs)
  const at = (mark: number) => end - Math.min(mark * DAY_MS, leadMs)
  const passed = marks.filter((mark) => now >= at(mark))
  const next = marks.find((mark) => !passed.includes(mark))
  return {
    passed,
    isNew: passed.some((mark) => !warned.includes(mark)),
    daysLeft: Math.max(0, Math.floor((end - now) / DAY_MS)),
    ...(next === undefined ? {} : { nextAt: at(next) }),
  }
}
