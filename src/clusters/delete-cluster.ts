import { auditEntry, auditSubject } from '../model/audit-entry.ts'
import type { ClusterDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { actorOf } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import type { OutboxEntry } from '../model/outbox.ts'
import type { RequestContext } from '../model/request.ts'
import { changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import { removalEntry } from '../ports/delete-document.ts'
import { checkPreconditions } from '../ports/put-document.ts'
import type { Store } from '../ports/store.ts'
import { clusterEvent } from './cluster-event.ts'
import { type Dependent, describeDependent, readDependents, readHostsOn } from './services-on.ts'

export interface DeleteClusterOptions {
  /** Wait for nothing to be removed there: for a cluster that is gone. What was written there stays. */
  readonly orphan?: boolean
}

/**
 * Lets go of a cluster. Services and certificates that name it stand in the way (409); those that chose it by label are taken off it
 * first, and the document stays, marked, until the last of them is gone. With `orphan` it stays only until no live rollout
 * needs it; the placements then go by themselves, for there is nothing left to remove objects from.
 */
export async function deleteCluster(
  deps: { readonly store: Store; readonly clock: Clock },
  name: string,
  context: RequestContext,
  { orphan = false }: DeleteClusterOptions = {},
): Promise<Result<undefined>> {
  const [dependents, hosts] = await Promise.all([readDependents(deps.store, name), readHostsOn(deps.store, name)])
  const cas = await deps.store.all('mesh-ca', { where: { 'spec.cluster': name } })
  const naming = [
    ...dependents.filter((one) => names(one, name)).map(describeDependent),
    ...cas.map((ca) => `mesh CA ${ca.name}`),
  ]
  const changed = await changeDocument(deps.store, 'cluster', name, (stored) => {
    if (!stored) return fail('NotFound', `There is no cluster ${name}.`)
    const failed = checkPreconditions(name, stored.value.spec, context)
    if (failed) return { ok: false, failure: failed }
    if (naming.length > 0) {
      return fail('InUse', `Cluster ${name} is named by ${naming.slice(0, 5).join(', ')}.`, {
        hint: 'PUT them without the cluster first; a mesh CA is deleted.',
      })
    }
    const now = timestamp(deps.clock.now())
    if (dependents.length + hosts.length === 0) {
      const last = [removalEntry('cluster', name, stored.value, context, now)]
      return succeed({ kind: 'remove' as const, value: undefined, last })
    }
    const isUnderWay = stored.value.deletingAt !== undefined && (!orphan || stored.value.orphan === true)
    if (isUnderWay) return succeed({ kind: 'leave' as const, value: undefined })
    const document = marked(stored.value, orphan, context, now)
    return succeed({ kind: 'write' as const, document, value: undefined })
  })
  return changed.ok ? succeed(undefined) : changed
}

function names({ spec }: Dependent, cluster: string): boolean {
  return Array.isArray(spec.clusters) && spec.clusters.includes(cluster)
}

function marked(before: ClusterDocument, orphan: boolean, context: RequestContext, now: string): ClusterDocument {
  const { name } = before
  const event = clusterEvent(name, orphan ? 'cluster.orphaned' : 'cluster.deleting', {
    id: now,
    time: now,
    actor: actorOf(context.caller),
    reason: orphan ? 'Orphaned' : 'Deleting',
    message: orphan
      ? `Cluster ${name} is being let go; what was written there stays.`
      : `Cluster ${name} is being let go.`,
  })
  return {
    ...before,
    deletingAt: before.deletingAt ?? now,
    ...(orphan ? { orphan: true } : {}),
    dueAt: now,
    updatedAt: now,
    outbox: [
      ...before.outbox,
      { id: event.id, kind: 'event', event },
      orphan ? orphanEntry(before, context, now) : removalEntry('cluster', name, before, context, now),
      { id: `select.${now}`, kind: 'work', queue: 'work', message: { kind: 'select', cluster: name } },
    ],
  }
}

/** Letting go without tidying up is another act than a removal, and may follow one. */
function orphanEntry(before: ClusterDocument, context: RequestContext, now: string): OutboxEntry {
  const subject = auditSubject('cluster', before.name)
  return auditEntry({ action: 'cluster.orphan', subject, unique: now, time: now, context, before: before.spec })
}
