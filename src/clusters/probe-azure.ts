import type { ManagedClusterFacts } from '../model/cluster.ts'
import type { ConditionInput } from '../model/condition.ts'
import { refusalOf } from '../model/managed-cluster.ts'
import type { ManagedClusters } from '../ports/managed-clusters.ts'
import { isPortError } from '../ports/port-error.ts'

/** What Azure says of a cluster by ARM id. */
export interface AzureFindings {
  readonly conditions: readonly ConditionInput[]
  /** Absent: Azure did not say; those known before stay. */
  readonly facts?: ManagedClusterFacts
  /** Nobody needs to connect: as the cluster is, it cannot answer, and `conditions` say so. */
  readonly isOut: boolean
}

/** What Azure said of a cluster that could not be used at the last look may be this old. */
const troubledMs = 30_000

/** Sets `AzureReady`; where Azure says that the cluster cannot answer, `Reachable` too. Failures of Azure are findings. */
export async function probeAzure(
  managedClusters: ManagedClusters,
  resourceId: string,
  isTroubled: boolean,
): Promise<AzureFindings> {
  try {
    const facts = await managedClusters.facts(resourceId, isTroubled ? troubledMs : undefined)
    const refusal = refusalOf(facts)
    return refusal
      ? { facts, ...out(refusal.reason, `It cannot be used: ${refusal.message}.`) }
      : { facts, conditions: [readiness(facts)], isOut: false }
  } catch (error) {
    if (!isPortError(error)) throw error
    if (error.kind === 'not-found') return out('ClusterGone', 'Azure has no cluster with this id.')
    const reason = error.reason ?? 'ArmUnavailable'
    return { conditions: [{ type: 'AzureReady', status: 'Unknown', reason, message: error.message }], isOut: false }
  }
}

function out(reason: string, message: string): AzureFindings {
  const says = { status: 'False' as const, reason, message }
  return {
    conditions: [
      { type: 'AzureReady', ...says },
      { type: 'Reachable', ...says },
    ],
    isOut: true,
  }
}

/** An operation that runs or has failed leaves most clusters working: this condition alone tells of it. */
function readiness({ provisioningState }: ManagedClusterFacts): ConditionInput {
  const type = 'AzureReady'
  if (provisioningState === 'Succeeded') {
    return { type, status: 'True', reason: 'Succeeded', message: 'The cluster is provisioned and runs.' }
  }
  const reason = /^[A-Za-z]{1,64}$/.test(provisioningState) ? provisioningState : 'Unknown'
  const message =
    reason === 'Failed' || reason === 'Canceled'
      ? `The last operation of Azure on the cluster ended as ${reason}.`
      : `Azure is at work on the cluster: ${reason}.`
  return { type, status: 'False', reason, message }
}
