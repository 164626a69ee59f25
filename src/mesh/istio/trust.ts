import type { KubeMetadata, KubeObject } from '../../model/kube.ts'
import type { NamespaceBundle } from '../trust/group-bundles.ts'

/** In every namespace that istiod serves, a ConfigMap of this name holds what proxies there trust. */
export const ROOT_CONFIG_MAP = 'istio-ca-root-cert'
const ROOT_KEY = 'root-cert.pem'

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

/** Does a namespace ask for proxies in its Pods? */
export function asksForProxies({ labels = {} }: KubeMetadata): boolean {
  const wish = labels['istio-injection']
  return wish === undefined ? (labels['istio.io/rev'] ?? '') !== '' : wish === 'enabled'
}

/** The trust bundles that ConfigMaps hold. */
export function istioBundles(configMaps: readonly KubeObject[]): readonly NamespaceBundle[] {
  return configMaps.map(({ metadata: { namespace = '' }, data }) => {
    return { namespace, pem: (data as Readonly<Record<string, string>> | undefined)?.[ROOT_KEY] ?? '' }
  })
}
