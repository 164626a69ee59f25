import type { KindRef, KubeObject } from '../../model/kube.ts'

export const HTTP_ROUTE: KindRef = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' }
export const GRPC_ROUTE: KindRef = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GRPCRoute' }
export const GATEWAY_GROUP = 'gateway.networking.k8s.io'

/** On a route of ours: `v1=web-v1,v2=web-v2`, the Kubernetes Service of each version that it names. */
export const BACKENDS = 'meshwright.io/backends'

/** How long data planes are given to take a change. */
export const SETTLE_MS = 5000

/** Is it a route that splits requests: of the one kind or the other? */
export function isRoute({ apiVersion, kind }: KindRef): boolean {
  return apiVersion === HTTP_ROUTE.apiVersion && (kind === HTTP_ROUTE.kind || kind === GRPC_ROUTE.kind)
}

/** The annotation for some versions, in the order of names. */
export function backendsText(services: Readonly<Record<string, string>>): string {
  const pairs = Object.keys(services).sort()
  return pairs.map((version) => `${version}=${services[version]}`).join(',')
}

/** By version, the Services that a route of ours says it names; undefined when it says nothing. */
export function backendsOf(object: KubeObject): Readonly<Record<string, string>> | undefined {
  const text = object.metadata.annotations?.[BACKENDS]
  if (text === undefined) return undefined
  const pairs = text.split(',').map((pair) => pair.split('='))
  return Object.fromEntries(pairs.map(([version = '', service = '']) => [version, service]))
}
