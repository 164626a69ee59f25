import { type Labels, passesAll, type Sample, type Series, type SeriesSource } from '../prometheus/series-source.ts'
import type { LinkerdPoint } from './state.ts'

const SCRAPE_MS = 5000
const CONTROLLER = { job: 'linkerd-controller', namespace: 'linkerd', component: 'identity', container: 'identity' }
const PROXY = { job: 'linkerd-proxy', error: 'i/o', target_ip: '0.0.0.0' }

/** The series of identity controllers, and of handshakes that failed, scraped every five seconds. `points` are in the order of time. */
export function linkerdSeries(points: () => readonly LinkerdPoint[], now: () => number): SeriesSource {
  return {
    series(matchers, fromMs, toMs) {
      const all = points()
      const end = Math.min(toMs, now())
      const make = (
        labels: Labels,
        valueAt: (point: LinkerdPoint, at: number) => number | undefined,
      ): readonly Series[] => {
        if (!passesAll(matchers, labels)) return []
        const samples: Sample[] = []
        for (let at = Math.ceil(fromMs / SCRAPE_MS) * SCRAPE_MS; at <= end; at += SCRAPE_MS) {
          const point = all.findLast((one) => one.at <= at)
          const value = point && valueAt(point, at)
          if (value !== undefined) samples.push([at, value])
        }
        return samples.length === 0 ? [] : [{ labels, samples }]
      }
      const pods = [...new Set(all.flatMap(({ issuers }) => Object.keys(issuers)))]
      return [
        ...pods.flatMap((pod) =>
          make({ __name__: 'issuer_cert_ttl_seconds', ...CONTROLLER, pod }, ({ issuers }, at) => {
            const end = issuers[pod]
            return end === undefined ? undefined : (end - at) / 1000
          }),
        ),
        ...make({ __name__: 'inbound_tcp_errors_total', ...PROXY }, ({ failures }) => failures || undefined),
      ]
    },
  }
}
