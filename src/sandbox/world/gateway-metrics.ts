import type { ResourceMetrics } from '../emulators/azure-monitor/metrics-batch.ts'
import { labelMatcher } from '../emulators/prometheus/matcher.ts'
import type { SeriesSource } from '../emulators/prometheus/series-source.ts'

const NAMESPACE = 'microsoft.servicenetworking/trafficcontrollers'
const METRIC = 'BackendHTTPResponseStatus'
const DIMENSIONS = ['Microsoft.regionName', 'BackendService', 'HttpResponseCode']
const MINUTE_MS = 60_000
const LOOKBACK_MS = 60_000

/**
 * What an Application Gateway for Containers in front of each cluster would have counted: the resource
 * `…/trafficControllers/CLUSTER`, its backends `namespace/service/version`. `source` holds the series of all clusters.
 */
export function gatewayMetrics(source: SeriesSource, clusters: () => readonly string[]): ResourceMetrics {
  return {
    dimensions: (namespace, metric) =>
      namespace.toLowerCase() === NAMESPACE && metric === METRIC ? DIMENSIONS : undefined,
    totals(resourceId, _metric, fromMs, toMs) {
      const [, cluster] =
        /\/providers\/microsoft\.servicenetworking\/trafficcontrollers\/([^/]+)$/i.exec(resourceId) ?? []
      if (cluster === undefined || !clusters().includes(cluster)) return undefined
      const matchers = [
        labelMatcher('__name__', '=', 'istio_requests_total'),
        labelMatcher('reporter', '=', 'destination'),
        labelMatcher('cluster', '=', cluster),
      ]
      return source.series(matchers, fromMs - LOOKBACK_MS, toMs).flatMap(({ labels, samples }) => {
        const { destination_service_namespace: namespace, destination_service_name: name } = labels
        const dimensions = {
          'Microsoft.regionName': 'westeurope',
          BackendService: `${namespace}/${name}/${labels.destination_version}`,
          HttpResponseCode: labels.response_code ?? '',
        }
        let before = 0
        return samples.flatMap(([timeMs, value]) => {
          if (value === null) return []
          const rise = value >= before ? value - before : value
          before = value
          // A scrape on the minute counts what came before it.
          const minuteMs = Math.floor((timeMs - 1) / MINUTE_MS) * MINUTE_MS
          return timeMs > fromMs && minuteMs >= fromMs ? [{ dimensions, minuteMs, total: rise }] : []
        })
      })
    },
  }
}
