import { labelMatcher } from '../emulators/prometheus/matcher.ts'
import type { Series, SeriesSource } from '../emulators/prometheus/series-source.ts'
import type { ServiceRef } from './world-spec.ts'

/** Scraped requests of one version in a span of time. */
export interface ObservedVersion {
  readonly requests: number
  /** Those of them that failed. */
  readonly errors: number
}

/** A counter that was not scraped for longer than this before a span counts from zero in it. */
const LOOKBACK_MS = 300_000

/** What was scraped in (fromMs, toMs] of a service's requests, by version; `unknown` are those that no pod took. */
export function observedTraffic(
  source: SeriesSource,
  ref: ServiceRef,
  [fromMs, toMs]: readonly [number, number],
): Record<string, ObservedVersion> {
  const matchers = [
    labelMatcher('__name__', '=', 'istio_requests_total'),
    labelMatcher('destination_service_namespace', '=', ref.namespace),
    labelMatcher('destination_service_name', '=', ref.service),
  ]
  const observed: Record<string, ObservedVersion> = {}
  for (const { labels, samples } of source.series(matchers, fromMs - LOOKBACK_MS, toMs)) {
    const version = labels.destination_version ?? 'unknown'
    const seenBySource = labels.reporter === 'source'
    if (seenBySource !== (version === 'unknown')) continue
    const grown = valueAt(samples, toMs) - valueAt(samples, fromMs)
    const failed = labels.response_code?.startsWith('5') || Number(labels.grpc_response_status ?? 0) > 0
    const before = observed[version] ?? { requests: 0, errors: 0 }
    observed[version] = { requests: before.requests + grown, errors: before.errors + (failed ? grown : 0) }
  }
  return observed
}

function valueAt(samples: Series['samples'], timeMs: number): number {
  return samples.findLast((sample) => sample[0] <= timeMs && sample[1] !== null)?.[1] ?? 0
}
