import { type Labels, passesAll, type Sample, type Series, type SeriesSource } from '../prometheus/series-source.ts'

/** What istiod and the proxies reported from a time on, until the next one. Times in epoch milliseconds. */
export interface CitadelPoint {
  readonly at: number
  readonly chainNotAfter: number
  readonly rootNotAfter: number
  /** Connections that failed so far. */
  readonly failures: number
}

const SCRAPE_MS = 5000
const ISTIOD = { job: 'istiod', namespace: 'aks-istio-system', app: 'istiod' }
const PROXY = { job: 'envoy-stats', reporter: 'source', response_flags: 'UF', response_code: '0' }

/** The series of istiod's CA, and of connections that failed, scraped every five seconds. `points` are in the order of time. */
export function citadelSeries(points: () => readonly CitadelPoint[], now: () => number): SeriesSource {
  return {
    series(matchers, fromMs, toMs) {
      const all = points()
      const end = Math.min(toMs, now())
      const make = (labels: Labels, valueAt: (point: CitadelPoint) => number | undefined): readonly Series[] => {
        if (!passesAll(matchers, labels)) return []
        const samples: Sample[] = []
        for (let at = Math.ceil(fromMs / SCRAPE_MS) * SCRAPE_MS; at <= end; at += SCRAPE_MS) {
          const point = all.findLast((one) => one.at <= at)
          const value = point && valueAt(point)
          if (value !== undefined) samples.push([at, value])
        }
        return samples.length === 0 ? [] : [{ labels, samples }]
      }
      return [
        ...make(
          { __name__: 'citadel_server_cert_chain_expiry_timestamp', ...ISTIOD },
          (one) => one.chainNotAfter / 1000,
        ),
        ...make({ __name__: 'citadel_server_root_cert_expiry_timestamp', ...ISTIOD }, (one) => one.rootNotAfter / 1000),
        ...make({ __name__: 'istio_requests_total', ...PROXY }, ({ failures }) => failures || undefined),
      ]
    },
  }
}
