import type { Storage, Table } from '../emulators/emulator.ts'
import type { Labels } from '../emulators/prometheus/series-source.ts'
import { newRequestHistory, type RequestHistory, type TargetHistory } from './metric-series.ts'
import { addScrape } from './scrape-runs.ts'
import { latest, newTrack, setValue, type Track } from './track.ts'

/** `instance` tells targets apart. */
export type TargetLabels = Labels & { readonly instance: string }

/** How much requests of one kind grew since the last scrape of a pod. */
export interface Growth {
  /** Tells kinds of requests of one pod apart. */
  readonly key: string
  readonly labels: Labels
  requests: number
  sumMs: number
  /** Requests by index of the latency bucket. */
  readonly buckets: Map<number, number>
}

/** A scrape as it is stored: growth only, targets and series by number. One small write a scrape. */
export interface ScrapeRow {
  readonly t: number
  readonly up: readonly number[]
  readonly down: readonly number[]
  readonly gone: readonly number[]
  /** Series, requests, sum of milliseconds, then pairs of bucket and count. */
  readonly growth: readonly (readonly number[])[]
}

/** Totals at a time, for what was grown before the stored scrapes. */
export interface BaseRow {
  readonly t: number
  readonly totals: readonly (readonly number[])[]
}

/** Targets and series by number; the numbers are what scrapes are stored by. */
export interface HistoryState {
  readonly scrapes: Table
  readonly names: Table
  readonly targets: Map<number, TargetHistory>
  readonly series: Map<number, RequestHistory>
  readonly targetNumbers: Map<string, number>
  readonly seriesNumbers: Map<string, number>
  nextNumber: number
  points: number
  lastMs: number | undefined
  prunedMs: number
}

/** The number of a target, a new one for a target not seen before. */
export function targetNumber(state: HistoryState, labels: TargetLabels): number {
  const known = state.targetNumbers.get(labels.instance)
  if (known !== undefined) return known
  const number = state.nextNumber
  state.nextNumber += 1
  state.names.put(`target/${number}`, { labels })
  addTarget(state, number, labels)
  return number
}

function addTarget(state: HistoryState, number: number, labels: Labels): void {
  state.targets.set(number, { labels, runs: [] })
  state.targetNumbers.set(labels.instance ?? '', number)
}

/** Growth as it is stored, the series by its number. */
export function growthRow(
  state: HistoryState,
  target: number,
  { key, labels, requests, sumMs, buckets }: Growth,
): number[] {
  const id = `${target}/${key}`
  let number = state.seriesNumbers.get(id)
  if (number === undefined) {
    number = state.nextNumber
    state.nextNumber += 1
    state.names.put(`series/${number}`, { id, target, labels })
    addSeries(state, number, id, newRequestHistory(target, labels))
  }
  return [number, requests, Math.round(sumMs * 1000) / 1000, ...[...buckets].flat()]
}

function addSeries(state: HistoryState, number: number, id: string, series: RequestHistory): void {
  state.series.set(number, series)
  state.seriesNumbers.set(id, number)
}

/** Carries a scrape over into targets and series. */
export function applyRow(state: HistoryState, row: ScrapeRow, intervalMs: number): void {
  for (const result of ['up', 'down', 'gone'] as const) {
    for (const number of row[result]) {
      const runs = state.targets.get(number)?.runs
      if (runs) addScrape(runs, result, row.t, intervalMs)
    }
  }
  for (const growth of row.growth) addGrowth(state, row.t, growth)
  state.lastMs = row.t
}

function addGrowth(
  state: HistoryState,
  timeMs: number,
  [number = -1, requests = 0, sumMs = 0, ...pairs]: readonly number[],
): void {
  const series = state.series.get(number)
  if (series === undefined) return
  setValue(series.requests, timeMs, latest(series.requests) + requests)
  setValue(series.sumMs, timeMs, latest(series.sumMs) + sumMs)
  for (let at = 0; at < pairs.length; at += 2) {
    const track = bucketTrack(series, pairs[at] ?? 0)
    setValue(track, timeMs, latest(track) + (pairs[at + 1] ?? 0))
  }
  state.points += 2 + pairs.length / 2
}

function bucketTrack(series: RequestHistory, bucket: number): Track {
  const known = series.buckets.get(bucket)
  if (known) return known
  const track = newTrack()
  series.buckets.set(bucket, track)
  return track
}

/** Drops a target and its series, from the storage too. */
export function forgetTarget(state: HistoryState, number: number): void {
  state.targetNumbers.delete(state.targets.get(number)?.labels.instance ?? '')
  state.targets.delete(number)
  state.names.delete(`target/${number}`)
  for (const [id, series] of state.seriesNumbers) {
    if (state.series.get(series)?.target !== number) continue
    state.series.delete(series)
    state.seriesNumbers.delete(id)
    state.names.delete(`series/${series}`)
  }
}

/** What the storage still holds of a cluster's history. */
export function loadHistory(storage: Storage, cluster: string, intervalMs: number): HistoryState {
  const names = storage.table(`world-series-${cluster}`)
  const scrapes = storage.table(`world-scrapes-${cluster}`)
  const state: HistoryState = {
    scrapes,
    names,
    targets: new Map(),
    series: new Map(),
    targetNumbers: new Map(),
    seriesNumbers: new Map(),
    nextNumber: 1,
    points: 0,
    lastMs: undefined,
    prunedMs: 0,
  }
  for (const [key, value] of names.entries('target/')) {
    const number = Number(key.slice('target/'.length))
    addTarget(state, number, (value as { labels: Labels }).labels)
    state.nextNumber = Math.max(state.nextNumber, number + 1)
  }
  for (const [key, value] of names.entries('series/')) {
    const number = Number(key.slice('series/'.length))
    const { id, target, labels } = value as { id: string; target: number; labels: Labels }
    addSeries(state, number, id, newRequestHistory(target, labels))
    state.nextNumber = Math.max(state.nextNumber, number + 1)
  }
  const base = names.get('base') as BaseRow | undefined
  for (const total of base?.totals ?? []) if (total[1]) addGrowth(state, base?.t ?? 0, total)
  const rows = [...scrapes.entries()].map(([, row]) => row as ScrapeRow)
  const kept = rows.filter((row) => row.t > (base?.t ?? Number.NEGATIVE_INFINITY)).sort((a, b) => a.t - b.t)
  for (const row of kept) applyRow(state, row, intervalMs)
  return state
}
