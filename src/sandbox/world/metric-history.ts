import type { Storage } from '../emulators/emulator.ts'
import type { LabelMatcher, SeriesSource } from '../emulators/prometheus/series-source.ts'
import {
  applyRow,
  type BaseRow,
  forgetTarget,
  type Growth,
  growthRow,
  type HistoryState,
  loadHistory,
  type ScrapeRow,
  type TargetLabels,
  targetNumber,
} from './history-state.ts'
import { type RequestHistory, requestSeries, upSeries } from './metric-series.ts'
import { forgetScrapes } from './scrape-runs.ts'
import { forgetBefore, valueAt } from './track.ts'

/** A pod at the time of a scrape. */
export interface ScrapedTarget {
  readonly labels: TargetLabels
  readonly up: boolean
  /** Empty when not up. */
  readonly growth: readonly Growth[]
}

/** What Prometheus has scraped from the pods of one cluster. */
export interface MetricHistory extends SeriesSource {
  /** Adds a scrape of all targets; one that is known and not among them is gone. Times must rise. */
  scrape(timeMs: number, targets: readonly ScrapedTarget[]): void
  /** Time of the last scrape; undefined when there was none. */
  lastMs(): number | undefined
  /** Removes everything from the storage; the history is of no use afterwards. */
  clear(): void
}

export interface HistoryOptions {
  readonly storage: Storage
  /** Names the tables. */
  readonly cluster: string
  readonly intervalMs: number
  readonly retentionMs: number
  /** Changes of values kept in memory at most; beyond them the older half goes. */
  readonly maxPoints: number
}

const PRUNE_EVERY_MS = 60_000

/** Opens the history of a cluster with what the storage still holds of it. */
export function openMetricHistory(options: HistoryOptions): MetricHistory {
  const state = loadHistory(options.storage, options.cluster, options.intervalMs)
  return {
    scrape: (timeMs, targets) => scrape(state, options, timeMs, targets),
    lastMs: () => state.lastMs,
    clear() {
      for (const table of [state.names, state.scrapes]) for (const [key] of [...table.entries()]) table.delete(key)
    },
    series: (matchers: readonly LabelMatcher[], fromMs: number, toMs: number) => [
      ...[...state.targets.values()].flatMap((target) => upSeries(target, matchers, fromMs, toMs)),
      ...[...state.series.values()].flatMap((series) => {
        const target = state.targets.get(series.target)
        return target === undefined ? [] : requestSeries(series, target, matchers, [fromMs, toMs])
      }),
    ],
  }
}

function scrape(state: HistoryState, options: HistoryOptions, timeMs: number, scraped: readonly ScrapedTarget[]): void {
  const numbered = scraped.map((target) => ({ ...target, number: targetNumber(state, target.labels) }))
  const present = new Set(numbered.map((target) => target.number))
  const row: ScrapeRow = {
    t: timeMs,
    up: numbered.filter((target) => target.up).map((target) => target.number),
    down: numbered.filter((target) => !target.up).map((target) => target.number),
    gone: [...state.targets]
      .filter(([number, { runs }]) => !present.has(number) && runs.at(-1)?.state !== 'gone')
      .map(([number]) => number),
    growth: numbered.flatMap(({ number, growth }) => growth.map((part) => growthRow(state, number, part))),
  }
  state.scrapes.put(slot(timeMs, options), row)
  applyRow(state, row, options.intervalMs)
  if (timeMs - state.prunedMs >= PRUNE_EVERY_MS) prune(state, options, timeMs)
}

/** Rows lie in a ring, so that old ones are overwritten and need no deletes. */
function slot(timeMs: number, { intervalMs, retentionMs }: HistoryOptions): string {
  const slots = Math.ceil((retentionMs + 2 * PRUNE_EVERY_MS) / intervalMs) + 1
  return `scrape/${Math.floor(timeMs / intervalMs) % slots}`
}

/** Forgets what is older than the retention, or than the middle of what is kept when there is too much of it. */
function prune(state: HistoryState, options: HistoryOptions, nowMs: number): void {
  state.prunedMs = nowMs
  let cutMs = nowMs - options.retentionMs
  cut(state, cutMs)
  while (state.points > options.maxPoints && cutMs < nowMs - options.intervalMs) {
    const oldest = Math.min(nowMs, ...[...state.targets.values()].map(({ runs }) => runs[0]?.fromMs ?? nowMs))
    cutMs = Math.ceil((Math.max(oldest, cutMs) + nowMs) / 2)
    cut(state, cutMs)
  }
  const totals = [...state.series].map(([number, series]) => totalsAt(number, series, cutMs))
  state.names.put('base', { t: cutMs, totals } satisfies BaseRow)
}

function cut(state: HistoryState, cutMs: number): void {
  state.points = 0
  for (const [number, target] of state.targets) {
    forgetScrapes(target.runs, cutMs)
    if (target.runs.every((run) => run.state === 'gone' && run.fromMs < cutMs)) forgetTarget(state, number)
  }
  for (const series of state.series.values()) {
    for (const track of [series.requests, series.sumMs, ...series.buckets.values()]) {
      forgetBefore(track, cutMs)
      state.points += track.times.length
    }
  }
}

function totalsAt(number: number, series: RequestHistory, timeMs: number): number[] {
  const buckets = [...series.buckets].flatMap(([bucket, track]) => [bucket, valueAt(track, timeMs)])
  return [number, valueAt(series.requests, timeMs), valueAt(series.sumMs, timeMs), ...buckets]
}
