import { actorOf } from '../model/identity.ts'
import { durationMs, timestamp } from '../model/names.ts'
import type { RequestContext } from '../model/request.ts'
import type { Rollout, RolloutRequest } from '../model/rollout.ts'
import type { StrategySpec } from '../model/strategy.ts'
import type { CheckedStart } from './draft-rollout.ts'
import { versionChanges } from './version-changes.ts'

/** A rollout at its very beginning, from what was asked and what was checked. */
export function newRollout(
  id: string,
  request: RolloutRequest,
  plan: CheckedStart,
  context: RequestContext,
  now: number,
): Rollout {
  const at = timestamp(now)
  const actor = actorOf(context.caller)
  const { spec, name } = plan.strategy
  const { versions } = plan.candidate.spec
  const stables = [...new Set(plan.targets.map((target) => target.stable))]
  const message = `${plan.candidate.name} is to replace ${stables.join(', ')}.`
  const [stable] = stables
  const image = imageOf(request)
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
    ...settingsOf(spec),
    ...(plan.waves ? { waves: plan.waves, wave: 0 } : {}),
    ...(image ? { image } : {}),
    ...(request.source ? { source: request.source } : {}),
    changes: versionChanges(stable === undefined ? undefined : versions[stable], versions[plan.candidate.name], image),
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

/** The images that the request gives, by container; one image is for the only container. */
function imageOf({ candidate }: RolloutRequest): Rollout['image'] {
  if (typeof candidate === 'string' || !('image' in candidate)) return undefined
  const { image, replicas } = candidate
  return { images: typeof image === 'string' ? { '': image } : image, replicas }
}

function settingsOf(spec: StrategySpec) {
  const { affinity, windows } = spec
  return {
    bakeMs: durationMs(spec.bake),
    patienceMs: durationMs(spec.patience),
    readyTimeoutMs: durationMs(spec.readyTimeout),
    onBlind: spec.onBlind,
    onHarm: spec.onHarm,
    separateDuties: spec.separateDuties,
    ...(affinity ? { affinity: { cookie: affinity.cookie, maxAgeMs: durationMs(affinity.maxAge) } } : {}),
    ...(windows ? { windows } : {}),
    alpha: spec.alpha,
    minEvents: spec.minEvents,
  }
}
