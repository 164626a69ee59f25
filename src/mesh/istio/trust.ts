import type { KubeMetadata } from '../../model/kube.ts'

/**
 * Selectors that together find every Pod with a proxy: the injector marks sidecars with both labels, gateways with the
 * second. What else bears one of them is counted too: then a rotation waits longer, never shorter.
 */
export const PROXY_SELECTORS: readonly string[] = ['security.istio.io/tlsMode=istio', 'service.istio.io/canonical-name']
/** Pods that ended use no certificate any more. */
export const RUNNING_PODS = 'status.phase!=Succeeded,status.phase!=Failed'

/** istiod neither injects nor writes trust bundles there (`pkg/kube/inject/initializer.go`). */
const IGNORED = ['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage']

/** Does istiod keep a trust bundle in this namespace? */
export function hasBundles({ name, deletionTimestamp }: KubeMetadata): boolean {
  return !IGNORED.includes(name) && deletionTimestamp === undefined
}

/** ztunnel holds the certificates of every workload of ambient mode on its node. */
export const ZTUNNEL_SELECTOR = 'app=ztunnel'
/** A machine outside the cluster that is of the mesh has one; one that only names an address besides counts too. */
export const WORKLOAD_ENTRY = { apiVersion: 'networking.istio.io/v1', kind: 'WorkloadEntry' } as const

/** Are Pods of a namespace of the mesh without a proxy of their own? */
export function isAmbient({ labels = {} }: KubeMetadata): boolean {
  return labels['istio.io/dataplane-mode'] === 'ambient'
}

/**
 * Is a Pod one of Istio's own making? The webhook writes the annotation whatever template it takes, gateways' too
 * (`pkg/kube/inject/webhook.go`); gateways of the Gateway API are not injected, but made with the label by istiod.
 */
export function isMarkedProxy({ annotations = {}, labels = {} }: KubeMetadata): boolean {
  return Object.hasOwn(annotations, 'sidecar.istio.io/status') || Object.hasOwn(labels, 'gateway.istio.io/managed')
}

/** Does a namespace ask for proxies in its Pods? */
export function asksForProxies({ labels = {} }: KubeMetadata): boolean {
  const wish = labels['istio-injection']
  return wish === undefined ? (labels['istio.io/rev'] ?? '') !== '' : wish === 'enabled'
}
