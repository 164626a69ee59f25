import { beforeAll, describe, expect, it } from 'vitest'
import { metricsSources } from '../../../src/adapters/metrics-sources.ts'
import { promqlProblem } from '../../../src/adapters/promql.ts'
import { READY_GATES, readyQueries, withReadyQueries } from '../../../src/mesh/ready-gates.ts'
import { PROVIDERS } from '../../../src/model/cluster.ts'
import { type CountsGate, gateSpec } from '../../../src/model/gate.ts'
import type { ValueSource } from '../../../src/ports/metrics.ts'
import { queryProblems } from '../../../src/ports/query-problems.ts'
import { countByQueries } from '../../../src/rollouts/ask-queries.ts'
import { managedPrometheusEmulator } from '../../../src/sandbox/emulators/azure-monitor/managed-prometheus.ts'
import {
  fixedSeries,
  type Labels,
  type Series,
  type SeriesSource,
} from '../../../src/sandbox/emulators/prometheus/series-source.ts'
import { azureOn, clusterOn } from '../../contract/azure-monitor/azure.ts'

/** Labels as each mesh writes them for requests to version v2 of shop/web, and those that went wrong. */
interface Kept {
  readonly metric: string
  readonly labels: Labels
  readonly good: Labels
  readonly bad: Labels
}

const ISTIO = { destination_service_namespace: 'shop', destination_service_name: 'web', destination_version: 'v2' }
const GATEWAY = {
  reporter: 'source',
  source_workload: 'public-istio',
  destination_service_namespace: 'shop',
  destination_service_name: 'web-v2',
}
const LINKERD = { direction: 'inbound', namespace: 'shop', deployment: 'web-v2' }
const LINKERD_ROUTE = {
  parent_kind: 'Service',
  parent_namespace: 'shop',
  parent_name: 'web',
  backend_kind: 'Service',
  backend_namespace: 'shop',
  backend_name: 'web-v2',
}
const CONSUL = { consul_destination_service: 'web', consul_destination_service_subset: 'v2', local_cluster: 'cart' }
const CONSUL_SERVER = {
  local_cluster: 'web',
  envoy_http_conn_manager_prefix: 'public_listener',
  pod: 'web-v2-6d4f7c9b8-abcde',
}
const OSM = { destination_namespace: 'shop', destination_name: 'web_v2', source_name: 'cart' }
const NGINX = { namespace: 'shop', ingress: 'web', service: 'web-v2', canary: 'web-v2' }

const ERRORS: Readonly<Record<string, Kept>> = {
  'istio-errors': {
    metric: 'istio_requests_total',
    labels: { ...ISTIO, reporter: 'destination' },
    good: { response_code: '200' },
    bad: { response_code: '503' },
  },
  'istio-grpc-errors': {
    metric: 'istio_requests_total',
    labels: { ...ISTIO, reporter: 'destination', request_protocol: 'grpc', response_code: '200' },
    good: { grpc_response_status: '5' },
    bad: { grpc_response_status: '14' },
  },
  'linkerd-errors': {
    metric: 'response_total',
    labels: LINKERD,
    good: { classification: 'success' },
    bad: { classification: 'failure' },
  },
  'linkerd-route-errors': {
    metric: 'outbound_http_route_backend_response_statuses_total',
    labels: LINKERD_ROUTE,
    good: { http_status: '404', error: '' },
    bad: { http_status: '', error: 'REQUEST_TIMEOUT' },
  },
  'consul-errors': {
    metric: 'envoy_cluster_upstream_rq_xx',
    labels: CONSUL,
    good: { envoy_response_code_class: '2' },
    bad: { envoy_response_code_class: '5' },
  },
  'consul-server-errors': {
    metric: 'envoy_http_downstream_rq_xx',
    labels: CONSUL_SERVER,
    good: { envoy_response_code_class: '4' },
    bad: { envoy_response_code_class: '5' },
  },
  'osm-errors': {
    metric: 'osm_request_total',
    labels: OSM,
    good: { response_code: '200' },
    bad: { response_code: '500' },
  },
  'gateway-istio-errors': {
    metric: 'istio_requests_total',
    labels: GATEWAY,
    good: { response_code: '200' },
    bad: { response_code: '503', response_flags: 'UF' },
  },
  'nginx-errors': {
    metric: 'nginx_ingress_controller_requests',
    labels: NGINX,
    good: { status: '302' },
    bad: { status: '502' },
  },
}

const LATENCY: Readonly<Record<string, { metric: string; labels: Labels; edge: string; overMs: number }>> = {
  'istio-latency': {
    metric: 'istio_request_duration_milliseconds_bucket',
    labels: { ...ISTIO, reporter: 'destination' },
    edge: '500',
    overMs: 500,
  },
  'linkerd-latency': { metric: 'response_latency_ms_bucket', labels: LINKERD, edge: '300.0', overMs: 300 },
  'consul-latency': { metric: 'envoy_cluster_upstream_rq_time_bucket', labels: CONSUL, edge: '0.5', overMs: 0.5 },
  'consul-server-latency': {
    metric: 'envoy_http_downstream_rq_time_bucket',
    labels: CONSUL_SERVER,
    edge: '500',
    overMs: 500,
  },
  'osm-latency': { metric: 'osm_request_duration_ms_bucket', labels: OSM, edge: '250', overMs: 250 },
  'gateway-istio-latency': {
    metric: 'istio_request_duration_milliseconds_bucket',
    labels: GATEWAY,
    edge: '1000',
    overMs: 1000,
  },
  'nginx-latency': {
    metric: 'nginx_ingress_controller_request_duration_seconds_bucket',
    labels: NGINX,
    edge: '0.25',
    overMs: 250,
  },
}

const END = 1_900_000_000_000
const WINDOW = { fromMs: END - 60_000, toMs: END, nowMs: END, notBeforeMs: 0 }

/** A counter that rises by `each` between scrapes, 15 s apart and one of them at the window's end. */
function rising(metric: string, labels: Labels, each: number): Series {
  const samples = Array.from({ length: 41 }, (_, n) => [END - (40 - n) * 15_000, n * each] as const)
  return { labels: { ...labels, __name__: metric, cluster: 'east' }, samples }
}

/** Requests of every other version, service, namespace and cluster, that no gate on v2 of shop/web may count. */
function others({ labels }: Series): readonly Series[] {
  const swap = (from: string, to: string) =>
    Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, value.replace(from, to)]))
  const kept = ['v2', 'web'].map((part) => swap(part, 'other'))
  return [...kept, { ...labels, cluster: 'west' }].map((changed) => ({
    labels: changed,
    samples: rising('', {}, 1000).samples,
  }))
}

let series: readonly Series[]
let source: ValueSource

// Managed Prometheus is the stricter one.
beforeAll(async () => {
  const kept: SeriesSource = {
    series: (...asked) => fixedSeries([...series, ...series.flatMap(others)]).series(...asked),
  }
  const { azure } = await azureOn((checkToken) =>
    managedPrometheusEmulator({ source: kept, now: () => END, checkToken }),
  )
  const endpoint = 'https://shop-1a2b.westeurope.prometheus.monitor.azure.com'
  source = await clusterOn(azure, { azureMonitor: { endpoint } })
})

/** What a gate counts where the mesh keeps these series. */
async function count(gate: CountsGate, kept: readonly Series[]) {
  series = kept
  const service = { namespace: 'shop', name: 'web' }
  const asked = { source, service, cluster: 'east', versions: { next: 'v2' }, stable: 'v1' }
  const counts = await countByQueries(asked, gate, WINDOW)
  if (!counts.ok) throw new Error(counts.why)
  const { good = 0, bad = 0 } = counts.byVersion.next ?? {}
  // Three of four intervals lie whole in the window: what is counted is stretched by a third.
  return { good: Math.round(good), bad: Math.round(bad) }
}

function ready(use: string, more: Partial<CountsGate> = {}): CountsGate {
  const gate = withReadyQueries({ kind: 'counts', limitPercent: 1, use, ...more })
  if ('field' in gate) throw new Error(gate.reason)
  return gate
}

describe('ready-made gates', () => {
  it('are there for every mesh, errors and latency', () => {
    const kinds = Object.values(READY_GATES).map(({ provider, kind }) => `${provider} ${kind}`)
    expect([...new Set(kinds)].sort()).toEqual(
      PROVIDERS.flatMap((name) => [`${name} errors`, `${name} latency`]).sort(),
    )
    expect(Object.keys(READY_GATES).sort()).toEqual([...Object.keys(ERRORS), ...Object.keys(LATENCY)].sort())
  })

  it.each(Object.keys(ERRORS))('%s counts what failed, of the version alone', async (use) => {
    const { metric, labels, good, bad } = ERRORS[use] as Kept
    const well = rising(metric, { ...labels, ...good }, 90)
    const wrong = rising(metric, { ...labels, ...bad }, 10)
    expect(await count(ready(use), [well, wrong])).toEqual({ good: 360, bad: 40 })
    // Nothing failed yet: there is no series of failures at all.
    expect(await count(ready(use), [well])).toEqual({ good: 360, bad: 0 })
  })

  it.each(Object.keys(LATENCY))('%s counts what was slower than an edge', async (use) => {
    const { metric, labels, edge, overMs } = LATENCY[use] as (typeof LATENCY)[string]
    const [within, all] = [rising(metric, { ...labels, le: edge }, 90), rising(metric, { ...labels, le: '+Inf' }, 100)]
    expect(await count(ready(use, { overMs }), [within, all])).toEqual({ good: 360, bad: 40 })
    await expect(count(ready(use, { overMs }), [all])).rejects.toThrow('good gives nothing where all gives')
  })

  it.each(Object.keys(READY_GATES))(
    '%s has queries that parse, and are bound to the version and the window',
    async (use) => {
      const [gate] = [{ kind: 'counts', limitPercent: 1, name: use, ...readyQueries(READY_GATES[use] as never) }]
      const spec = gateSpec.parse(gate)
      const metrics = metricsSources({ azure: {} as never, addresses: { refusal: async () => undefined } }, {} as never)
      expect(await queryProblems(metrics, [spec])).toEqual([])
      expect(await promqlProblem('x{')).toBeDefined()
    },
  )

  it('take their name from what they use, and a name of one’s own before it', () => {
    expect(ready('linkerd-errors')).toMatchObject({ name: 'linkerd-errors', limitPercent: 1 })
    expect(ready('linkerd-errors')).not.toHaveProperty('use')
    expect(ready('linkerd-errors', { name: 'ours', every: '30s' })).toMatchObject({ name: 'ours', every: '30s' })
    expect(ready('linkerd-latency', { overMs: 300 })).not.toHaveProperty('overMs')
  })

  it.each([
    [{ use: 'nothing' }, 'use', 'must be one of istio-errors'],
    [{ use: 'toString' }, 'use', 'must be one of'],
    [{ use: 'linkerd-latency' }, 'overMs', 'is required'],
    [{ use: 'linkerd-errors', overMs: 5 }, 'overMs', 'is for latency gates'],
    [{ use: 'istio-latency', overMs: 300 }, 'overMs', 'must be an edge of the histogram: 0.5, 1, 5'],
  ])('are refused for what they cannot be: %j', (gate, field, reason) => {
    const found = withReadyQueries({ kind: 'counts', limitPercent: 1, ...gate })
    expect(found).toMatchObject({ field, reason: expect.stringContaining(reason) })
  })
})
