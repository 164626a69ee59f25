import type { ClusterDocument } from '../model/documents.ts'
import { succeed } from '../model/failure.ts'
import { timestamp } from '../model/names.ts'
import { changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import { isWantedOn, readDependents, readHostsOn } from './services-on.ts'

const LEAST_MS = 5_000
const MOST_MS = 300_000

/**
 * Removes a cluster that is being let go once no service is on it any more; else looks again in a while, the longer it
 * takes the less often. Does nothing to any other cluster, nor before the time of the next look.
 */
export async function finishDelete(
  deps: { readonly store: Store; readonly clock: Clock },
  name: string,
): Promise<void> {
  const cluster = (await deps.store.read('cluster', name))?.value
  if (cluster?.deletingAt === undefined) return
  const [dependents, hosts] = await Promise.all([readDependents(deps.store, name), readHostsOn(deps.store, name)])
  // An orphan has nothing removed from it: what only has to leave it does so when it is gone.
  const left = cluster.orphan ? dependents.filter((one) => isWantedOn(one, name)) : [...dependents, ...hosts]
  await changeDocument(deps.store, 'cluster', name, (stored) => {
    if (stored?.value.deletingAt === undefined) return succeed({ kind: 'leave' as const, value: undefined })
    if (left.length === 0) return succeed({ kind: 'remove' as const, value: undefined })
    const now = deps.clock.now()
    if (stored.value.dueAt !== undefined && Date.parse(stored.value.dueAt) > now)
      return succeed({ kind: 'leave' as const, value: undefined })
    return succeed({ kind: 'write' as const, document: lookAgain(stored.value, now), value: undefined })
  })
}

function lookAgain(cluster: ClusterDocument, now: number): ClusterDocument {
  const waited = now - Date.parse(cluster.deletingAt ?? cluster.updatedAt)
  const dueAt = timestamp(now + Math.min(MOST_MS, Math.max(LEAST_MS, Math.round(waited / 4))))
  const message = { kind: 'probe' as const, cluster: cluster.name }
  const again = { id: `probe.${dueAt}`, kind: 'work' as const, queue: 'work' as const, message, notBefore: dueAt }
  return { ...cluster, dueAt, updatedAt: timestamp(now), outbox: [...cluster.outbox, again] }
}
