import type { ClusterDocument } from '../model/documents.ts'
import type { MeshCaSpec } from '../model/mesh-ca.ts'

/**
 * Why a CA cannot be rotated on its cluster, only watched; undefined where it can. Of a cluster without facts from Azure
 * nothing is known against it, and what the add-on of AKS runs says nothing of Linkerd.
 */
export function watchedBecause(
  { purpose }: Pick<MeshCaSpec, 'purpose'>,
  cluster: Pick<ClusterDocument, 'aks' | 'mesh' | 'name'> | undefined,
): { readonly reason: string; readonly message: string } | undefined {
  if (purpose !== 'mesh-ca' || !cluster?.aks?.mesh || cluster.aks.mesh.pluginCa) return undefined
  const message = `The mesh of ${cluster.name} signs with a CA that its istiod made itself. AKS does not change that for a mesh that is on: disable the mesh add-on, and enable it again with --key-vault-id and the four plug-in CA secrets (az aks mesh enable). Until then it is only watched.`
  return { reason: 'SelfSigned', message }
}
