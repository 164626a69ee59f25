import { shortId } from '../../model/digest.ts'
import type { GatewayRef, GatewaySpec } from '../../model/gateway.ts'
import type { ServiceSpec } from '../../model/service.ts'
import { prefixMatch } from '../http-route/http-match.ts'
import type { FieldError } from '../http-route/sections.ts'
import type { RenderInput } from '../provider.ts'

type Port = ServiceSpec['ports'][number]

/** One host at one Gateway, with the paths at which the service is to be found. */
export interface ExposedHost {
  /** Name of the route. */
  readonly name: string
  readonly gateway: GatewayRef
  readonly host: string
  readonly isGrpc: boolean
  /** The longest first. */
  readonly paths: readonly { readonly path: string; readonly port: Port }[]
}

/** Where a service is exposed, a host at a Gateway each, in the order of names; or what stands in the way. */
export function exposedHosts(input: RenderInput): {
  readonly hosts: readonly ExposedHost[]
  readonly errors: readonly FieldError[]
} {
  const { policy, gateways = {}, spec, name } = input
  const errors: FieldError[] = []
  const hosts = new Map<string, ExposedHost>()
  for (const [index, exposure] of (policy.exposure ?? []).entries()) {
    const pointer = `/exposure/${index}`
    const gateway = namedGateway(gateways[exposure.gateway])
    const port = spec.ports.find((port) => exposure.port === undefined || port.name === exposure.port)
    const path = prefixMatch(exposure.path).value
    if (!gateway) {
      const known = Object.keys(gateways).sort().join(', ') || 'none'
      errors.push({
        pointer: `${pointer}/gateway`,
        reason: `the cluster names no gateway ${exposure.gateway} in mesh.gateways; it names ${known}`,
      })
    }
    if (!port) errors.push({ pointer: `${pointer}/port`, reason: `the service has no port ${exposure.port}` })
    if (!gateway || !port) continue
    const isGrpc = port.protocol === 'grpc'
    const route = routeName(name, exposure.gateway, exposure.host)
    const known = hosts.get(route) ?? { name: route, gateway, host: exposure.host, isGrpc, paths: [] }
    if (known.paths.some((other) => other.path === path))
      errors.push({ pointer: `${pointer}/path`, reason: `${exposure.host}${path} stands twice` })
    if (known.isGrpc !== isGrpc)
      errors.push({ pointer: `${pointer}/port`, reason: `${exposure.host} cannot take gRPC and HTTP at one Gateway` })
    const paths = [...known.paths, { path, port }].sort(
      (a, b) => b.path.length - a.path.length || (a.path < b.path ? -1 : 1),
    )
    hosts.set(route, { ...known, paths })
  }
  return { hosts: [...hosts.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), errors }
}

const LONGEST = 253

/** `web.external.web.example.com`; what would be too long or has a wildcard ends in a digest. */
function routeName(service: string, gateway: string, host: string): string {
  const name = `${service}.${gateway}.${host}`
  return name.length <= LONGEST && !host.startsWith('*') ? name : `${service}.${gateway}.${shortId(16, host)}`
}

/** Istio's gateways are known by labels alone: no route can name them. */
function namedGateway(gateway: GatewaySpec | undefined): GatewayRef | undefined {
  return gateway?.name === undefined ? undefined : { ...gateway, name: gateway.name }
}
