import type { CountedRow } from '../emulators/azure-monitor/kql/run.ts'
import { labelMatcher } from '../emulators/prometheus/matcher.ts'
import type { Labels, Sample, SeriesSource } from '../emulators/prometheus/series-source.ts'

/** Samples from before a window tell what a counter had then. */
const LOOKBACK_MS = 60_000
const BUCKETS = [
  labelMatcher('__name__', '=', 'istio_request_duration_milliseconds_bucket'),
  labelMatcher('reporter', '=', 'destination'),
]

/**
 * The requests of (fromMs, toMs] as their services would have logged them, in the columns of AppRequests. The world keeps
 * counts by scrape, so a row stands for the requests of one scrape that ended alike in one latency bucket; their duration
 * is the middle of the bucket.
 */
export function requestRows(source: SeriesSource, fromMs: number, toMs: number): readonly CountedRow[] {
  const histograms = new Map<string, { labels: Labels; buckets: Map<number, readonly Sample[]> }>()
  for (const { labels, samples } of source.series(BUCKETS, fromMs - LOOKBACK_MS, toMs)) {
    const { le = '', ...rest } = labels
    const key = JSON.stringify(rest)
    const histogram = histograms.get(key) ?? { labels: rest, buckets: new Map() }
    histograms.set(key, histogram)
    histogram.buckets.set(le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), samples)
  }
  return [...histograms.values()].flatMap(({ labels, buckets }) => {
    const edges = [...buckets.keys()].sort((a, b) => a - b)
    const rises = edges.map((edge) => risesOf(buckets.get(edge) ?? [], fromMs))
    return edges.flatMap((edge, index) => {
      const below = rises[index - 1]
      const durationMs = middleOf(edges[index - 1] ?? 0, edge)
      return [...(rises[index] ?? [])].flatMap(([timeMs, rise]) => {
        const count = rise - (below?.get(timeMs) ?? 0)
        return count > 0 ? [{ row: rowOf(labels, timeMs, durationMs), count }] : []
      })
    })
  })
}

/** By how much a counter rose at each scrape after a time. A series that begins has risen from zero. */
function risesOf(samples: readonly Sample[], fromMs: number): ReadonlyMap<number, number> {
  const rises = new Map<number, number>()
  let before = 0
  for (const [timeMs, value] of samples) {
    if (value === null) continue
    if (timeMs > fromMs) rises.set(timeMs, value >= before ? value - before : value)
    before = value
  }
  return rises
}

function middleOf(below: number, edge: number): number {
  return Number.isFinite(edge) ? (below + edge) / 2 : below * 2
}

function rowOf(labels: Labels, timeMs: number, durationMs: number): CountedRow['row'] {
  const code = labels.grpc_response_status ?? labels.response_code ?? ''
  const failed = labels.grpc_response_status === undefined ? Number(code) >= 500 : code !== '0'
  return {
    TimeGenerated: new Date(timeMs),
    AppRoleName: labels.destination_service_name ?? '',
    AppVersion: labels.destination_version ?? '',
    ResultCode: code,
    Success: !failed,
    DurationMs: durationMs,
    Properties: {
      'k8s.cluster.name': labels.cluster ?? '',
      'k8s.namespace.name': labels.destination_service_namespace ?? '',
      'k8s.deployment.name': labels.destination_workload ?? '',
    },
  }
}
