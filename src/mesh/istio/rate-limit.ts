import type { KubeObject } from '../../model/kube.ts'
import type { TrafficSpec } from '../../model/policy/traffic.ts'
import type { RenderInput } from '../provider.ts'
import { ENVOY_FILTER } from './names.ts'
import { partObject } from './workload-object.ts'

type RateLimit = NonNullable<TrafficSpec['rateLimit']>
type Fields = Readonly<Record<string, unknown>>

/**
 * A token bucket in each HTTP port of the service's Pods, after all that refuses requests, so that only what the program gets is counted.
 * Source: https://istio.io/latest/docs/tasks/policy-enforcement/rate-limit/ and Envoy's filter envoy.filters.http.local_ratelimit.
 */
export function rateLimit(input: RenderInput): KubeObject | undefined {
  const limit = input.policy.traffic?.rateLimit
  if (!limit) return undefined
  return partObject(input, ENVOY_FILTER, undefined, {
    workloadSelector: { labels: input.spec.workload?.labels ?? {} },
    configPatches: podPorts(input).map((port) => patch(port, limit)),
  })
}

function podPorts({ spec }: Pick<RenderInput, 'spec'>): readonly unknown[] {
  return [...new Set(spec.ports.filter(({ protocol }) => protocol !== 'tcp').map(({ targetPort }) => targetPort))]
}

function patch(portNumber: unknown, limit: RateLimit): Fields {
  const filter = {
    name: 'envoy.filters.network.http_connection_manager',
    subFilter: { name: 'envoy.filters.http.router' },
  }
  return {
    applyTo: 'HTTP_FILTER',
    match: { context: 'SIDECAR_INBOUND', listener: { portNumber, filterChain: { filter } } },
    patch: {
      operation: 'INSERT_BEFORE',
      value: {
        name: 'envoy.filters.http.local_ratelimit',
        typed_config: {
          '@type': 'type.googleapis.com/udpa.type.v1.TypedStruct',
          type_url: 'type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit',
          value: bucket(limit),
        },
      },
    },
  }
}

const FILL_INTERVAL = { second: '1s', minute: '60s', hour: '3600s' } as const
const ALWAYS = { default_value: { numerator: 100, denominator: 'HUNDRED' } }

function bucket({ requests, per, burst = requests }: RateLimit): Fields {
  return {
    stat_prefix: 'meshwright',
    token_bucket: { max_tokens: burst, tokens_per_fill: requests, fill_interval: FILL_INTERVAL[per] },
    filter_enabled: ALWAYS,
    filter_enforced: ALWAYS,
  }
}
