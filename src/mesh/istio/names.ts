import type { KindRef, KubeObject, KubeRef } from '../../model/kube.ts'

export const DESTINATION_RULE: KindRef = { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule' }
export const VIRTUAL_SERVICE: KindRef = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' }
export const HTTP_ROUTE: KindRef = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' }

/** How long proxies are given to take a change that nothing vouches for. */
export const SETTLE_MS = 5000

/** The service, as VirtualServices and DestinationRules name it from any namespace. */
export function serviceHost(namespace: string, name: string): string {
  return `${name}.${namespace}.svc.cluster.local`
}

/** The object of a kind that we write for a service. */
export function refTo(kind: KindRef, service: { readonly namespace: string; readonly name: string }): KubeRef {
  return { ...kind, namespace: service.namespace, name: service.name }
}

/** The object of a kind among others; undefined when there is none. */
export function ofKind<T extends KubeObject>(objects: readonly T[], kind: KindRef): T | undefined {
  return objects.find((object) => object.kind === kind.kind && object.apiVersion === kind.apiVersion)
}
