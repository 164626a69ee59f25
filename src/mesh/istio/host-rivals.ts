import type { GatewaySpec } from '../../model/gateway.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { HostRenderInput } from '../host-renderer.ts'
import { GATEWAY, VIRTUAL_SERVICE } from './names.ts'

interface Server {
  readonly port?: { readonly number?: number }
  readonly hosts?: unknown
}

/**
 * Objects that would decide, beside ours, what Pods of the gateway do with requests for the host: a Gateway that serves the
 * same host on the same port (Istio takes one of the two), and a VirtualService for the host on such Pods (Istio merges them
 * in no fixed order). A wildcard that also covers the host is none: the longer name wins.
 */
export function hostRivals(objects: readonly KubeObject[], input: HostRenderInput): readonly KubeObject[] {
  const gateways = objects.filter(({ kind, apiVersion }) => kind === GATEWAY.kind && apiVersion === GATEWAY.apiVersion)
  const near = gateways.filter((object) => sharesPods(object, input))
  const names = new Set(near.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`))
  return [
    ...near.filter((object) => servers(object).some((server) => servesSame(server, input))),
    ...objects.filter(
      (object) =>
        object.kind === VIRTUAL_SERVICE.kind &&
        strings(object.spec?.hosts).includes(input.host) &&
        boundTo(object).some((name) => names.has(name)),
    ),
  ]
}

/** May both selectors choose the same Pods? Labels that they both name must be equal. */
function sharesPods(object: KubeObject, { place }: HostRenderInput): boolean {
  const selector = (object.spec?.selector ?? {}) as Readonly<Record<string, unknown>>
  return Object.entries(place.selector ?? {}).every(
    ([label, value]) => !Object.hasOwn(selector, label) || selector[label] === value,
  )
}

function servesSame(server: Server, { host, place, tlsSecret, redirectHttp }: HostRenderInput): boolean {
  const ports =
    tlsSecret === undefined ? [httpPort(place)] : [httpsPort(place), ...(redirectHttp ? [httpPort(place)] : [])]
  if (!ports.includes(server.port?.number ?? 0)) return false
  return strings(server.hosts).some((name) => name.slice(name.indexOf('/') + 1) === host)
}

function servers(object: KubeObject): readonly Server[] {
  return Array.isArray(object.spec?.servers) ? (object.spec.servers as Server[]) : []
}

function boundTo(object: KubeObject): readonly string[] {
  return strings(object.spec?.gateways).map((name) =>
    name.includes('/') ? name : `${object.metadata.namespace}/${name}`,
  )
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** Where a gateway takes plain HTTP. */
export function httpPort({ httpPort = 80 }: GatewaySpec): number {
  return httpPort
}

/** Where a gateway takes TLS. */
export function httpsPort({ httpsPort = 443 }: GatewaySpec): number {
  return httpsPort
}
