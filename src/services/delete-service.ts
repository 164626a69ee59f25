import type { ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { actorOf } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import type { RequestContext } from '../model/request.ts'
import { serviceKey } from '../model/service.ts'
import { hostWork, reconcileWork, serviceEvent } from '../model/service-event.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import { removalEntry } from '../ports/delete-document.ts'
import { checkPreconditions } from '../ports/put-document.ts'
import type { Store } from '../ports/store.ts'
import { checkStoredTeam } from './check-references.ts'
import { retarget } from './choose-clusters.ts'

/**
 * Starts to remove a service: what we wrote is pruned from every cluster, then the document goes. `removed` says that
 * nothing was left to prune.
 */
export async function deleteService(
  deps: { readonly store: Store; readonly clock: Clock },
  namespace: string,
  name: string,
  context: RequestContext,
): Promise<Result<{ readonly removed: boolean }>> {
  const key = serviceKey(namespace, name)
  const changed = await changeDocument(
    deps.store,
    'service',
    key,
    async (stored): Promise<Result<Change<ServiceDocument, { removed: boolean }>>> => {
      const before = stored?.value
      if (!before) return fail('NotFound', `There is no service ${key}.`)
      const failed =
        checkPreconditions(key, before.spec, context) ?? (await checkStoredTeam(deps.store, context.caller, before))
      if (failed) return { ok: false, failure: failed }
      if (before.deletingAt) return succeed({ kind: 'leave', value: { removed: false } })
      const [live] = before.rollouts
      if (live) return fail('RolloutInFlight', `Service ${key} has the live rollout ${live.id}.`)
      const { targets, leaving } = retarget(before, [], before.spec.initialVersion)
      const now = timestamp(deps.clock.now())
      const audit = removalEntry('service', key, before, context, now)
      if (leaving.length === 0) return succeed({ kind: 'remove', value: { removed: true }, last: [audit] })
      const renderRevision = before.renderRevision + 1
      const event = serviceEvent(key, 'service.deleting', {
        id: String(renderRevision),
        time: now,
        actor: actorOf(context.caller),
        reason: 'Deleting',
        message: `Service ${key} is being removed from ${leaving.join(', ')}.`,
      })
      const outbox = [
        ...before.outbox,
        event,
        audit,
        ...reconcileWork(key, leaving, renderRevision),
        ...hostWork(key, [before.spec], renderRevision),
      ]
      const { spread: _, dueAt: _d, ...kept } = before
      const document = { ...kept, targets, leaving, renderRevision, deletingAt: now, updatedAt: now, outbox }
      return succeed({ kind: 'write', document, value: { removed: false } })
    },
  )
  return changed.ok ? succeed(changed.value.value) : changed
}
