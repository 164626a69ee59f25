import { mayReach } from '../model/access.ts'
import { auditEntry, auditSubject } from '../model/audit-entry.ts'
import { shortId } from '../model/digest.ts'
import { keyOf, type ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { remember, replayOf } from '../model/idempotency.ts'
import { timestamp } from '../model/names.ts'
import type { OutboxEntry } from '../model/outbox.ts'
import type { RequestContext } from '../model/request.ts'
import type { Rollout, RolloutRequest, RolloutWave } from '../model/rollout.ts'
import { serviceKey } from '../model/service.ts'
import type { AddressPolicy } from '../ports/address-policy.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import type { Random } from '../ports/random.ts'
import type { Store } from '../ports/store.ts'
import type { CheckedCandidate } from './check-candidate.ts'
import { readClusters } from './check-clusters.ts'
import { checkGates } from './check-gates.ts'
import { checkImage, type PlanOn } from './check-image.ts'
import { checkTraffic } from './check-traffic.ts'
import { checkWebhookSteps } from './check-webhook-steps.ts'
import { foldRollouts } from './fold-rollouts.ts'
import { newRollout } from './new-rollout.ts'
import { type PlannedRollout, planRollout, sharesCluster } from './plan-rollout.ts'
import { planWaves } from './plan-waves.ts'
import { findRollout } from './read-rollout.ts'
import { type ResolvedStrategy, resolveStrategy } from './resolve-strategy.ts'
import { enter } from './transition.ts'

export interface StartDeps {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly metrics: MetricsSources
  readonly plan: PlanOn
  readonly addresses: AddressPolicy
}

/**
 * Starts a rollout of a candidate. One write of the service document; the outbox carries on. `retryOf` is the rollout that
 * it does anew.
 */
export async function startRollout(
  deps: StartDeps,
  namespace: string,
  name: string,
  request: RolloutRequest,
  context: RequestContext,
  retryOf?: string,
): Promise<Result<Rollout>> {
  const key = serviceKey(namespace, name)
  const suffix = context.idempotency ? shortId(10, context.idempotency.id) : shortId(10, deps.random.uuid())
  const id = `${namespace}.${name}.${suffix}`
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
      // The document remembers a key for a day; the rollout that it started is kept.
      if (context.idempotency && (await findRollout(deps.store, id))) return succeed({ kind: 'leave', value: id })
      // Our own write, whose answer was lost.
      if (before.rollouts.some((rollout) => rollout.id === id)) return succeed({ kind: 'leave', value: id })
      if (before.deletingAt) return fail('Deleting', `Service ${key} is being deleted.`)
      const planned = await checkStart(deps, before, request)
      if (!planned.ok) return planned
      const now = deps.clock.now()
      const drafted = await draft(deps, before, newRollout(id, request, planned.value, context, now), planned.value)
      if (!drafted.ok) return drafted
      const { document, rollout } = drafted.value
      const answer = { at: timestamp(now), status: 201, result: id }
      const idempotency = remember(before.idempotency, context.idempotency, answer)
      const outbox = [...document.outbox, startEntry(document, rollout, context, retryOf)]
      return succeed({ kind: 'write', document: { ...document, idempotency, outbox }, value: id })
    },
  )
  if (!changed.ok) return changed
  const rollout = await findRollout(deps.store, changed.value.value, changed.value.stored?.session)
  return rollout ? succeed(rollout) : fail('NotFound', `There is no rollout ${changed.value.value}.`)
}

function startEntry(
  service: ServiceDocument,
  rollout: Rollout,
  context: RequestContext,
  retryOf: string | undefined,
): OutboxEntry {
  const { id, phase, weight, candidate, targets, strategy, startedAt, source } = rollout
  const version = service.spec.versions[candidate]
  const clusters = targets.map(({ cluster, stable }) => ({ cluster, stable }))
  const known = { service: keyOf(service), candidate, version, clusters, strategy, phase, weight }
  return auditEntry({
    action: retryOf === undefined ? 'rollout.start' : 'rollout.retry',
    subject: auditSubject('rollout', id),
    unique: startedAt,
    time: startedAt,
    context,
    after: { ...known, ...(source ? { source } : {}), ...(retryOf === undefined ? {} : { retryOf }) },
    runUrl: source?.runUrl,
    fromRun: retryOf === undefined,
  })
}

export interface CheckedStart extends PlannedRollout {
  readonly strategy: ResolvedStrategy
  readonly waves: readonly RolloutWave[] | undefined
}

/** Everything that can stand in the way of a rollout, and what its caller should know. */
async function checkStart(
  deps: StartDeps,
  service: ServiceDocument,
  request: RolloutRequest,
): Promise<Result<CheckedStart>> {
  const strategy = await resolveStrategy(deps.store, request)
  if (!strategy.ok) return strategy
  const planned = planRollout(service, request)
  if (!planned.ok) return planned
  const clusters = await readClusters(deps.store, planned.value.targets)
  if (!clusters.ok) return clusters
  const waves = planWaves(strategy.value.spec, clusters.value)
  if (!waves.ok) return waves
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
  deps: StartDeps,
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
