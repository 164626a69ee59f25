import type { Instant } from './operators.ts'
import { labelsKey, withoutName } from './vectors.ts'

interface Bucket {
  readonly edge: number
  readonly count: number
}

/**
 * `histogram_quantile()` over classic buckets as Prometheus computes it (promql/quantile.go, bucketQuantile): linear within
 * the bucket that holds the rank, the last finite edge for what is beyond it, NaN without observations.
 */
export function histogramQuantile(rank: number, buckets: readonly Instant[]): Instant[] {
  const histograms = new Map<string, { labels: Instant['labels']; buckets: Bucket[] }>()
  for (const { labels, value } of buckets) {
    const { le, ...rest } = withoutName(labels)
    const edge = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le ?? Number.NaN)
    if (Number.isNaN(edge)) continue
    const key = labelsKey(rest)
    const histogram = histograms.get(key) ?? { labels: rest, buckets: [] }
    histogram.buckets.push({ edge, count: value })
    histograms.set(key, histogram)
  }
  return [...histograms.values()].map(({ labels, buckets }) => ({ labels, value: quantileOf(rank, buckets) }))
}

function quantileOf(rank: number, unsorted: readonly Bucket[]): number {
  const buckets = [...unsorted].sort((a, b) => a.edge - b.edge)
  const last = buckets.at(-1)
  if (Number.isNaN(rank) || last?.edge !== Number.POSITIVE_INFINITY || buckets.length < 2) return Number.NaN
  if (rank < 0) return Number.NEGATIVE_INFINITY
  if (rank > 1) return Number.POSITIVE_INFINITY
  if (last.count === 0 || Number.isNaN(last.count)) return Number.NaN
  const wanted = rank * last.count
  const at = buckets.findIndex(({ count }, index) => count >= wanted || index === buckets.length - 1)
  const [before, bucket] = [buckets[at - 1], buckets[at] ?? last]
  if (at === buckets.length - 1) return before?.edge ?? Number.NaN
  if (before === undefined && bucket.edge <= 0) return bucket.edge
  const [start, below] = [before?.edge ?? 0, before?.count ?? 0]
  return start + (bucket.edge - start) * ((wanted - below) / (bucket.count - below))
}
