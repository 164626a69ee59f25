import type { ProviderName } from '../model/cluster.ts'
import type { CountsGate } from '../model/gate.ts'
import { LATENCY_EDGES_MS } from './istio/metrics.ts'

/** One metric as a mesh keeps it: what tells a version's requests, and which of them are meant. */
interface Counter {
  readonly metric: string
  /** Matchers of PromQL that all requests of `{{version}}` pass. */
  readonly all: readonly string[]
  /** Further ones that the requests pass which went well, or wrong. */
  readonly good?: readonly string[]
  readonly bad?: readonly string[]
}

interface Histogram extends Omit<Counter, 'good' | 'bad'> {
  /** Label `le` is in these. */
  readonly unit: 'ms' | 's'
  /** Its edges in milliseconds, where they are known. */
  readonly edgesMs?: readonly number[]
}

/** A gate that a mesh's own metrics answer, by its name. */
export type ReadyGate = {
  readonly provider: ProviderName
  /** What it counts, and what it takes for granted. */
  readonly about: string
} & (
  | { readonly kind: 'errors'; readonly counter: Counter }
  | { readonly kind: 'latency'; readonly histogram: Histogram }
)

const ISTIO_SERVER = [
  'reporter="destination"',
  'destination_service_namespace="{{namespace}}"',
  'destination_service_name="{{service}}"',
  'destination_version="{{version}}"',
]
const ISTIO_GATEWAY = [
  'reporter="source"',
  'destination_service_namespace="{{namespace}}"',
  'destination_service_name="{{service}}-{{version}}"',
]
const LINKERD_INBOUND = ['direction="inbound"', 'namespace="{{namespace}}"', 'deployment="{{service}}-{{version}}"']
const LINKERD_BACKEND = [
  'parent_kind="Service"',
  'parent_namespace="{{namespace}}"',
  'parent_name="{{service}}"',
  'backend_kind="Service"',
  'backend_namespace="{{namespace}}"',
  'backend_name="{{service}}-{{version}}"',
]
const CONSUL_SUBSET = ['consul_destination_service="{{service}}"', 'consul_destination_service_subset="{{version}}"']
const CONSUL_SERVER = [
  'local_cluster="{{service}}"',
  'envoy_http_conn_manager_prefix=~"public_listener.*"',
  'pod=~"{{service}}-{{version}}-.+"',
]
const OSM_SERVER = ['destination_namespace="{{namespace}}"', 'destination_name="{{service}}_{{version}}"']
const NGINX_BACKEND = ['namespace="{{namespace}}"', 'service="{{service}}-{{version}}"']

const DEPLOYMENTS = 'Deployments are named SERVICE-VERSION.'
const SERVICES = 'Each version has a Service named SERVICE-VERSION.'

/**
 * Gates for every mesh, as facts of each mesh's metrics have them: which counters, which labels, and what they miss. A
 * query that gives nothing where nothing went wrong yet gives zero.
 */
export const READY_GATES: Readonly<Record<string, ReadyGate>> = {
  'istio-errors': {
    provider: 'istio',
    kind: 'errors',
    about:
      '5xx answers as the servers’ sidecars count them. The kind errors counts the same, by raw samples, and gRPC too.',
    counter: { metric: 'istio_requests_total', all: ISTIO_SERVER, bad: ['response_code=~"5.."'] },
  },
  'istio-grpc-errors': {
    provider: 'istio',
    kind: 'errors',
    about:
      'Failing gRPC statuses as the servers’ sidecars count them: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS.',
    counter: {
      metric: 'istio_requests_total',
      all: [...ISTIO_SERVER, 'request_protocol="grpc"'],
      bad: ['grpc_response_status=~"2|4|12|13|14|15"'],
    },
  },
  'istio-latency': {
    provider: 'istio',
    kind: 'latency',
    about: 'Whole requests as the servers’ sidecars time them. The kind latency counts the same by raw samples.',
    histogram: {
      metric: 'istio_request_duration_milliseconds_bucket',
      all: ISTIO_SERVER,
      unit: 'ms',
      edgesMs: LATENCY_EDGES_MS,
    },
  },
  'linkerd-errors': {
    provider: 'linkerd',
    kind: 'errors',
    about: `What the servers’ proxies classify as failed, gRPC too. ${DEPLOYMENTS}`,
    counter: { metric: 'response_total', all: LINKERD_INBOUND, good: ['classification="success"'] },
  },
  'linkerd-latency': {
    provider: 'linkerd',
    kind: 'latency',
    about: `Time to the first byte as the servers’ proxies take it. ${DEPLOYMENTS}`,
    histogram: { metric: 'response_latency_ms_bucket', all: LINKERD_INBOUND, unit: 'ms' },
  },
  'linkerd-route-errors': {
    provider: 'linkerd',
    kind: 'errors',
    about: `5xx answers and errors as the callers’ proxies count them, those that never reached a server too. ${SERVICES}`,
    counter: {
      metric: 'outbound_http_route_backend_response_statuses_total',
      all: LINKERD_BACKEND,
      good: ['http_status!~"5.."', 'error=""'],
    },
  },
  'consul-errors': {
    provider: 'consul',
    kind: 'errors',
    about:
      '5xx answers as the callers’ proxies count them. Versions are subsets of a ServiceResolver, its protocol is http. The subset’s label was not seen on a live mesh.',
    counter: { metric: 'envoy_cluster_upstream_rq_xx', all: CONSUL_SUBSET, bad: ['envoy_response_code_class="5"'] },
  },
  'consul-latency': {
    provider: 'consul',
    kind: 'latency',
    about: 'Requests as the callers’ proxies time them. Versions are subsets of a ServiceResolver.',
    histogram: {
      metric: 'envoy_cluster_upstream_rq_time_bucket',
      all: CONSUL_SUBSET,
      unit: 'ms',
      edgesMs: LATENCY_EDGES_MS,
    },
  },
  'consul-server-errors': {
    provider: 'consul',
    kind: 'errors',
    about: `5xx answers as the servers’ proxies count them. ${DEPLOYMENTS} Series need a label pod.`,
    counter: { metric: 'envoy_http_downstream_rq_xx', all: CONSUL_SERVER, bad: ['envoy_response_code_class="5"'] },
  },
  'consul-server-latency': {
    provider: 'consul',
    kind: 'latency',
    about: `Requests as the servers’ proxies time them. ${DEPLOYMENTS} Series need a label pod.`,
    histogram: {
      metric: 'envoy_http_downstream_rq_time_bucket',
      all: CONSUL_SERVER,
      unit: 'ms',
      edgesMs: LATENCY_EDGES_MS,
    },
  },
  'osm-errors': {
    provider: 'osm',
    kind: 'errors',
    about: `5xx answers between Pods of the mesh. ${DEPLOYMENTS} OSM writes each - and . of a name as _: with such a service or version, write the query so.`,
    counter: { metric: 'osm_request_total', all: OSM_SERVER, bad: ['response_code=~"5.."'] },
  },
  'osm-latency': {
    provider: 'osm',
    kind: 'latency',
    about: 'Requests between Pods of the mesh. Names as for osm-errors.',
    histogram: { metric: 'osm_request_duration_ms_bucket', all: OSM_SERVER, unit: 'ms' },
  },
  'gateway-istio-errors': {
    provider: 'gateway-api',
    kind: 'errors',
    about: `5xx answers as gateways of class istio or approuting-istio count them, those that never reached a server too. ${SERVICES}`,
    counter: { metric: 'istio_requests_total', all: ISTIO_GATEWAY, bad: ['response_code=~"5.."'] },
  },
  'gateway-istio-latency': {
    provider: 'gateway-api',
    kind: 'latency',
    about: `Requests as gateways of class istio or approuting-istio time them. ${SERVICES}`,
    histogram: {
      metric: 'istio_request_duration_milliseconds_bucket',
      all: ISTIO_GATEWAY,
      unit: 'ms',
      edgesMs: LATENCY_EDGES_MS,
    },
  },
  'nginx-errors': {
    provider: 'gateway-api',
    kind: 'errors',
    about: `5xx answers as the NGINX ingress controller counts them. ${SERVICES}`,
    counter: { metric: 'nginx_ingress_controller_requests', all: NGINX_BACKEND, bad: ['status=~"5.."'] },
  },
  'nginx-latency': {
    provider: 'gateway-api',
    kind: 'latency',
    about: `Requests as the NGINX ingress controller times them. ${SERVICES}`,
    histogram: {
      metric: 'nginx_ingress_controller_request_duration_seconds_bucket',
      all: NGINX_BACKEND,
      unit: 's',
      edgesMs: [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000],
    },
  },
}

/** The queries of a ready-made gate: two of `all`, `good` and `bad`. Latency is counted up to the edge `overMs`. */
export function readyQueries(gate: ReadyGate, overMs = 500): Pick<CountsGate, 'all' | 'good' | 'bad'> {
  if (gate.kind === 'latency') {
    const { metric, all, unit } = gate.histogram
    const edge = String(unit === 's' ? overMs / 1000 : overMs)
    // Whole edges are written 500 or 500.0, by the program that shows them and by the Prometheus that keeps them.
    const le = /^\d+$/.test(edge) ? `le=~"${edge}(\\\\.0+)?"` : `le="${edge}"`
    return {
      all: increase({ metric, matchers: [...all, 'le="+Inf"'] }),
      good: increase({ metric, matchers: [...all, le] }),
    }
  }
  const { metric, all, good, bad } = gate.counter
  return {
    all: increase({ metric, matchers: all }),
    ...(good ? { good: orZero(increase({ metric, matchers: [...all, ...good] })) } : {}),
    ...(bad ? { bad: orZero(increase({ metric, matchers: [...all, ...bad] })) } : {}),
  }
}

function increase({ metric, matchers }: { readonly metric: string; readonly matchers: readonly string[] }): string {
  return `sum(increase(${metric}{${matchers.join(', ')}}[{{window}}]))`
}

function orZero(query: string): string {
  return `${query} or vector(0)`
}

/** What is wrong with a gate that names a ready-made one, by field. */
export interface ReadyProblem {
  readonly field: 'use' | 'overMs'
  readonly reason: string
}

/** A gate with the queries of the ready-made one that it names, or why it cannot have them. Others stay as they are. */
export function withReadyQueries(gate: CountsGate): CountsGate | ReadyProblem {
  const { use, overMs, ...rest } = gate
  if (use === undefined) return gate
  const ready = Object.hasOwn(READY_GATES, use) ? READY_GATES[use] : undefined
  if (!ready) return { field: 'use', reason: `must be one of ${Object.keys(READY_GATES).join(', ')}` }
  if (ready.kind === 'errors') {
    if (overMs !== undefined) return { field: 'overMs', reason: `is for latency gates, which ${use} is not` }
    return { ...rest, name: rest.name ?? use, ...readyQueries(ready) }
  }
  if (overMs === undefined) return { field: 'overMs', reason: 'is required: slower is bad' }
  const { edgesMs } = ready.histogram
  if (edgesMs && !edgesMs.includes(overMs)) {
    return { field: 'overMs', reason: `must be an edge of the histogram: ${edgesMs.join(', ')}` }
  }
  return { ...rest, name: rest.name ?? use, ...readyQueries(ready, overMs) }
}
