import type { KindRef, KubeObject, KubeRef } from '../../model/kube.ts'

const apiVersion = 'consul.hashicorp.com/v1alpha1'
export const SERVICE_DEFAULTS: KindRef = { apiVersion, kind: 'ServiceDefaults' }
export const SERVICE_INTENTIONS: KindRef = { apiVersion, kind: 'ServiceIntentions' }
export const SERVICE_RESOLVER: KindRef = { apiVersion, kind: 'ServiceResolver' }
export const SERVICE_SPLITTER: KindRef = { apiVersion, kind: 'ServiceSplitter' }
export const SERVICE_ROUTER: KindRef = { apiVersion, kind: 'ServiceRouter' }

/** In the order of writing: Consul refuses an object that refers to what is not there. */
export const CONSUL_KINDS: readonly KindRef[] = [
  SERVICE_DEFAULTS,
  SERVICE_INTENTIONS,
  SERVICE_RESOLVER,
  SERVICE_SPLITTER,
  SERVICE_ROUTER,
]

/** What a Pod must bear so that Consul counts it to a version: it becomes `Service.Meta.version`. */
export const META_VERSION = 'consul.hashicorp.com/service-meta-version'

/** How long proxies are given to take a change that nothing vouches for. */
export const SETTLE_MS = 5000

/** The object of a kind that we write for a service: Consul knows services by the name alone. */
export function refTo(kind: KindRef, service: { readonly namespace: string; readonly name: string }): KubeRef {
  return { ...kind, namespace: service.namespace, name: service.name }
}

/** The object of a kind among others; undefined when there is none. */
export function ofKind<T extends KubeObject>(objects: readonly T[], kind: KindRef): T | undefined {
  return objects.find((object) => isOfKind(object, kind))
}

export function isOfKind(object: Pick<KubeObject, 'apiVersion' | 'kind'>, kind: KindRef): boolean {
  return object.kind === kind.kind && object.apiVersion === kind.apiVersion
}
