import type { ClusterSpec, ManagedClusterFacts } from '../model/cluster.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { isSameResource, refusalOf } from '../model/managed-cluster.ts'
import type { ManagedClusters } from '../ports/managed-clusters.ts'
import { isPortError } from '../ports/port-error.ts'
import type { Store } from '../ports/store.ts'

/**
 * Whether a cluster may be registered by its ARM id: under no other name yet, there in Azure, with Entra ID. Answers
 * warnings: what Azure could not tell now is no reason to refuse, the probe tells it later. An id that stays is not
 * looked at again.
 */
export async function checkResource(
  deps: { readonly store: Store; readonly managedClusters: ManagedClusters },
  name: string,
  before: ClusterSpec | undefined,
  { resourceId }: ClusterSpec,
): Promise<Result<readonly string[]>> {
  if (resourceId === undefined || isSameResource(before?.resourceId, resourceId)) return succeed([])
  const other = await nameOfResource(deps.store, resourceId)
  if (other !== undefined && other !== name) {
    return fail('InUse', `The cluster is registered already, as ${other}.`, {
      errors: [{ pointer: '/resourceId', reason: `is that of the registered cluster ${other}` }],
      hint: `Use cluster ${other}, or DELETE it first: two names for one cluster would write the same objects.`,
    })
  }
  try {
    return judge(await deps.managedClusters.facts(resourceId, 0))
  } catch (error) {
    if (!isPortError(error)) throw error
    if (error.kind !== 'not-found') return succeed([`Azure did not tell of the cluster: ${error.message}.`])
    return fail('UnknownReference', 'Azure has no cluster with this id.', {
      errors: [{ pointer: '/resourceId', reason: 'names no cluster in Azure' }],
      hint: 'Take the id from: az aks show --resource-group GROUP --name NAME --query id',
    })
  }
}

function judge(facts: ManagedClusterFacts): Result<readonly string[]> {
  const refusal = refusalOf(facts)
  if (refusal?.reason === 'EntraRequired') {
    return fail('UnsupportedFeature', `The cluster cannot be used: ${refusal.message}.`, {
      errors: [{ pointer: '/resourceId', reason: 'is a cluster without Entra ID' }],
      hint: 'Turn Entra ID on (az aks update --enable-aad), or register a kubeconfig context for a pilot.',
    })
  }
  return succeed(refusal ? [`The cluster cannot be used now: ${refusal.message}.`] : [])
}

/** The name under which an ARM id is registered. */
async function nameOfResource(store: Store, resourceId: string): Promise<string | undefined> {
  const clusters = await store.all('cluster')
  return clusters.find(({ spec }) => isSameResource(spec.resourceId, resourceId))?.name
}
