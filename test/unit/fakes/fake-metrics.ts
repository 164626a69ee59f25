import type { ClusterSpec } from '../../../src/model/cluster.ts'
import type { GateSource } from '../../../src/model/metrics.ts'
import type { QueryProblem } from '../../../src/model/query-template.ts'
import type {
  CountsSource,
  GateTiming,
  MetricsSource,
  MetricsSources,
  QuerySource,
  Series,
  ValueSource,
} from '../../../src/ports/metrics.ts'
import type { PortError } from '../../../src/ports/port-error.ts'

export interface Query {
  readonly cluster: string
  readonly selector: string
  readonly fromMs: number
  readonly toMs: number
}

/** Metrics that a test puts in, by cluster: raw samples of counters, as a scraper would have stored them. */
export class FakeMetrics implements MetricsSources {
  readonly queries: Query[] = []
  readonly stored = new Map<string, (Series & { readonly name: string })[]>()
  /** Clusters that name no source. */
  readonly without = new Set<string>()
  /** What every query, or opening, throws. */
  failure: PortError | undefined
  refusal: PortError | undefined
  /** Logs and platform metrics by source and cluster: `logs east`. */
  readonly counting = new Map<string, CountsSource>()
  /** Who answers queries of one's own, by source and cluster: `mesh east`. */
  readonly valued = new Map<string, ValueSource>()
  /** What is wrong with a query's text. */
  readonly problems = new Map<string, QueryProblem>()
  readonly timings: Partial<Record<GateSource, GateTiming>> = {}
  delayMs = 10_000
  everyMs = 5_000

  async open({ name: cluster }: { readonly name: string }): Promise<MetricsSource | undefined> {
    if (this.refusal) throw this.refusal
    if (this.without.has(cluster)) return undefined
    return { samples: (selector, atMs, windowMs) => this.samples(cluster, selector, atMs, windowMs) }
  }

  async openCounts({ name }: { readonly name: string }, from: 'logs' | 'platform'): Promise<CountsSource | undefined> {
    if (this.refusal) throw this.refusal
    return this.counting.get(`${from} ${name}`)
  }

  async openValues({ name }: { readonly name: string }, from: QuerySource): Promise<ValueSource | undefined> {
    if (this.refusal) throw this.refusal
    return this.valued.get(`${from} ${name}`)
  }

  async queryProblem(_from: QuerySource, query: string): Promise<QueryProblem | undefined> {
    return this.problems.get(query)
  }

  timing(_spec: ClusterSpec, from: GateSource = 'mesh'): GateTiming {
    return this.timings[from] ?? { delayMs: this.delayMs, everyMs: this.everyMs }
  }

  /** Puts a series there. */
  put(cluster: string, name: string, labels: Series['labels'], samples: Series['samples']): void {
    this.stored.set(cluster, [...(this.stored.get(cluster) ?? []), { name, labels, samples }])
  }

  private async samples(cluster: string, selector: string, atMs: number, windowMs: number): Promise<readonly Series[]> {
    this.queries.push({ cluster, selector, fromMs: atMs - windowMs, toMs: atMs })
    if (this.failure) throw this.failure
    const [, name = '', matchers = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(selector) ?? []
    const wanted = [...matchers.matchAll(/(\w+)(!?=~?)"([^"]*)"/g)]
    const passes = (labels: Series['labels']) =>
      wanted.every(([, label = '', operator = '', value = '']) => {
        const has = labels[label] ?? ''
        return (
          (operator.endsWith('~') ? new RegExp(`^(?:${value})$`).test(has) : has === value) !== operator.startsWith('!')
        )
      })
    return (this.stored.get(cluster) ?? [])
      .filter((series) => series.name === name && passes(series.labels))
      .map(({ labels, samples }) => ({
        labels,
        samples: samples.filter(([time]) => time > atMs - windowMs && time <= atMs),
      }))
      .filter(({ samples }) => samples.length > 0)
  }
}

export interface Requests {
  readonly cluster: string
  readonly version: string
  /** `200` when left out. */
  readonly code?: string
  /** Epoch milliseconds of the first and the last scrape. */
  readonly fromMs: number
  readonly toMs: number
  readonly everyMs: number
  /** Requests between two scrapes. */
  readonly each: number
  /** What the counter shows at the first scrape. */
  readonly base?: number
}

const SERVICE = {
  reporter: 'destination',
  destination_service_namespace: 'shop',
  destination_service_name: 'web',
}

/** Requests to shop/web as Istio counts them, scraped at even times. */
export function putRequests(metrics: FakeMetrics, requests: Requests): void {
  const { cluster, version, code = '200' } = requests
  const labels = { ...SERVICE, destination_version: version, response_code: code, job: 'pods', instance: version }
  metrics.put(cluster, 'istio_requests_total', labels, rising(requests))
}

/** A latency histogram of shop/web: `each` requests between two scrapes, those up to each edge as `within` says. */
export function putLatencies(metrics: FakeMetrics, requests: Requests, within: Readonly<Record<string, number>>): void {
  const { cluster, version } = requests
  for (const [le, each] of Object.entries({ ...within, '+Inf': requests.each })) {
    const labels = { ...SERVICE, destination_version: version, le, job: 'pods', instance: version }
    metrics.put(cluster, 'istio_request_duration_milliseconds_bucket', labels, rising({ ...requests, each }))
  }
}

function rising({ fromMs, toMs, everyMs, each, base = 0 }: Requests): Series['samples'] {
  const count = Math.floor((toMs - fromMs) / everyMs) + 1
  return Array.from({ length: count }, (_, index) => [fromMs + index * everyMs, base + index * each] as const)
}
