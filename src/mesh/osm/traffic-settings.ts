import type { KubeObject } from '../../model/kube.ts'
import { durationMs } from '../../model/names.ts'
import type { TrafficSpec } from '../../model/policy/traffic.ts'
import { markedMetadata } from '../marks.ts'
import type { RenderInput } from '../provider.ts'
import { versionServiceNames } from '../version-services.ts'
import { hostOf, TRAFFIC_SETTING } from './names.ts'

type Fields = Readonly<Record<string, unknown>>

/** Limits of callers hold for each version's Service, for those are what proxies connect to; rates for the service's own host. */
export function trafficSettings(input: RenderInput): readonly KubeObject[] {
  const { connections, rateLimit } = input.policy.traffic ?? {}
  const limits = connections && connectionSettings(connections)
  const services = limits ? [...new Set(Object.values(versionServiceNames(input)))].sort() : []
  return [
    ...services.map((service) => setting(input, service, { connectionSettings: limits })),
    ...(rateLimit ? [setting(input, input.name, { rateLimit: { local: { http: rateOf(rateLimit) } } })] : []),
  ]
}

function setting(input: RenderInput, service: string, fields: Fields): KubeObject {
  const metadata = { ...markedMetadata(input), name: service }
  return { ...TRAFFIC_SETTING, metadata, spec: { host: hostOf(service, input.namespace), ...fields } }
}

function connectionSettings(connections: NonNullable<TrafficSpec['connections']>): Fields {
  const { maxConnections, connectTimeout, maxRequests, maxPendingRequests, maxRequestsPerConnection } = connections
  const tcp = {
    ...(maxConnections === undefined ? {} : { maxConnections }),
    ...(connectTimeout === undefined ? {} : { connectTimeout: `${durationMs(connectTimeout) / 1000}s` }),
  }
  const http = {
    ...(maxRequests === undefined ? {} : { maxRequests }),
    ...(maxPendingRequests === undefined ? {} : { maxPendingRequests }),
    ...(maxRequestsPerConnection === undefined ? {} : { maxRequestsPerConnection }),
  }
  return {
    ...(Object.keys(tcp).length === 0 ? {} : { tcp }),
    ...(Object.keys(http).length === 0 ? {} : { http }),
  }
}

/** The mesh counts the burst on top of the requests. */
function rateOf({ requests, per, burst = requests }: NonNullable<TrafficSpec['rateLimit']>): Fields {
  return { requests, unit: per, ...(burst > requests ? { burst: burst - requests } : {}) }
}
