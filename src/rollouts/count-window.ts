import { countRequests, countSlow } from '../judge/count-events.ts'
import { countIncrease, type WindowIncrease, withTargets } from '../judge/count-increase.ts'
import type { BlindReason } from '../judge/evaluate-gate.ts'
import type { Provider } from '../mesh/provider.ts'
import type { Counts } from '../model/rollout.ts'
import type { GateSpec } from '../model/strategy.ts'
import type { MetricsSource, Series } from '../ports/metrics.ts'
import { isPortError } from '../ports/port-error.ts'
import { NO_COUNTS } from './observations.ts'
import type { VersionLabels } from './version-label.ts'

/** Samples from before a window serve as the base of its counts; four scrapes at 30 s. */
const LOOKBACK_MS = 120_000
const TARGET_LABELS = ['job', 'instance']

/** A stretch of time that a gate counts, and how old its newest sample may be. */
export interface CountedWindow {
  readonly fromMs: number
  readonly toMs: number
  /** A newest sample before this is late. */
  readonly notBeforeMs: number
}

export type WindowCounts =
  | { readonly ok: true; readonly byVersion: Readonly<Record<string, Counts>> }
  | { readonly ok: false; readonly reason: BlindReason; readonly why: string }

/** One cluster's samples in one window; gates on the same series share a query. */
export function windowCounter(
  source: MetricsSource,
  provider: Provider,
  service: { namespace: string; name: string },
  window: CountedWindow,
) {
  const asked = new Map<string, Promise<WindowIncrease>>()
  const increases = (selector: string) => {
    const known = asked.get(selector) ?? increasesOf(source, selector, window)
    asked.set(selector, known)
    return known
  }
  return async function count(gate: GateSpec, labels: VersionLabels): Promise<WindowCounts> {
    const query = gate.kind === 'latency' ? provider.latencyCounts(service) : provider.requestCounts(service)
    try {
      return read(await increases(query.selector), gate, labels, window)
    } catch (error) {
      if (!isPortError(error)) throw error
      return { ok: false, reason: 'QueryFailed', why: error.message }
    }
  }
}

async function increasesOf(source: MetricsSource, selector: string, window: CountedWindow): Promise<WindowIncrease> {
  const spanMs = window.toMs - window.fromMs + LOOKBACK_MS
  const series = await source.samples(selector, window.toMs, spanMs)
  // Only a series that begins inside the window leaves open whether its target was there before.
  const begins = series.some(({ samples }) => (samples[0]?.[0] ?? 0) > window.fromMs)
  const scrapes: readonly Series[] = begins ? await source.samples('up', window.toMs, spanMs) : []
  return countIncrease(withTargets(series, TARGET_LABELS, scrapes), window)
}

function read(found: WindowIncrease, gate: GateSpec, labels: VersionLabels, window: CountedWindow): WindowCounts {
  if (found.unreadable > 0)
    return { ok: false, reason: 'NotANumber', why: `${found.unreadable} samples are no numbers` }
  if (found.lastSampleMs === undefined)
    return { ok: false, reason: 'NoData', why: 'the metrics source has no samples of the service' }
  if (found.lastSampleMs < window.notBeforeMs) {
    const lateMs = window.toMs - found.lastSampleMs
    return {
      ok: false,
      reason: 'DataLate',
      why: `the newest sample is ${Math.ceil(lateMs / 1000)} s older than expected`,
    }
  }
  if (gate.kind === 'errors') return { ok: true, byVersion: byName(countRequests(found.series, labels.label), labels) }
  const slow = countSlow(found.series, gate.overMs, labels.label)
  if (slow.ok) return { ok: true, byVersion: byName(slow.byVersion, labels) }
  const nearest = slow.nearestMs.join(' and ')
  return {
    ok: false,
    reason: 'NoData',
    why: `the histogram has no edge at ${gate.overMs} ms; the nearest are ${nearest} ms`,
  }
}

function byName(counts: ReadonlyMap<string, Counts>, labels: VersionLabels): Readonly<Record<string, Counts>> {
  return Object.fromEntries(
    Object.entries(labels.values).map(([name, value]) => [name, counts.get(value) ?? NO_COUNTS]),
  )
}
