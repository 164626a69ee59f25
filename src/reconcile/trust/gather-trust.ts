import { asksForProxies, PROXY_SELECTORS, RUNNING_PODS } from '../../mesh/istio/trust.ts'
import { BUNDLE_PLACES, type BundlePlace } from '../../mesh/trust/bundle-places.ts'
import { bundlesIn, groupBundles } from '../../mesh/trust/group-bundles.ts'
import { countsFor } from '../../mesh/trust/proxy-pods.ts'
import type { MeshCaDocument } from '../../model/documents.ts'
import type { KubeMetadata } from '../../model/kube.ts'
import type { TrustState } from '../../model/trust.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import { gatherOthers, otherProxies, waitsForProxies } from './gather-others.ts'

const PLACE: BundlePlace = BUNDLE_PLACES.istio
const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' }
const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace' }
const POD = { apiVersion: 'v1', kind: 'Pod' }
const PAGE = 500
const MOST_WITHOUT = 5

/** What the cluster itself tells of who trusts what. */
export type TrustSeen = Pick<TrustState, 'bundles' | 'without' | 'pods'>

/**
 * Reads the trust bundle of every namespace, the namespaces and the Pods with a proxy: one list each (two of Pods), all
 * namespaces at once, in pages; of namespaces and Pods the metadata alone. Namespaces that the CA excepts are left out. While a
 * rotation waits for proxies two more tell of those that are no Pods. `proxies`: each Pod with a proxy. Throws PortError.
 */
export async function gatherTrust(
  api: ClusterApi,
  ca: Pick<MeshCaDocument, 'spec' | 'rotation'>,
): Promise<TrustSeen & { readonly proxies: readonly KubeMetadata[] }> {
  const [others, configMaps, namespaces, ...pods] = await Promise.all([
    waitsForProxies(ca) ? gatherOthers(api) : undefined,
    api.list(CONFIG_MAP, { fieldSelector: `metadata.name=${PLACE.configMap}`, pageSize: PAGE }),
    api.listMetadata(NAMESPACE),
    ...PROXY_SELECTORS.map((labelSelector) =>
      api.listMetadata(POD, { labelSelector, fieldSelector: RUNNING_PODS, pageSize: PAGE }),
    ),
  ])
  const metadata = namespaces.map((one) => one.metadata).filter(countsFor(ca.spec))
  const known = new Set(metadata.map(({ name }) => name))
  // A namespace on its way out keeps its bundle as it is: nobody writes there any more.
  const bundles = bundlesIn(PLACE, configMaps).filter(({ namespace }) => known.has(namespace))
  const proxies = onlyOnce(pods.flat().map((one) => one.metadata)).filter(({ namespace = '' }) => known.has(namespace))
  const served = new Set(bundles.map(({ namespace }) => namespace))
  const used = new Set(proxies.map(({ namespace }) => namespace))
  const without = metadata.filter((one) => (asksForProxies(one) || used.has(one.name)) && !served.has(one.name))
  return {
    bundles: groupBundles(bundles).map(({ roots, ...group }) => {
      return { ...group, roots: roots.map(({ fingerprint }) => fingerprint) }
    }),
    without: without
      .map(({ name }) => name)
      .sort()
      .slice(0, MOST_WITHOUT),
    pods: {
      ...summaryOf(proxies),
      ...(others ? { others: otherProxies(others, namespaces) } : {}),
    },
    proxies,
  }
}

function onlyOnce(pods: readonly KubeMetadata[]): readonly KubeMetadata[] {
  return [...new Map(pods.map((one) => [one.uid ?? `${one.namespace}/${one.name}`, one])).values()]
}

function summaryOf(proxies: readonly KubeMetadata[]): TrustSeen['pods'] {
  const starts = proxies.map(({ creationTimestamp = '' }) => creationTimestamp).sort()
  const [oldestStart = ''] = starts
  return { count: proxies.length, ...(oldestStart === '' ? {} : { oldestStart }) }
}
