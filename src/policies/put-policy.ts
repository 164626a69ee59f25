import { type PolicyDocument, SCHEMA } from '../model/documents.ts'
import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import { actorOf } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import type { SharedPolicySpec } from '../model/policy/shared-policy.ts'
import type { RequestContext } from '../model/request.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import { type PutOutcome, putDocument } from '../ports/put-document.ts'
import type { Store } from '../ports/store.ts'
import { memberFailure, memberProblems } from './check-members.ts'
import { checkStrict } from './check-strict.ts'
import { readFleet } from './observe-reach.ts'
import { policyEvent, spreadWork } from './policy-event.ts'

/**
 * Keeps a policy for many services, and sends it on its way to them. Refused whole when a service that it holds for would break a guard
 * rail, or could not carry it: nothing is half applied.
 */
export async function putPolicy(
  deps: { readonly store: Store; readonly clock: Clock; readonly metrics: MetricsSources },
  name: string,
  spec: SharedPolicySpec,
  context: RequestContext,
): Promise<Result<PutOutcome<PolicyDocument>>> {
  return putDocument(deps, {
    kind: 'policy',
    key: name,
    spec,
    context,
    build: async (before, now) => {
      if (before?.deletingAt) return fail('Deleting', `Policy ${name} is being deleted.`)
      const document = nextPolicy(before, { name, spec, now })
      const failure = (await unknownTeam(deps.store, spec)) ?? (await unfit(deps.store, document))
      if (failure) return { ok: false, failure }
      const strict = await checkStrict(deps, document)
      if (!strict.ok) return strict
      const event = policyEvent(name, before ? 'policy.changed' : 'policy.registered', {
        id: `${document.createdAt}.${document.generation}`,
        time: now,
        actor: actorOf(context.caller),
        reason: before ? 'Changed' : 'Registered',
        message: before ? `Policy ${name} was changed.` : `Policy ${name} was registered.`,
      })
      const outbox = [...document.outbox, event, spreadWork(name, `${document.createdAt}.${document.generation}`)]
      return succeed({ document: { ...document, outbox, dueAt: now }, warnings: strict.value })
    },
  })
}

/** A policy as a PUT makes it, without what must follow. */
export function nextPolicy(
  before: PolicyDocument | undefined,
  { name, spec, now }: { readonly name: string; readonly spec: SharedPolicySpec; readonly now: string },
): PolicyDocument {
  return {
    observedGeneration: 0,
    conditions: [],
    ...before,
    schema: SCHEMA,
    kind: 'policy',
    name,
    spec,
    generation: (before?.generation ?? 0) + 1,
    saidAt: saidAfter(before, now),
    idempotency: [],
    outbox: before?.outbox ?? [],
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
  }
}

/** Later than before, whatever the clocks of two processes say. */
export function saidAfter(before: PolicyDocument | undefined, now: string): string {
  if (!before || before.saidAt < now) return now
  return timestamp(Date.parse(before.saidAt) + 1)
}

async function unknownTeam(store: Store, { appliesTo }: SharedPolicySpec): Promise<Failure | undefined> {
  if (appliesTo === 'all' || !('team' in appliesTo)) return undefined
  if (await store.read('team', appliesTo.team)) return undefined
  const errors = [{ pointer: '/appliesTo/team', reason: `there is no team ${appliesTo.team}` }]
  return fail('UnknownReference', `The policy is for the unknown team ${appliesTo.team}.`, { errors }).failure
}

async function unfit(store: Store, document: PolicyDocument): Promise<Failure | undefined> {
  const [policies, fleet] = await Promise.all([store.all('policy'), readFleet(store)])
  const others = policies.filter(({ name }) => name !== document.name)
  const change = { name: document.name, before: policies, after: [...others, document] }
  return memberFailure(memberProblems(fleet, change))
}
