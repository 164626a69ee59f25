import { findCondition } from '../model/condition.ts'
import type { ClusterDocument } from '../model/documents.ts'
import type { OutboxEntry } from '../model/outbox.ts'
import type { CaHold } from './observations.ts'

export const AZURE_UNKNOWN = 'AzureUnknown'
/** What Azure said longer ago tells nothing of what it does to the cluster now. */
const STALE_MS = 15 * 60_000
/** A probe takes seconds. */
const ASK_MS = 15_000
const LOOK_MS = 60_000

/** Why what Azure says of a cluster by ARM id cannot be relied on; empty: it can. `now` is epoch milliseconds. */
export function azureHolds(cluster: ClusterDocument, now: number): readonly CaHold[] {
  if (cluster.spec.resourceId === undefined) return []
  const {
    status,
    reason = 'Unknown',
    message = 'It was not asked yet.',
  } = findCondition(cluster.conditions, 'AzureReady') ?? {}
  const age = now - Date.parse(cluster.probedAt ?? '')
  const hold = { kind: 'cluster', reason: AZURE_UNKNOWN } as const
  // A condition is as old as the probe that set it.
  if (!(age <= STALE_MS)) {
    const words = `Azure has not been asked about cluster ${cluster.name} in the last 15 minutes: it may be at work on it. It is asked now.`
    return [{ ...hold, message: words, until: now + ASK_MS, isStale: true }]
  }
  if (cluster.aks && (status === 'True' || (status === 'False' && reason === cluster.aks.provisioningState))) return []
  const words = `What Azure does with cluster ${cluster.name} is not known (${reason}): ${message}`
  return [{ ...hold, message: words, until: now + LOOK_MS }]
}

/** Has the cluster probed, and what was found recorded though nothing is new. */
export function probeWork(cluster: string, unique: string): OutboxEntry {
  const message = { kind: 'probe', cluster, record: true } as const
  return { id: `probe.${unique}`, kind: 'work', queue: 'work', message }
}
