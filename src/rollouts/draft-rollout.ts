import { keyOf, type ServiceDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import type { OutboxEntry } from '../model/outbox.ts'
import type { RequestContext } from '../model/request.ts'
import type { Rollout, RolloutRequest, RolloutWave } from '../model/rollout.ts'
import type { AddressPolicy } from '../ports/address-policy.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import type { Store } from '../ports/store.ts'
import type { CheckedCandidate } from './check-candidate.ts'
import { readClusters } from './check-clusters.ts'
import { checkGates } from './check-gates.ts'
import { checkImage, type PlanOn } from './check-image.ts'
import { checkSize } from './check-size.ts'
import { checkTraffic } from './check-traffic.ts'
import { checkWebhookSteps } from './check-webhook-steps.ts'
import { foldRollouts } from './fold-rollouts.ts'
import { newRollout } from './new-rollout.ts'
import { type PlannedRollout, planRollout, sharesCluster } from './plan-rollout.ts'
import { planWaves } from './plan-waves.ts'
import { type ResolvedStrategy, resolveStrategy } from './resolve-strategy.ts'
import { enter } from './transition.ts'

export interface DraftDeps {
  readonly store: Store
  readonly clock: Clock
  readonly metrics: MetricsSources
  readonly plan: PlanOn
  readonly addresses: AddressPolicy
}

export interface CheckedStart extends PlannedRollout {
  readonly strategy: ResolvedStrategy
  readonly waves: readonly RolloutWave[] | undefined
}

/** What a new rollout is asked to be. */
export interface RolloutDraft {
  readonly id: string
  readonly request: RolloutRequest
  readonly context: RequestContext
  /** It does anew what another did. */
  readonly isRetry?: boolean
}

/**
 * A new rollout, and the service document with it, once nothing stands in its way: what a start writes. Nothing is written
 * here.
 */
export async function draftRollout(
  deps: DraftDeps,
  service: ServiceDocument,
  { id, request, context, isRetry }: RolloutDraft,
): Promise<Result<{ document: ServiceDocument; rollout: Rollout }>> {
  const planned = await checkStart(deps, service, request, isRetry)
  if (!planned.ok) return planned
  return draft(deps, service, newRollout(id, request, planned.value, context, deps.clock.now()), planned.value)
}

/** Everything that can stand in the way of a rollout, and what its caller should know. */
async function checkStart(
  deps: DraftDeps,
  service: ServiceDocument,
  request: RolloutRequest,
  isRetry: boolean | undefined,
): Promise<Result<CheckedStart>> {
  const strategy = await resolveStrategy(deps.store, request, isRetry)
  if (!strategy.ok) return strategy
  const planned = planRollout(service, request)
  if (!planned.ok) return planned
  const clusters = await readClusters(deps.store, service, planned.value.targets)
  if (!clusters.ok) return clusters
  const known = Object.keys(service.targets)
  const waves = planWaves(strategy.value.spec, clusters.value, { known, own: request.waves !== undefined })
  if (!waves.ok) return waves
  const size = checkSize(strategy.value.spec, waves.value, clusters.value.length)
  if (!size.ok) return size
  const traffic = checkTraffic(clusters.value, strategy.value.spec, request)
  if (!traffic.ok) return traffic
  const webhooks = await checkWebhookSteps(deps.addresses, strategy.value.spec, request)
  if (!webhooks.ok) return webhooks
  const { targets, candidate } = planned.value
  const gates = await checkGates(deps, {
    service: { namespace: service.namespace, name: service.name, spec: candidate.spec },
    targets,
    clusters: clusters.value,
    strategy: strategy.value.spec,
    own: request.gates !== undefined,
  })
  if (!gates.ok) return gates
  const warnings = [...strategy.value.warnings, ...planned.value.warnings, ...gates.value]
  return succeed({ ...planned.value, strategy: strategy.value, waves: waves.value, warnings })
}

/** The document with the new rollout, once the clusters say that its candidate can be made. */
async function draft(
  deps: DraftDeps,
  before: ServiceDocument,
  rollout: Rollout,
  { candidate }: CheckedStart,
): Promise<Result<{ document: ServiceDocument; rollout: Rollout }>> {
  const now = Date.parse(rollout.startedAt)
  const document = withRollout(before, rollout, candidate, now)
  const image = await checkImage(deps.plan, document, rollout)
  if (!image.ok) return image
  if (image.value.length === 0) return succeed({ document, rollout })
  const warned = { ...rollout, warnings: [...rollout.warnings, ...image.value] }
  return succeed({ document: withRollout(before, warned, candidate, now), rollout: warned })
}

/** The document with the new rollout in it. A rollout that still bakes on the same clusters has done its work: it ends. */
function withRollout(
  before: ServiceDocument,
  rollout: Rollout,
  candidate: CheckedCandidate,
  now: number,
): ServiceDocument {
  const cause = {
    actor: rollout.actor,
    reason: 'NextRollout',
    message: `Baking ended with the start of ${rollout.id}.`,
  }
  const others = before.rollouts.map((other) =>
    other.phase === 'baking' && sharesCluster(other, rollout.targets)
      ? enter(other, 'next-rollout', cause, now)
      : other,
  )
  const grown = candidate.spec.versions !== before.spec.versions
  if (!grown) return foldRollouts(before, [...others, rollout], now)
  const service = { ...before, spec: candidate.spec, generation: before.generation + 1 }
  const folded = foldRollouts(service, [...others, rollout], now)
  return { ...folded, outbox: [...folded.outbox, ...workElsewhere(folded, rollout)] }
}

/** The new version is to be known on every cluster of the service, not only on those of the rollout. */
function workElsewhere(service: ServiceDocument, rollout: Rollout): readonly OutboxEntry[] {
  return Object.keys(service.targets)
    .filter((cluster) => !rollout.targets.some((target) => target.cluster === cluster))
    .map((cluster) => ({
      id: `reconcile.${cluster}.${service.renderRevision}`,
      kind: 'work',
      queue: 'work',
      message: { kind: 'reconcile', service: keyOf(service), cluster },
    }))
}
