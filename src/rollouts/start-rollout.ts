import { mayReach } from '../model/access.ts'
import { shortId } from '../model/digest.ts'
import { keyOf, type ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { remember, replayOf } from '../model/idempotency.ts'
import { actorOf, SCHEDULE } from '../model/identity.ts'
import { durationMs, timestamp } from '../model/names.ts'
import type { RequestContext } from '../model/request.ts'
import type { Rollout, RolloutRequest, RolloutTarget } from '../model/rollout.ts'
import { serviceKey } from '../model/service.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import type { Random } from '../ports/random.ts'
import type { Store } from '../ports/store.ts'
import { type CheckedCandidate, checkCandidate } from './check-candidate.ts'
import { foldRollouts } from './fold-rollouts.ts'
import { findRollout } from './read-rollout.ts'
import { type ResolvedStrategy, resolveStrategy } from './resolve-strategy.ts'
import { warnAtStart } from './start-warnings.ts'
import { enter } from './transition.ts'

export interface StartDeps {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly metrics: MetricsSources
}

/** Starts a rollout of a candidate. One write of the service document; the outbox carries on. */
export async function startRollout(
  deps: StartDeps,
  namespace: string,
  name: string,
  request: RolloutRequest,
  context: RequestContext,
): Promise<Result<Rollout>> {
  const key = serviceKey(namespace, name)
  const suffix = context.idempotency ? shortId(10, context.idempotency.id) : shortId(10, deps.random.uuid())
  const id = `${namespace}.${name}.${suffix}`
  const strategy = await resolveStrategy(deps.store, request)
  if (!strategy.ok) return strategy
  const changed = await changeDocument(
    deps.store,
    'service',
    key,
    async (stored): Promise<Result<Change<ServiceDocument, string>>> => {
      const before = stored?.value
      if (!before) return fail('NotFound', `There is no service ${key}.`)
      const team = (await deps.store.read('team', before.spec.team))?.value.spec
      const reach = mayReach(context.caller, before.spec.team, team, namespace)
      if (!reach.ok) return reach
      const replay = replayOf(before.idempotency, context.idempotency)
      if (!replay.ok) return replay
      if (replay.value) return succeed({ kind: 'leave', value: String(replay.value.result) })
      if (before.deletingAt) return fail('Deleting', `Service ${key} is being deleted.`)
      const planned = planRollout(before, request)
      if (!planned.ok) return planned
      const now = deps.clock.now()
      const warnings = [
        ...strategy.value.warnings,
        ...planned.value.warnings,
        ...(await warnAtStart(deps, strategy.value.spec, planned.value)),
      ]
      const rollout = newRollout(id, request, { strategy: strategy.value, ...planned.value, warnings }, context, now)
      const document = withRollout(before, rollout, planned.value.candidate, now)
      const answer = { at: timestamp(now), status: 201, result: id }
      const idempotency = remember(before.idempotency, context.idempotency, answer)
      return succeed({ kind: 'write', document: { ...document, idempotency }, value: id })
    },
  )
  if (!changed.ok) return changed
  const rollout = await findRollout(deps.store, changed.value.value, changed.value.stored?.session)
  return rollout ? succeed(rollout) : fail('NotFound', `There is no rollout ${changed.value.value}.`)
}

interface PlannedRollout {
  readonly candidate: CheckedCandidate
  readonly targets: readonly RolloutTarget[]
  readonly warnings: readonly string[]
}

/** Where the rollout goes, and what stands in its way. */
function planRollout(service: ServiceDocument, request: RolloutRequest): Result<PlannedRollout> {
  const key = keyOf(service)
  const wanted = request.clusters ?? Object.keys(service.targets).sort()
  const unknown = wanted.filter((cluster) => !Object.hasOwn(service.targets, cluster))
  if (unknown.length > 0) {
    const errors = unknown.map((cluster) => ({ pointer: '/clusters', reason: `service ${key} is not on ${cluster}` }))
    return fail('UnknownReference', `Service ${key} is not on ${unknown.join(', ')}.`, { errors })
  }
  if (wanted.length === 0) {
    const errors = [{ pointer: '/clusters', reason: 'the service is on no cluster' }]
    return fail('InvalidCombination', `Service ${key} is on no cluster.`, {
      errors,
      hint: 'Add clusters to the service first.',
    })
  }
  if (service.spec.traffic?.weights)
    return fail('WeightsPinned', `Service ${key} fixes its weights in traffic.weights.`)
  const stables = [...new Set(wanted.map((cluster) => service.targets[cluster]?.stable ?? service.spec.initialVersion))]
  const candidate = checkCandidate(service, request, stables)
  if (!candidate.ok) return candidate
  const targets = wanted
    .map((cluster) =>
      newTarget(cluster, service.targets[cluster]?.stable ?? service.spec.initialVersion, candidate.value.name),
    )
    .filter((target) => target.stable !== target.candidate)
  if (targets.length === 0) {
    const errors = [{ pointer: '/candidate', reason: 'is stable already on every cluster of the rollout' }]
    return fail('InvalidCombination', `${candidate.value.name} is stable already.`, {
      errors,
      hint: 'Name another version.',
    })
  }
  const overlap = service.rollouts.find((rollout) => rollout.phase !== 'baking' && sharesCluster(rollout, targets))
  if (overlap) {
    return fail('RolloutInFlight', `Rollout ${overlap.id} is live on the same cluster (${overlap.phase}).`, {
      errors: [{ pointer: '/clusters', reason: `overlap with rollout ${overlap.id}` }],
    })
  }
  const skipped = wanted.filter((cluster) => !targets.some((target) => target.cluster === cluster))
  return succeed({
    candidate: candidate.value,
    targets,
    warnings: skipped.map((cluster) => `${cluster} runs ${candidate.value.name} already and is left out`),
  })
}

function newTarget(cluster: string, stable: string, candidate: string): RolloutTarget {
  return { cluster, stable, candidate, weight: 0, observedWeight: null }
}

function sharesCluster(rollout: Rollout, targets: readonly RolloutTarget[]): boolean {
  return rollout.targets.some((mine) => targets.some((target) => target.cluster === mine.cluster))
}

/** The document with the new rollout in it. A rollout that still bakes on the same clusters has done its work: it ends. */
function withRollout(
  before: ServiceDocument,
  rollout: Rollout,
  candidate: CheckedCandidate,
  now: number,
): ServiceDocument {
  const cause = { actor: SCHEDULE, reason: 'NextRollout', message: `Baking ended with the start of ${rollout.id}.` }
  const others = before.rollouts.map((other) =>
    other.phase === 'baking' && sharesCluster(other, rollout.targets) ? enter(other, 'succeeded', cause, now) : other,
  )
  const grown = candidate.spec.versions !== before.spec.versions
  const service = grown ? { ...before, spec: candidate.spec, generation: before.generation + 1 } : before
  return foldRollouts(service, [...others, rollout], now)
}

interface NewRollout extends PlannedRollout {
  readonly strategy: ResolvedStrategy
}

function newRollout(
  id: string,
  request: RolloutRequest,
  plan: NewRollout,
  context: RequestContext,
  now: number,
): Rollout {
  const at = timestamp(now)
  const actor = actorOf(context.caller)
  const { spec, name } = plan.strategy
  const message = `${plan.candidate.name} is to replace ${[...new Set(plan.targets.map((target) => target.stable))].join(', ')}.`
  return {
    id,
    phase: 'pending',
    reason: 'Started',
    message,
    actor,
    candidate: plan.candidate.name,
    targets: plan.targets,
    strategy: name,
    steps: spec.steps,
    gates: spec.gates,
    bakeMs: durationMs(spec.bake),
    patienceMs: durationMs(spec.patience),
    readyTimeoutMs: durationMs(spec.readyTimeout),
    onBlind: spec.onBlind,
    alpha: spec.alpha,
    minEvents: spec.minEvents,
    ...(request.source ? { source: request.source } : {}),
    step: -1,
    weight: 0,
    revision: 0,
    phaseSince: at,
    weightSince: at,
    progress: [],
    warnings: plan.warnings,
    history: [{ from: 'pending', to: 'pending', at, actor, reason: 'Started', message, step: -1, weight: 0 }],
    startedAt: at,
    updatedAt: at,
    nextAttemptAt: at,
  }
}
