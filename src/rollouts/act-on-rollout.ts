import { auditEntry, auditSubject } from '../model/audit-entry.ts'
import type { ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { remember, replayOf } from '../model/idempotency.ts'
import { actorOf } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import type { OutboxEntry } from '../model/outbox.ts'
import type { RequestContext } from '../model/request.ts'
import { isTerminal, type Rollout, serviceOfRollout } from '../model/rollout.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import { checkTeam } from './check-team.ts'
import { foldRollouts } from './fold-rollouts.ts'
import type { NamedStep } from './named-step.ts'
import { findRollout } from './read-rollout.ts'
import { applyVerb, type Verb } from './verbs.ts'

export interface ActDeps {
  readonly store: Store
  readonly clock: Clock
  /** Carries a service out on one cluster now. Failures are the worker's to repeat: they do not fail the call. */
  readonly carryOut: (service: string, cluster: string, session?: string) => Promise<void>
  /** Takes the next step of the service's rollouts now. */
  readonly advance: (service: string, session?: string) => Promise<void>
}

export interface VerbRequest {
  readonly verb: Verb
  readonly note: string
  /** Of `approve` and `reject`: the step that is meant. */
  readonly at?: NamedStep
}

/**
 * Does a verb to a rollout. An abort or roll back is carried out on the clusters inside the call, so that the answer comes
 * when the routes are written; what could not be reached is the queue's to repeat.
 */
export async function actOnRollout(
  deps: ActDeps,
  id: string,
  request: VerbRequest,
  context: RequestContext,
): Promise<Result<Rollout>> {
  const key = serviceOfRollout(id)
  if (key === undefined) return fail('NotFound', `There is no rollout ${id}.`)
  const changed = await changeDocument(
    deps.store,
    'service',
    key,
    async (stored): Promise<Result<Change<ServiceDocument, Rollout>>> => {
      const before = stored?.value
      const rollout = before?.rollouts.find((other) => other.id === id)
      const reach = before ? await checkTeam(deps.store, before, context) : succeed(undefined)
      if (!reach.ok) return reach
      const replay = replayOf(before?.idempotency ?? [], context.idempotency)
      if (!replay.ok) return replay
      if (!before || !rollout) return actOnEnded(deps, id, request, context, before, replay.value !== undefined)
      if (replay.value) return succeed({ kind: 'leave', value: rollout })
      const now = deps.clock.now()
      const after = applyVerb(rollout, { ...request, actor: actorOf(context.caller), now })
      if (!after.ok) return after
      const rollouts = before.rollouts.map((other) => (other.id === id ? after.value : other))
      const folded = foldRollouts(before, rollouts, now)
      // Also a verb that had nothing to do is remembered: it must have no effect when it comes again.
      const answer = { at: timestamp(now), status: 200, result: id }
      const idempotency = remember(before.idempotency, context.idempotency, answer)
      if (folded === before && idempotency === before.idempotency) return succeed({ kind: 'leave', value: rollout })
      const audit = after.value === rollout ? [] : [verbEntry(rollout, after.value, request, context)]
      const outbox = [...folded.outbox, ...audit]
      return succeed({ kind: 'write', document: { ...folded, idempotency, outbox }, value: after.value })
    },
  )
  if (!changed.ok) return changed
  const { value: rollout, stored, written } = changed.value
  if (written && !isTerminal(rollout.phase)) await carryOutNow(deps, key, rollout, stored?.session)
  return succeed((await findRollout(deps.store, id, stored?.session)) ?? rollout)
}

function verbEntry(before: Rollout, after: Rollout, { verb, note }: VerbRequest, context: RequestContext): OutboxEntry {
  return auditEntry({
    action: `rollout.${verb}`,
    subject: auditSubject('rollout', after.id),
    unique: after.updatedAt,
    time: after.updatedAt,
    context,
    before: { phase: before.phase, weight: before.weight },
    after: { phase: after.phase, weight: after.weight, ...(note === '' ? {} : { note }) },
    runUrl: after.source?.runUrl,
  })
}

/** A verb on an ended rollout: fine when its effect is there, or it is a request come again; else the failure names the phase. */
async function actOnEnded(
  deps: ActDeps,
  id: string,
  request: VerbRequest,
  context: RequestContext,
  service: ServiceDocument | undefined,
  isReplay: boolean,
): Promise<Result<Change<ServiceDocument, Rollout>>> {
  const rollout = await findRollout(deps.store, id)
  if (!rollout || !isTerminal(rollout.phase)) return fail('NotFound', `There is no rollout ${id}.`)
  if (isReplay) return succeed({ kind: 'leave', value: rollout })
  const now = deps.clock.now()
  const after = applyVerb(rollout, { ...request, actor: actorOf(context.caller), now })
  if (!after.ok) return after
  if (!service || !context.idempotency) return succeed({ kind: 'leave', value: rollout })
  // A verb on a service means another rollout once one begins: this request, come again, must not act on that.
  const answer = { at: timestamp(now), status: 200, result: id }
  const idempotency = remember(service.idempotency, context.idempotency, answer)
  return succeed({ kind: 'write', document: { ...service, idempotency }, value: rollout })
}

/** More clusters than this are left to workers. */
const MOST_AT_ONCE = 20

async function carryOutNow(deps: ActDeps, key: string, rollout: Rollout, session: string | undefined): Promise<void> {
  if (rollout.phase === 'rolling-back') {
    // The queue has them all; who called waits for those first that have something to take back.
    const first = [...rollout.targets].sort((a, b) => (b.highestWeight ?? 0) - (a.highestWeight ?? 0))
    await Promise.all(first.slice(0, MOST_AT_ONCE).map((target) => deps.carryOut(key, target.cluster, session)))
  }
  await deps.advance(key, session)
}
