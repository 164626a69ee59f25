import type { ManagedClusterFacts } from '../../../src/model/cluster.ts'
import type { ClusterEndpoint, ManagedClusters } from '../../../src/ports/managed-clusters.ts'
import { PortError } from '../../../src/ports/port-error.ts'

/** What Azure says, by ARM id in lower case; of others it says that they are gone. */
export class FakeManagedClusters implements ManagedClusters {
  readonly known = new Map<string, ManagedClusterFacts>()
  /** What every question throws. */
  failure: PortError | undefined
  /** Ids that were asked for, in order. */
  readonly asked: string[] = []
  /** How old an answer could be at each. */
  readonly ages: (number | undefined)[] = []

  put(resourceId: string, change: Partial<ManagedClusterFacts> = {}): void {
    this.known.set(resourceId.toLowerCase(), someFacts(change))
  }

  async facts(resourceId: string, maxAgeMs?: number): Promise<ManagedClusterFacts> {
    this.asked.push(resourceId)
    this.ages.push(maxAgeMs)
    if (this.failure) throw this.failure
    const found = this.known.get(resourceId.toLowerCase())
    if (found) return found
    throw new PortError('not-found', 'Azure', 'there is no such cluster', { reason: 'ClusterGone' })
  }

  async endpoint(): Promise<ClusterEndpoint> {
    throw new Error('nobody connects here')
  }
}

/** A cluster with Entra ID, the add-on and the secrets provider. */
export function someFacts(change: Partial<ManagedClusterFacts> = {}): ManagedClusterFacts {
  return {
    provisioningState: 'Succeeded',
    powerState: 'Running',
    location: 'westeurope',
    kubernetesVersion: '1.34.2',
    isPrivate: false,
    entra: { enabled: true, azureRbac: false, localAccountsDisabled: true },
    mesh: { revisions: ['asm-1-30'], ingressGateways: [{ mode: 'External', enabled: true }], egressGateways: [] },
    secretsProvider: { rotation: true, pollInterval: '2m' },
    azureMonitorMetrics: true,
    ...change,
  }
}

export function armIdOf(name: string): string {
  return `/subscriptions/00000000-dddd-4000-8000-00000000000a/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/${name}`
}
