/**
 * Gauges of istiod (`security/pkg/server/ca/monitoring.go`). Those that end in `timestamp` give the end in epoch seconds,
 * those that end in `seconds` what is left until then. Of several roots, the first is meant.
 */
export const CHAIN_ENDS = ['citadel_server_cert_chain_expiry_timestamp', 'citadel_server_cert_chain_expiry_seconds']
export const ROOT_ENDS = ['citadel_server_root_cert_expiry_timestamp', 'citadel_server_root_cert_expiry_seconds']

/** One series of a gauge, its samples in the order of time. */
interface Gauge {
  readonly samples: readonly (readonly [timeMs: number, value: number])[]
}

/** A replica that has not been scraped for so long is gone. */
const GONE_MS = 150_000

/** The ends that replicas of istiod tell, in epoch milliseconds, each once. `name` is one of the above. */
export function endsOf(name: string, series: readonly Gauge[]): readonly number[] {
  const last = series.map(({ samples }) => samples.at(-1)).filter((sample) => sample !== undefined)
  const newest = Math.max(...last.map(([timeMs]) => timeMs))
  const ends = last
    .filter(([timeMs, value]) => newest - timeMs <= GONE_MS && Number.isFinite(value))
    .map(([timeMs, value]) => {
      const endMs = name.endsWith('_timestamp') ? value * 1000 : timeMs + value * 1000
      return Math.round(endMs / 1000) * 1000
    })
  return [...new Set(ends)].sort((a, b) => a - b)
}

/**
 * Requests and connections that a caller's proxy could not make a connection for (`UF`, Envoy's upstream connection failure:
 * a handshake that fails is one). Istio's access log tells of more; its metrics do not.
 */
export const FAILED_CONNECTIONS = [
  'istio_requests_total{reporter="source",response_flags=~".*UF.*"}',
  'istio_tcp_connections_opened_total{reporter="source",response_flags=~".*UF.*"}',
]

/** How much counters rose after `fromMs`, up to and with `toMs`. A counter that was not there before counts from nothing. */
export function riseOf(series: readonly Gauge[], fromMs: number, toMs: number): number {
  return series.reduce((sum, { samples }) => {
    let before: number | undefined
    let risen = 0
    for (const [timeMs, value] of samples) {
      if (timeMs > toMs) break
      if (timeMs > fromMs) risen += before === undefined || value < before ? value : value - before
      before = value
    }
    return sum + risen
  }, 0)
}
