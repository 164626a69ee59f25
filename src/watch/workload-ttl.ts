import { meshOf } from '../mesh/mesh-of.ts'
import type { ClusterDocument, MeshCaDocument } from '../model/documents.ts'

/** How long certificates of workloads last on a cluster. */
export interface WorkloadTtl {
  /** `24h`. */
  readonly value: string
  /** Nobody said so: it is what Istio and Linkerd do when nothing is set. A proxy may have been set to another. */
  readonly assumed: boolean
}

const DEFAULT = '24h'

/** By cluster: as its registered CA says, else the default of Istio and Linkerd. What proxies ask for is set at each of them. */
export function ttlsOf(
  clusters: readonly ClusterDocument[],
  cas: readonly MeshCaDocument[],
): ReadonlyMap<string, WorkloadTtl> {
  const said = new Map(cas.map(({ spec }) => [spec.cluster, spec.workloadTtl]))
  const ttls = new Map<string, WorkloadTtl>()
  for (const cluster of clusters) {
    const value = said.get(cluster.name)
    const provider = meshOf(cluster)?.provider
    if (value !== undefined) ttls.set(cluster.name, { value, assumed: false })
    else if (provider === 'istio' || provider === 'linkerd') ttls.set(cluster.name, { value: DEFAULT, assumed: true })
  }
  return ttls
}
