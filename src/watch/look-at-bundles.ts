import { meshOf } from '../mesh/mesh-of.ts'
import { bundlePlaceOf } from '../mesh/trust/bundle-places.ts'
import { type BundleGroup, bundlesIn, groupBundles } from '../mesh/trust/group-bundles.ts'
import type { ClusterDocument } from '../model/documents.ts'
import type { FoundCertificate } from '../model/found.ts'
import { isPortError, type PortError } from '../ports/port-error.ts'
import type { FoundLook } from './record-found.ts'
import { againMs } from './retry.ts'
import type { WatchDeps } from './watch-deps.ts'

const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' }
const PAGE = 500
const MOST_EXAMPLES = 5

/**
 * The roots in the trust bundles of a cluster, whether a CA is registered for it or not: one list. Never throws what is of the
 * cluster. `attempts` counts failed looks in a row with this one.
 */
export async function lookAtBundles(deps: WatchDeps, cluster: ClusterDocument, attempts: number): Promise<FoundLook> {
  const provider = meshOf(cluster)?.provider
  const again = () => deps.clock.now() + againMs(attempts, deps.random)
  const none = (reason: string, message: string) => ({ state: 'failed', reason, message }) as const
  if (provider === undefined)
    return { ...none('NoMesh', `No mesh was found on cluster ${cluster.name}.`), again: again() }
  const place = bundlePlaceOf(provider)
  if (!place) return none('NotObservable', `What ${provider} trusts cannot be read in Kubernetes.`)
  const { configMap } = place
  try {
    const api = await deps.clusters.connect(cluster)
    const found = await api.list(CONFIG_MAP, { fieldSelector: `metadata.name=${configMap}`, pageSize: PAGE })
    if (found.length === 0) {
      const message = `No namespace has a ConfigMap ${configMap}.`
      return { ...none('NoBundles', message), certificates: [], again: again() }
    }
    const groups = groupBundles(bundlesIn(place, found))
    const unreadable = groups.filter(({ roots }) => roots.length === 0).reduce((sum, one) => sum + one.namespaces, 0)
    const kind = provider === 'linkerd' ? 'trust-anchor' : 'mesh-root'
    const certificates = rootsIn(groups, kind, `ConfigMap ${configMap}`)
    const message = `${found.length} ConfigMaps ${configMap} were read.`
    return { state: 'seen', reason: 'Read', message, certificates, unreadable }
  } catch (error) {
    if (!isPortError(error)) throw error
    return isRefused(error)
      ? none(
          'Denied',
          `Meshwright may not list ConfigMaps ${configMap}: bind infra/kubernetes/trust-role.yaml. ${error.message}`,
        )
      : {
          ...none(error.reason ?? 'Unreachable', `Cluster ${cluster.name} does not answer: ${error.message}`),
          again: again(),
        }
  }
}

function isRefused(error: PortError): boolean {
  return error.kind === 'denied' && error.reason !== 'TokenRefused'
}

/** Each root once, with the namespaces that trust it. */
function rootsIn(groups: readonly BundleGroup[], kind: FoundCertificate['kind'], object: string) {
  const found = new Map<
    string,
    FoundCertificate & { readonly namespaces: number; readonly examples: readonly string[] }
  >()
  for (const { roots, namespaces, examples } of groups) {
    for (const root of roots) {
      const before = found.get(root.fingerprint)
      found.set(root.fingerprint, {
        ...{ kind, object },
        ...root,
        namespaces: (before?.namespaces ?? 0) + namespaces,
        examples: [...(before?.examples ?? []), ...examples].slice(0, MOST_EXAMPLES),
      })
    }
  }
  return [...found.values()]
}
