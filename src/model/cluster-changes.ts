import type { ManagedClusterFacts } from './cluster.ts'

/** What a change that failed left is not being changed. */
const SETTLED = ['Succeeded', 'Failed', 'Canceled']

/** What Azure says is going on at a cluster that nothing of its mesh is to be touched in; undefined: nothing, or it says nothing. Pure. */
export function clusterChange(
  name: string,
  aks: ManagedClusterFacts | undefined,
): { readonly reason: string; readonly message: string } | undefined {
  if (!aks) return undefined
  if (aks.powerState === 'Stopped') return { reason: 'ClusterStopped', message: `Cluster ${name} is stopped.` }
  if (!SETTLED.includes(aks.provisioningState)) {
    const message = `Azure is changing cluster ${name} (${aks.provisioningState}): its control plane may be restarted meanwhile.`
    return { reason: 'ClusterChanging', message }
  }
  if ((aks.mesh?.revisions.length ?? 0) < 2) return undefined
  const message = `Cluster ${name} runs two mesh revisions (${aks.mesh?.revisions.join(', ')}): complete or roll back the upgrade first.`
  return { reason: 'MeshUpgrade', message }
}
