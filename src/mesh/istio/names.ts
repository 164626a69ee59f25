import type { KindRef, KubeRef } from '../../model/kube.ts'

export const DESTINATION_RULE: KindRef = { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule' }
export const VIRTUAL_SERVICE: KindRef = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' }
export const SERVICE_ENTRY: KindRef = { apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry' }
export const SIDECAR: KindRef = { apiVersion: 'networking.istio.io/v1', kind: 'Sidecar' }
export const PEER_AUTHENTICATION: KindRef = { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication' }
export const REQUEST_AUTHENTICATION: KindRef = { apiVersion: 'security.istio.io/v1', kind: 'RequestAuthentication' }
export const AUTHORIZATION_POLICY: KindRef = { apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy' }
/** Istio serves no other version of it. */
export const ENVOY_FILTER: KindRef = { apiVersion: 'networking.istio.io/v1alpha3', kind: 'EnvoyFilter' }
export const TELEMETRY: KindRef = { apiVersion: 'telemetry.istio.io/v1', kind: 'Telemetry' }
export const GATEWAY: KindRef = { apiVersion: 'networking.istio.io/v1', kind: 'Gateway' }
export const HTTP_ROUTE: KindRef = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' }

/** How long proxies are given to take a change that nothing vouches for. */
export const SETTLE_MS = 5000

/** The service, as VirtualServices and DestinationRules name it from any namespace. */
export function serviceHost(namespace: string, name: string): string {
  return `${name}.${namespace}.svc.cluster.local`
}

/** The object of a kind that we write for a service; `part` tells those of one kind apart, as `partName` does. */
export function refTo(
  kind: KindRef,
  service: { readonly namespace: string; readonly name: string },
  part?: string,
): KubeRef {
  return { ...kind, namespace: service.namespace, name: partName(service, part) }
}

/** `web`, `web-allow`: what an object of a service is called. Of a kind with parts none bears the bare name. */
export function partName({ name }: { readonly name: string }, part: string | undefined): string {
  return part === undefined ? name : `${name}-${part}`
}
