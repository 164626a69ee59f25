import type { Counts } from '../model/rollout.ts'
import type { SeriesIncrease } from './count-increase.ts'

/** Counts by the value of the version label. Versions without any series are absent. */
export type CountsByVersion = ReadonlyMap<string, Counts>

/**
 * gRPC statuses that say the server failed: those that OpenTelemetry calls errors of a server span, which are also
 * those that Google's mapping gives a 5xx. The others are the caller's doing, as 4xx are: CANCELLED,
 * INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED (429: a quota),
 * FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNAUTHENTICATED.
 */
const FAILING_GRPC_STATUSES: ReadonlyMap<number, string> = new Map([
  [2, 'UNKNOWN'],
  [4, 'DEADLINE_EXCEEDED'],
  [12, 'UNIMPLEMENTED'],
  [13, 'INTERNAL'],
  [14, 'UNAVAILABLE'],
  [15, 'DATA_LOSS'],
])

/** The last status that gRPC defines (UNAUTHENTICATED); the protocol has clients read any later one as UNKNOWN. */
const LAST_GRPC_STATUS = 16

/**
 * Counts requests by version, good and bad, from the increases of a request counter with Istio's labels
 * `response_code` and `grpc_response_status`. Bad is a 5xx or a failing gRPC status (a gRPC failure mostly comes with
 * HTTP 200). A `response_code` of 0, where the caller went away before the answer, is not bad. `failed` says it for a mesh
 * with other labels.
 */
export function countRequests(
  increases: readonly SeriesIncrease[],
  versionLabel = 'destination_version',
  failed = ({ response_code = '', grpc_response_status = '' }: SeriesIncrease['labels']) =>
    isFailed(response_code, grpc_response_status),
): CountsByVersion {
  const byVersion = new Map<string, Counts>()
  for (const { labels, increase } of increases) {
    const bad = failed(labels)
    add(byVersion, versionOf(labels, versionLabel), bad ? { good: 0, bad: increase } : { good: increase, bad: 0 })
  }
  return byVersion
}

/** Whether a request failed on the server's side, by its HTTP code and its gRPC status ("" when it is no gRPC). */
export function isFailed(responseCode: string, grpcStatus: string): boolean {
  if (/^5\d\d$/.test(responseCode)) return true
  if (!/^\d+$/.test(grpcStatus)) return false
  const status = Number(grpcStatus)
  return FAILING_GRPC_STATUSES.has(status) || status > LAST_GRPC_STATUS
}

/**
 * Counts of slow requests, or that the histogram has no such edge, with the edges next to it (below and above; two of
 * one side at an end).
 */
export type SlowCounts =
  | { readonly ok: true; readonly byVersion: CountsByVersion }
  | {
      readonly ok: false
      readonly reason: 'NoSuchEdge'
      readonly edgeMs: number
      readonly nearestMs: readonly number[]
    }

/**
 * Counts requests by version that took at most `edgeMs` (good) and longer (bad), from the increases of a cumulative
 * histogram in milliseconds (label `le`). The edge must be one of the histogram's own, compared as a number, so that
 * nothing is guessed between edges. Every histogram that saw requests must have it. No requests: an empty map.
 */
export function countSlow(
  buckets: readonly SeriesIncrease[],
  edgeMs: number,
  versionLabel = 'destination_version',
): SlowCounts {
  const byVersion = new Map<string, Counts>()
  for (const { labels, increases } of histograms(buckets)) {
    const total = increases.get(Number.POSITIVE_INFINITY) ?? 0
    const good = increases.get(edgeMs)
    if (good === undefined && total > 0) {
      return { ok: false, reason: 'NoSuchEdge', edgeMs, nearestMs: nearestEdges([...increases.keys()], edgeMs) }
    }
    // A restart can show on one bucket and not on another; a rest below zero would be nonsense.
    const bad = Math.max(0, total - (good ?? 0))
    add(byVersion, versionOf(labels, versionLabel), { good: total - bad, bad })
  }
  return { ok: true, byVersion }
}

interface Histogram {
  readonly labels: SeriesIncrease['labels']
  /** Increase by edge, in milliseconds; the last is +Infinity. */
  readonly increases: Map<number, number>
}

/** Puts the buckets of each histogram together: the series that differ in `le` alone. */
function histograms(buckets: readonly SeriesIncrease[]): Iterable<Histogram> {
  const found = new Map<string, Histogram>()
  for (const { labels, increase } of buckets) {
    const { le = '', ...rest } = labels
    const edge = edgeOf(le)
    const key = JSON.stringify(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)))
    const histogram = found.get(key) ?? { labels: rest, increases: new Map<number, number>() }
    histogram.increases.set(edge, (histogram.increases.get(edge) ?? 0) + increase)
    found.set(key, histogram)
  }
  return found.values()
}

/** The value of a bucket's label `le` as a number; `+Inf` is infinity. */
export function edgeOf(le: string): number {
  return /^\+?inf$/i.test(le) ? Number.POSITIVE_INFINITY : Number.parseFloat(le)
}

/** The two finite edges next to `edgeMs`: below and above, or two of one side at an end. */
export function nearestEdges(edges: readonly number[], edgeMs: number): number[] {
  const finite = edges.filter((edge) => Number.isFinite(edge)).sort((a, b) => a - b)
  const above = finite.findIndex((edge) => edge > edgeMs)
  const start = above < 0 ? finite.length - 2 : above - 1
  return finite.slice(Math.max(0, start), Math.max(0, start) + 2)
}

/** Istio calls a version that it cannot tell `unknown`; so do we. */
function versionOf(labels: SeriesIncrease['labels'], versionLabel: string): string {
  return labels[versionLabel] || 'unknown'
}

function add(byVersion: Map<string, Counts>, version: string, { good, bad }: Counts): void {
  const before = byVersion.get(version) ?? { good: 0, bad: 0 }
  byVersion.set(version, { good: before.good + good, bad: before.bad + bad })
}
