import { timestamp } from '../../model/names.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const STEPS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 28].map((count) => count * DAY),
]
const MOST_TICKS = 9

/** A stretch of time drawn from `left` to `right`. */
export interface TimeScale {
  readonly fromMs: number
  readonly toMs: number
  readonly left: number
  readonly right: number
}

export function xOf({ fromMs, toMs, left, right }: TimeScale, ms: number): number {
  const part = (Math.min(Math.max(ms, fromMs), toMs) - fromMs) / Math.max(1, toMs - fromMs)
  return left + part * (right - left)
}

/** Round times in UTC, nine at most, with what is written at them. */
export function timeTicks({
  fromMs,
  toMs,
}: Pick<TimeScale, 'fromMs' | 'toMs'>): readonly { ms: number; words: string }[] {
  const step = STEPS.find((candidate) => (toMs - fromMs) / candidate < MOST_TICKS) ?? toMs - fromMs
  const ticks: { ms: number; words: string }[] = []
  for (let ms = Math.ceil(fromMs / step) * step; ms <= toMs; ms += step) {
    const at = timestamp(ms)
    const day = step >= DAY || (step >= HOUR && ms % DAY === 0)
    ticks.push({ ms, words: day ? at.slice(5, 10) : at.slice(11, step < MINUTE ? 19 : 16) })
  }
  return ticks
}

/** `2026-05-01 10:00:05`. */
export function timeWords(ms: number): string {
  return timestamp(ms).slice(0, 19).replace('T', ' ')
}

/** A height for a value from 0 to `most`; what is more stands at the top. */
export function heightOf(value: number, most: number, { top, bottom }: Heights): number {
  return bottom - (Math.min(Math.max(value, 0), most) / most) * (bottom - top)
}

/** A height on a log scale from `least` to `most`; what is beyond stands at the edge. */
export function logHeightOf(value: number, [least, most]: readonly [number, number], { top, bottom }: Heights): number {
  const at = Math.log(Math.min(Math.max(value, least), most) / least) / Math.log(most / least)
  return bottom - at * (bottom - top)
}

export interface Heights {
  readonly top: number
  readonly bottom: number
}

/** The next 1, 2 or 5 times a power of ten. */
export function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  const found = [1, 2, 5, 10].find((factor) => value <= factor * power * (1 + 1e-9)) ?? 10
  return Number((found * power).toPrecision(3))
}
