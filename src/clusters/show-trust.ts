import { meshOf } from '../mesh/mesh-of.ts'
import { bundlePlaceOf } from '../mesh/trust/bundle-places.ts'
import { type BundleGroup, bundlesIn, groupBundles } from '../mesh/trust/group-bundles.ts'
import { type WayToRotate, wayToRotate } from '../mesh/trust/way-to-rotate.ts'
import type { ProviderName } from '../model/cluster.ts'
import type { ClusterDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { ClusterApis } from '../ports/cluster-api.ts'
import { isPortError } from '../ports/port-error.ts'
import type { Store } from '../ports/store.ts'
import { type LinkerdTrust, readLinkerd } from './read-linkerd-trust.ts'

/** What the proxies of a cluster trust, as far as Kubernetes tells. All of it is public. */
export interface TrustReport {
  readonly provider?: ProviderName
  /** `Read`; `NoBundles`; `NotObservable`: this mesh does not show it; `Denied`; `NoMesh`. */
  readonly reason: string
  readonly message: string
  readonly bundles: readonly BundleGroup[]
  /** Of Linkerd, whose proxies read anchors when they start; absent: its Pods may not be listed. */
  readonly linkerd?: LinkerdTrust
  /** How long certificates of workloads live: as the registered CA says, and as the control plane is told. */
  readonly workloadTtl?: { readonly registered?: string; readonly controlPlane?: string }
  /** Names of the mesh CAs that are registered for the cluster. */
  readonly meshCas: readonly string[]
  readonly rotation?: WayToRotate
}

const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' }
const PAGE = 500

/** Looks at the trust bundles of a cluster now, whether a mesh CA is registered for it or not. */
export async function showTrust(
  deps: { readonly store: Store; readonly clusters: ClusterApis },
  name: string,
): Promise<Result<TrustReport>> {
  const cluster = (await deps.store.read('cluster', name))?.value
  if (!cluster) return fail('NotFound', `There is no cluster ${name}.`)
  const registered = await deps.store.all('mesh-ca', { where: { 'spec.cluster': name } })
  const meshCas = registered.map((one) => one.name)
  const provider = meshOf(cluster)?.provider
  const [ttl] = registered.map(({ spec }) => spec.workloadTtl)
  const none = { bundles: [], meshCas, ...(ttl === undefined ? {} : { workloadTtl: { registered: ttl } }) }
  if (provider === undefined)
    return succeed({ ...none, reason: 'NoMesh', message: `No mesh was found on cluster ${name}.` })
  try {
    const { issuanceLifetime: lifetime, ...found } = await readBundles(deps.clusters, cluster, provider)
    const workloadTtl = { ...none.workloadTtl, ...(lifetime === undefined ? {} : { controlPlane: lifetime }) }
    const seen = Object.keys(workloadTtl).length === 0 ? found : { ...found, workloadTtl }
    return succeed({ ...none, provider, ...seen, rotation: wayToRotate(provider, cluster.aks) })
  } catch (error) {
    if (!isPortError(error)) throw error
    return fail('Unavailable', `Cluster ${name} does not answer: ${error.message}`, {
      retryAfterMs: error.retryAfterMs ?? 5000,
    })
  }
}

interface Read extends Pick<TrustReport, 'reason' | 'message'>, Partial<Pick<TrustReport, 'bundles' | 'linkerd'>> {
  readonly issuanceLifetime?: string
}

async function readBundles(clusters: ClusterApis, cluster: ClusterDocument, provider: ProviderName): Promise<Read> {
  const place = bundlePlaceOf(provider)
  if (!place) return { reason: 'NotObservable', message: `What ${provider} trusts cannot be read in Kubernetes.` }
  const { configMap } = place
  try {
    const api = await clusters.connect(cluster)
    const found = await api.list(CONFIG_MAP, { fieldSelector: `metadata.name=${configMap}`, pageSize: PAGE })
    const bundles = groupBundles(bundlesIn(place, found))
    if (found.length === 0) return { reason: 'NoBundles', message: `No namespace has a ConfigMap ${configMap}.` }
    const more = provider === 'linkerd' ? await readLinkerd(api, found) : {}
    return { bundles, reason: 'Read', message: `${found.length} ConfigMaps ${configMap} were read.`, ...more }
  } catch (error) {
    if (!isPortError(error, 'denied') || error.reason === 'TokenRefused') throw error
    const message = `Meshwright may not list ConfigMaps ${configMap}: bind infra/kubernetes/trust-role.yaml. ${error.message}`
    return { reason: 'Denied', message }
  }
}
