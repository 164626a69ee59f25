import { fail, type Result, succeed } from '../model/failure.ts'
import { actorOf } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import type { RequestContext } from '../model/request.ts'
import { changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import { checkPreconditions } from '../ports/put-document.ts'
import type { Store } from '../ports/store.ts'
import { clusterEvent } from './cluster-event.ts'
import { servicesOn } from './services-on.ts'

/**
 * Lets go of a cluster. Services that name it stand in the way (409); those that chose it by label are taken off it
 * first, and the document stays, marked, until the last of them is gone.
 */
export async function deleteCluster(
  deps: { readonly store: Store; readonly clock: Clock },
  name: string,
  context: RequestContext,
): Promise<Result<undefined>> {
  const services = await servicesOn(deps.store, name)
  const naming = await Promise.all(services.map((key) => deps.store.read('service', key)))
  const fixed = naming.filter(
    (stored) => stored && Array.isArray(stored.value.spec.clusters) && stored.value.spec.clusters.includes(name),
  )
  const changed = await changeDocument(deps.store, 'cluster', name, (stored) => {
    if (!stored) return fail('NotFound', `There is no cluster ${name}.`)
    const failed = checkPreconditions(name, stored.value.spec, context)
    if (failed) return { ok: false, failure: failed }
    if (fixed.length > 0) {
      const names = fixed.map((stored) => `${stored?.value.namespace}/${stored?.value.name}`).slice(0, 5)
      return fail('InUse', `Services name cluster ${name}: ${names.join(', ')}.`)
    }
    if (services.length === 0) return succeed({ kind: 'remove' as const, value: undefined })
    if (stored.value.deletingAt) return succeed({ kind: 'leave' as const, value: undefined })
    const now = timestamp(deps.clock.now())
    const event = clusterEvent(name, 'cluster.deleting', {
      id: now,
      time: now,
      actor: actorOf(context.caller),
      reason: 'Deleting',
      message: `Cluster ${name} is being let go.`,
    })
    const document = {
      ...stored.value,
      deletingAt: now,
      dueAt: now,
      updatedAt: now,
      outbox: [
        ...stored.value.outbox,
        { id: event.id, kind: 'event' as const, event },
        {
          id: `select.${now}`,
          kind: 'work' as const,
          queue: 'work' as const,
          message: { kind: 'select' as const, cluster: name },
        },
      ],
    }
    return succeed({ kind: 'write' as const, document, value: undefined })
  })
  return changed.ok ? succeed(undefined) : changed
}
