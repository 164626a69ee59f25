import type { KindRef, KubeObject, KubeRef } from '../../model/kube.ts'

export const TRAFFIC_SPLIT: KindRef = { apiVersion: 'split.smi-spec.io/v1alpha2', kind: 'TrafficSplit' }
export const TRAFFIC_TARGET: KindRef = { apiVersion: 'access.smi-spec.io/v1alpha3', kind: 'TrafficTarget' }
export const HTTP_ROUTE_GROUP: KindRef = { apiVersion: 'specs.smi-spec.io/v1alpha4', kind: 'HTTPRouteGroup' }
export const TRAFFIC_SETTING: KindRef = {
  apiVersion: 'policy.openservicemesh.io/v1alpha1',
  kind: 'UpstreamTrafficSetting',
}
export const EGRESS: KindRef = { apiVersion: 'policy.openservicemesh.io/v1alpha1', kind: 'Egress' }

/** On a TrafficSplit of ours: `v1=web-v1,v2=web-v2`, the Kubernetes Service of each version that it may name. */
export const BACKENDS = 'meshwright.io/backends'

/** How long proxies are given to take a change that nothing vouches for. */
export const SETTLE_MS = 5000

/** When Azure ends the add-on, and what it cannot stand beside. */
export const RETIRES = {
  on: '2027-09-30',
  wayOut:
    'Move to the Istio add-on before; the two add-ons exclude each other on one cluster. POST /clusters/{cluster}/migrations/osm plans the way.',
} as const

/** A Service as the mesh's own objects name it by host. */
export function hostOf(service: string, namespace: string): string {
  return `${service}.${namespace}.svc.cluster.local`
}

export function isOfKind(object: Pick<KubeObject | KubeRef, 'apiVersion' | 'kind'>, kind: KindRef): boolean {
  return object.kind === kind.kind && object.apiVersion === kind.apiVersion
}

export function ofKind<T extends KubeObject>(objects: readonly T[], kind: KindRef): T | undefined {
  return objects.find((object) => isOfKind(object, kind))
}
