import type { ManagedClusterFacts } from './cluster.ts'

/** ARM ids are compared without regard to case. */
export function isSameResource(one: string | undefined, other: string | undefined): boolean {
  return one?.toLowerCase() === other?.toLowerCase()
}

/** Why nobody can sign in at a cluster as its facts are; undefined when there is nothing against it. */
export function refusalOf(
  facts: ManagedClusterFacts,
): { readonly reason: string; readonly message: string } | undefined {
  if (!facts.entra.enabled) {
    return {
      reason: 'EntraRequired',
      message: 'the cluster has no Entra ID integration, so nobody can sign in there with an Entra token',
    }
  }
  if (facts.powerState === 'Stopped') return { reason: 'ClusterStopped', message: 'the cluster is stopped' }
  return undefined
}
