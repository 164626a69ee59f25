import { countRequests, countSlow } from '../judge/count-events.ts'
import { countIncrease, type WindowIncrease, withTargets } from '../judge/count-increase.ts'
import type { BlindReason } from '../judge/judge-gate.ts'
import type { CountQuery, MeteredService, Provider, VersionLabels } from '../mesh/provider.ts'
import type { BuiltInGate } from '../model/gate.ts'
import type { Counts } from '../model/rollout.ts'
import type { MetricsSource, Series } from '../ports/metrics.ts'
import { isPortError } from '../ports/port-error.ts'
import { NO_COUNTS } from './observations.ts'

/** Samples from before a window serve as the base of its counts; four scrapes at 30 s. */
const LOOKBACK_MS = 120_000
const TARGET_LABELS = ['job', 'instance']

/** A stretch of time that a gate counts, in epoch milliseconds. */
export interface CountedWindow {
  readonly fromMs: number
  /** Samples up to here have surely arrived. */
  readonly toMs: number
  readonly nowMs: number
  /** A source whose newest sample is older than this is late. */
  readonly notBeforeMs: number
}

export type WindowCounts =
  | { readonly ok: true; readonly byVersion: Readonly<Record<string, Counts>> }
  | { readonly ok: false; readonly reason: BlindReason; readonly why: string }

/** Counts one service's samples on one cluster; gates on the same series and window share a query. */
export function windowCounter(
  source: MetricsSource,
  provider: Provider,
  service: MeteredService,
): (gate: BuiltInGate, labels: VersionLabels, window: CountedWindow) => Promise<WindowCounts> {
  const asked = new Map<string, Promise<Found>>()
  const find = (selector: string, window: CountedWindow) => {
    const key = `${window.fromMs} ${window.toMs} ${selector}`
    const known = asked.get(key) ?? increasesOf(source, selector, window)
    asked.set(key, known)
    return known
  }
  return async (gate, labels, window) => {
    const query = gate.kind === 'latency' ? provider.latencyCounts?.(service) : provider.requestCounts?.(service)
    if (!query) return { ok: false, reason: 'NoData', why: `nothing of ${provider.name}'s own is counted` }
    try {
      return read(await find(query.selector, window), { gate, labels, query }, window)
    } catch (error) {
      if (!isPortError(error)) throw error
      return { ok: false, reason: 'QueryFailed', why: error.message }
    }
  }
}

export interface Found extends WindowIncrease {
  /** Time of the newest sample, also of those after the window; undefined when there is none. */
  readonly newestMs: number | undefined
}

/** Asks up to now, so that a source that scrapes seldom is told from one that is late; counts up to the window's end. */
export async function increasesOf(source: MetricsSource, selector: string, window: CountedWindow): Promise<Found> {
  const spanMs = window.nowMs - window.fromMs + LOOKBACK_MS
  const series = await source.samples(selector, window.nowMs, spanMs)
  // Only a series that begins inside the window leaves open whether its target was there before.
  const begins = series.some(({ samples }) => (samples[0]?.[0] ?? 0) > window.fromMs)
  const scrapes: readonly Series[] = begins ? await source.samples('up', window.nowMs, spanMs) : []
  const increase = countIncrease(withTargets(series, TARGET_LABELS, scrapes), window)
  return { ...increase, newestMs: newestOf(series) }
}

function newestOf(series: readonly Series[]): number | undefined {
  return series.reduce<number | undefined>((newest, { samples }) => {
    const last = samples.at(-1)?.[0]
    return last === undefined ? newest : Math.max(newest ?? last, last)
  }, undefined)
}

interface Question {
  readonly gate: BuiltInGate
  readonly labels: VersionLabels
  readonly query: CountQuery
}

function read(found: Found, { gate, labels, query }: Question, window: CountedWindow): WindowCounts {
  if (found.unreadable > 0) {
    return { ok: false, reason: 'NotANumber', why: `${found.unreadable} samples are no numbers` }
  }
  if (found.newestMs === undefined) {
    return { ok: false, reason: 'NoData', why: 'the metrics source has no samples of the service' }
  }
  const late = lateness(found.newestMs, window)
  if (late !== undefined) return { ok: false, reason: 'DataLate', why: late }
  if (gate.kind === 'errors')
    return { ok: true, byVersion: byName(countRequests(found.series, labels.label, query.failed), labels) }
  const { unitMs = 1 } = query
  const slow = countSlow(found.series, gate.overMs / unitMs, labels.label)
  if (slow.ok) return { ok: true, byVersion: byName(slow.byVersion, labels) }
  const nearest = slow.nearestMs.map((edge) => edge * unitMs).join(' and ')
  const why = `the histogram has no edge at ${gate.overMs} ms; the nearest are ${nearest} ms`
  return { ok: false, reason: 'NoData', why }
}

/** Why what was seen last is too old to trust the window; undefined when it is not. */
export function lateness(newestMs: number, window: CountedWindow): string | undefined {
  if (newestMs >= window.notBeforeMs) return undefined
  const age = (ms: number) => Math.ceil((window.nowMs - ms) / 1000)
  return `the newest sample is ${age(newestMs)} s old and should be ${age(window.notBeforeMs)} s at most`
}

function byName(counts: ReadonlyMap<string, Counts>, labels: VersionLabels): Readonly<Record<string, Counts>> {
  return Object.fromEntries(
    Object.entries(labels.values).map(([name, value]) => [name, counts.get(value) ?? NO_COUNTS]),
  )
}
