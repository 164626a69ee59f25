import type { CountQuery } from '../provider.ts'

interface ServiceName {
  readonly namespace: string
  readonly name: string
}

/** Requests as the servers' sidecars counted them (Istio standard metrics), by `response_code` and version. */
export function requestCounts(service: ServiceName): CountQuery {
  return { selector: `istio_requests_total${matchers(service)}`, versionLabel: 'destination_version' }
}

/** Requests by duration, cumulative over the edges in label `le` (milliseconds). */
export function latencyCounts(service: ServiceName): CountQuery {
  return {
    selector: `istio_request_duration_milliseconds_bucket${matchers(service)}`,
    versionLabel: 'destination_version',
  }
}

/**
 * Requests that came without the mesh's mutual TLS: their callers have no sidecar. Series without the label, as a source
 * that drops it keeps them, tell nothing and are left out.
 */
export function outsideCounts(service: ServiceName): CountQuery {
  const policy = ['!="mutual_tls"', '!=""'].map((matches) => `connection_security_policy${matches}`)
  return { selector: `istio_requests_total${matchers(service, policy)}`, versionLabel: 'destination_version' }
}

/** What every sidecar that answered a request shows. */
export const ANY_REQUESTS = 'istio_requests_total{reporter="destination"}'

/** Upper edges of istio_request_duration_milliseconds: those that Envoy has by default, +Inf left out. */
export const LATENCY_EDGES_MS: readonly number[] = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
]

function matchers({ namespace, name }: ServiceName, more: readonly string[] = []): string {
  const pairs = [
    ['reporter', 'destination'],
    ['destination_service_namespace', namespace],
    ['destination_service_name', name],
  ] as const
  return `{${[...pairs.map(([label, value]) => `${label}="${escaped(value)}"`), ...more].join(',')}}`
}

/** A value inside a double-quoted PromQL string. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
