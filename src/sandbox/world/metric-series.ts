import {
  type LabelMatcher,
  type Labels,
  passesAll,
  type Sample,
  type Series,
} from '../emulators/prometheus/series-source.ts'
import { BUCKET_EDGES_MS } from './latency.ts'
import { type ScrapeRun, scrapesIn } from './scrape-runs.ts'
import { newTrack, type Track, valueAt } from './track.ts'

/** A pod as Prometheus sees it, with what its scrapes came to. */
export interface TargetHistory {
  readonly labels: Labels
  readonly runs: ScrapeRun[]
}

/** What one pod reported about requests of one kind: a counter and a histogram. */
export interface RequestHistory {
  readonly target: number
  /** Without the name. */
  readonly labels: Labels
  readonly requests: Track
  readonly sumMs: Track
  /** By index of the upper edge, each bucket by itself; only those that were hit. */
  readonly buckets: Map<number, Track>
}

export function newRequestHistory(target: number, labels: Labels): RequestHistory {
  return { target, labels, requests: newTrack(), sumMs: newTrack(), buckets: new Map() }
}

/** The `up` series of a target. */
export function upSeries(target: TargetHistory, matchers: readonly LabelMatcher[], from: number, to: number): Series[] {
  const labels = { __name__: 'up', ...target.labels }
  if (!passesAll(matchers, labels)) return []
  const samples: Sample[] = []
  for (const [timeMs, state] of scrapesIn(target.runs, from, to)) {
    samples.push([timeMs, state === 'gone' ? null : state === 'up' ? 1 : 0])
  }
  return [{ labels, samples }]
}

const DURATION = 'istio_request_duration_milliseconds'
const EDGES = [...BUCKET_EDGES_MS.map(String), '+Inf']

/** The series that Istio's proxy reports for one kind of request, those that pass the matchers. */
export function requestSeries(
  history: RequestHistory,
  target: TargetHistory,
  matchers: readonly LabelMatcher[],
  [from, to]: readonly [number, number],
): Series[] {
  const common = { ...target.labels, ...history.labels }
  const found: Series[] = []
  const add = (name: string, extra: Labels, tracks: readonly Track[]) => {
    const labels = { __name__: name, ...common, ...extra }
    if (passesAll(matchers, labels)) found.push({ labels, samples: samplesOf(history, target, tracks, [from, to]) })
  }
  const wanted = (name: string) => matchers.every(({ label, passes }) => label !== '__name__' || passes(name))
  if (wanted('istio_requests_total')) add('istio_requests_total', {}, [history.requests])
  if (wanted(`${DURATION}_sum`)) add(`${DURATION}_sum`, {}, [history.sumMs])
  if (wanted(`${DURATION}_count`)) add(`${DURATION}_count`, {}, [history.requests])
  if (!wanted(`${DURATION}_bucket`)) return found
  for (const [index, le] of EDGES.entries()) {
    const upTo = [...history.buckets].filter(([bucket]) => bucket <= index).map(([, track]) => track)
    add(`${DURATION}_bucket`, { le }, upTo)
  }
  return found
}

/** Sums of tracks at the scrapes of a window, from the series' first value on; a failed scrape ends it. */
function samplesOf(
  history: RequestHistory,
  target: TargetHistory,
  tracks: readonly Track[],
  [from, to]: readonly [number, number],
): Sample[] {
  const begin = Math.max(from, history.requests.times[0] ?? Number.POSITIVE_INFINITY)
  const samples: Sample[] = []
  for (const [timeMs, state, first] of scrapesIn(target.runs, begin, to)) {
    if (state === 'up') samples.push([timeMs, tracks.reduce((sum, track) => sum + valueAt(track, timeMs), 0)])
    else if (first) samples.push([timeMs, null])
  }
  return samples
}
