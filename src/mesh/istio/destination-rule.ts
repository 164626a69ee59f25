import type { KubeObject } from '../../model/kube.ts'
import type { TrafficSpec } from '../../model/policy/traffic.ts'
import { markedMetadata } from '../marks.ts'
import type { RenderInput } from '../provider.ts'
import { DESTINATION_RULE, serviceHost } from './names.ts'
import { seconds } from './route-settings.ts'

type Fields = Readonly<Record<string, unknown>>

/** A subset a version, and how callers' proxies treat connections and endpoints. */
export function destinationRule(input: RenderInput): KubeObject {
  const subsets = Object.entries(input.spec.versions)
    .map(([name, { labels }]) => ({ name, labels }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const trafficPolicy = present({
    connectionPool: connectionPool(input),
    outlierDetection: outlierDetection(input.policy.traffic?.outliers),
    loadBalancer: loadBalancer(input.policy.traffic),
  })
  return {
    ...DESTINATION_RULE,
    metadata: markedMetadata(input),
    spec: {
      host: serviceHost(input.namespace, input.name),
      ...(trafficPolicy ? { trafficPolicy } : {}),
      subsets,
    },
  }
}

/** An idle timeout is for what the ports speak: Envoy knows one for HTTP and one for TCP. */
function connectionPool({ policy, spec }: RenderInput): Fields | undefined {
  const { connections } = policy.traffic ?? {}
  if (!connections) return undefined
  const { maxConnections, connectTimeout, maxPendingRequests, maxRequests, maxRequestsPerConnection } = connections
  const idleTimeout = duration(connections.idleTimeout)
  const speaks = (tcp: boolean) => spec.ports.some(({ protocol }) => (protocol === 'tcp') === tcp)
  return present({
    tcp: present({
      maxConnections,
      connectTimeout: duration(connectTimeout),
      idleTimeout: speaks(true) ? idleTimeout : undefined,
    }),
    http: present({
      http1MaxPendingRequests: maxPendingRequests,
      http2MaxRequests: maxRequests,
      maxRequestsPerConnection,
      idleTimeout: speaks(false) ? idleTimeout : undefined,
    }),
  })
}

/**
 * Envoy's own 10 % leaves no endpoint out of nine or fewer, so that what is asked for would do nothing (seen with Envoy 1.40).
 * With half of them a pair can lose one, and who is left has at most twice the requests.
 */
const MOST_EJECTED = 50

function outlierDetection(outliers: TrafficSpec['outliers']): Fields | undefined {
  if (!outliers) return undefined
  return present({
    consecutive5xxErrors: outliers.consecutiveErrors,
    interval: duration(outliers.interval),
    baseEjectionTime: duration(outliers.ejectionTime),
    maxEjectionPercent: outliers.maxEjectionPercent ?? MOST_EJECTED,
  })
}

const SIMPLE = { 'round-robin': 'ROUND_ROBIN', 'least-request': 'LEAST_REQUEST', random: 'RANDOM' } as const
const REGION = 'topology.kubernetes.io/region'
const ZONE = 'topology.kubernetes.io/zone'

function loadBalancer(traffic: TrafficSpec | undefined): Fields | undefined {
  const { loadBalancing, affinity, locality } = traffic ?? {}
  return present({
    simple: loadBalancing && SIMPLE[loadBalancing],
    consistentHash: affinity && consistentHash(affinity),
    localityLbSetting: locality && {
      enabled: true,
      failoverPriority: locality.prefer === 'zone' ? [REGION, ZONE] : [REGION],
    },
  })
}

function consistentHash(affinity: NonNullable<TrafficSpec['affinity']>): Fields {
  if ('header' in affinity) return { httpHeaderName: affinity.header }
  if ('query' in affinity) return { httpQueryParameterName: affinity.query }
  if ('sourceIp' in affinity) return { useSourceIp: true }
  const { name, ttl, path } = affinity.cookie
  // With 0s the proxy sets a cookie that lasts for the session; without a ttl it would set none.
  return { httpCookie: { name, ttl: ttl === undefined ? '0s' : seconds(ttl), ...(path === undefined ? {} : { path }) } }
}

function duration(text: string | undefined): string | undefined {
  return text === undefined ? undefined : seconds(text)
}

/** Those fields that are there; undefined when none is. */
function present(fields: Fields): Fields | undefined {
  const there = Object.entries(fields).filter(([, value]) => value !== undefined)
  return there.length === 0 ? undefined : Object.fromEntries(there)
}
