import type { PolicyDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { actorOf } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import type { RequestContext } from '../model/request.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import { removalEntry } from '../ports/delete-document.ts'
import { checkPreconditions } from '../ports/put-document.ts'
import type { Store } from '../ports/store.ts'
import { memberFailure, memberProblems } from './check-members.ts'
import { readFleet } from './observe-reach.ts'
import { policyEvent, spreadWork } from './policy-event.ts'
import { saidAfter } from './put-policy.ts'

/** Starts to remove a policy: it is taken off services in waves, then the document goes. `removed`: nothing carried it. */
export async function deletePolicy(
  deps: { readonly store: Store; readonly clock: Clock },
  name: string,
  context: RequestContext,
): Promise<Result<{ readonly removed: boolean }>> {
  const changed = await changeDocument(
    deps.store,
    'policy',
    name,
    async (stored): Promise<Result<Change<PolicyDocument, { removed: boolean }>>> => {
      const before = stored?.value
      if (!before) return fail('NotFound', `There is no policy ${name}.`)
      const failed = checkPreconditions(name, before.spec, context)
      if (failed) return { ok: false, failure: failed }
      if (before.deletingAt) return succeed({ kind: 'leave', value: { removed: false } })
      const [policies, fleet] = await Promise.all([deps.store.all('policy'), readFleet(deps.store)])
      const after = policies.filter((policy) => policy.name !== name)
      const refused = memberFailure(memberProblems(fleet, { name, before: policies, after }))
      if (refused) return { ok: false, failure: refused }
      const now = timestamp(deps.clock.now())
      const audit = removalEntry('policy', name, before, context, now)
      const carried = fleet.services.some(({ layers }) => layers?.some((layer) => layer.name === name))
      if (!carried) return succeed({ kind: 'remove', value: { removed: true }, last: [audit] })
      return succeed({ kind: 'write', document: leaving(before, context, now, audit), value: { removed: false } })
    },
  )
  return changed.ok ? succeed(changed.value.value) : changed
}

function leaving(
  before: PolicyDocument,
  context: RequestContext,
  now: string,
  audit: PolicyDocument['outbox'][number],
): PolicyDocument {
  const event = policyEvent(before.name, 'policy.deleting', {
    id: now,
    time: now,
    actor: actorOf(context.caller),
    reason: 'Deleting',
    message: `Policy ${before.name} is being taken off the services that carry it.`,
  })
  return {
    ...before,
    // Another change on its way: waves begin anew.
    generation: before.generation + 1,
    saidAt: saidAfter(before, now),
    deletingAt: now,
    dueAt: now,
    updatedAt: now,
    outbox: [...before.outbox, event, audit, spreadWork(before.name, `delete.${now}`)],
  }
}
