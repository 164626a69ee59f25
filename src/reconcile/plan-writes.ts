import { revisionOf } from '../mesh/marks.ts'
import type { Barrier, RenderStep } from '../mesh/provider.ts'
import { liveRolloutOn } from '../model/desired-weights.ts'
import { describeRef, type KubeObject, refOf } from '../model/kube.ts'
import { sideRoutesBeyond } from '../model/placement.ts'
import { wentOnSince } from '../model/rollout.ts'
import { serviceKey } from '../model/service.ts'
import { barrierStop } from './barriers.ts'
import { isOurs, judgeConflict } from './conflict.ts'
import { holds, refKey } from './content.ts'
import { type Drift, findDrift, RESTORE_WINDOW_MS, RESTORES_AT_MOST, recentRestores } from './drift.ts'
import { namespaceOf } from './hosts/host-as-service.ts'
import { otherHands } from './owners.ts'
import { type Effect, forbids } from './permission.ts'
import { isReturning, type Situation, type Stop, stableOn } from './situation.ts'
import { isWorkload } from './workloads/deployment.ts'
import { imageRolloutOn } from './workloads/image-rollout.ts'
import { type CandidatePlan, planCandidate } from './workloads/plan-candidate.ts'
import { planScaleDowns, type ScaleDown } from './workloads/plan-scale-down.ts'
import { fenceStop, type Write } from './write.ts'

export interface WritePlan {
  /** In order. */
  readonly writes: readonly Write[]
  /** Objects of others to remove once nothing stops the plan, because ours take their place. */
  readonly taken: readonly KubeObject[]
  /** Why not all that is wanted is done by this plan. */
  readonly stop?: Stop
  readonly drifts: readonly Drift[]
  /** What becomes of Deployments that rollouts by `image` left without requests. */
  readonly scaleDowns: readonly ScaleDown[]
  /** The candidate's Deployment, where it is made from an image. */
  readonly candidate?: CandidatePlan
}

/**
 * The writes that lead from what was seen towards what is wanted, as far as holds, freezes, conflicts, drift and barriers
 * let them now. Pure and total. Falls come first (see `Provider.stage`) and are stopped by holds and the fence alone.
 */
export function planWrites(situation: Situation): WritePlan {
  const { service, provider, rendered, observed, placement } = situation
  if (!observed.namespace) {
    const message = `There is no namespace ${namespaceOf(service)} on cluster ${situation.cluster.name}.`
    return {
      writes: [],
      taken: [],
      drifts: [],
      scaleDowns: [],
      stop: { reason: 'NamespaceMissing', message, again: 'poll' },
    }
  }
  const key = serviceKey(service.namespace, service.name)
  const foreign = rendered
    .map(({ object }) => observed.objects.get(refKey(refOf(object))))
    .filter((live) => live !== undefined && !isOurs(live, key, placement?.objects)) as KubeObject[]
  const conflict = judgeConflict(situation, foreign, observed.rivals ?? [])
  const candidate = candidateOf(situation)
  const drifts = rendered.flatMap(({ object }) => {
    return findDrift(observed.objects.get(refKey(refOf(object))), object, placement, provider) ?? []
  })
  const walk = {
    situation,
    conflict: conflict.stop,
    foreign,
    candidate,
    drifts: [...drifts, ...(candidate?.drift ? [candidate.drift] : [])],
    live: new Map(observed.objects),
    changed: new Set<string>(),
  }
  const writes: Write[] = []
  const own = rendered.flatMap(({ object }) => observed.objects.get(refKey(refOf(object))) ?? [])
  const made = candidate?.object ? [{ object: candidate.object, barriers: [] }] : []
  const steps = [...made, ...provider.stage(own, rendered)]
  const plan = {
    writes,
    taken: conflict.taken,
    drifts: walk.drifts,
    scaleDowns: [],
    ...(candidate ? { candidate } : {}),
  }
  for (const [index, step] of steps.entries()) {
    const next = nextWrite(walk, step, steps.slice(index + 1))
    if (next === undefined) continue
    if ('reason' in next) return { ...plan, stop: next }
    writes.push(next)
  }
  const stop = conflict.stop ?? refusalStop(candidate) ?? barrierStop(walk, situation.live ?? [])
  return stop ? { ...plan, stop } : { ...plan, scaleDowns: planScaleDowns(situation, walk.changed) }
}

/** What is wanted of the candidate's Deployment, where it is made from an image. */
function candidateOf({ service, cluster, observed, provider }: Situation): CandidatePlan | undefined {
  const wanted = imageRolloutOn(service, cluster.name)
  if (!wanted || !observed.workloads) return undefined
  const ready = observed.versions[wanted.target.candidate]?.ready ?? 0
  const version = service.spec.versions[wanted.target.candidate]
  const annotations = (version && provider.podAnnotations?.(version)) ?? {}
  return planCandidate({ service, wanted, seen: observed.workloads, ready, annotations })
}

interface Walk {
  readonly situation: Situation
  readonly conflict: Stop | undefined
  /** Objects of others that bear our names. */
  readonly foreign: readonly KubeObject[]
  readonly drifts: readonly Drift[]
  readonly candidate: CandidatePlan | undefined
  /** As it will be after the writes so far. */
  readonly live: Map<string, KubeObject>
  /** What the writes so far change: not settled. */
  readonly changed: Set<string>
}

/** The write of a step, why it may not be made now, or undefined when there is no need for it. */
function nextWrite(walk: Walk, step: RenderStep, later: readonly RenderStep[]): Write | Stop | undefined {
  const { situation } = walk
  const key = refKey(refOf(step.object))
  const live = walk.live.get(key)
  const effect = effectOf(situation, live, step.object)
  if (effect === undefined) return undefined
  const returning = isReturning(situation.service, situation.cluster.name)
  // Only a way back moves the fence ahead of the rest: it is over when weights are, whatever else is held back.
  if (effect === 'mark' && !returning && later.some(({ object }) => refKey(refOf(object)) === key)) return undefined
  const drift = walk.drifts.find((drift) => refKey(drift.ref) === key)
  const first = !walk.changed.has(key)
  const foreign = live !== undefined && walk.foreign.some((object) => refKey(refOf(object)) === key)
  const gentle = effect === 'fall' || effect === 'mark'
  const stop =
    // The candidate's Pods are a part of giving it requests, whatever the write is by itself.
    forbids(situation, isWorkload(step.object) ? 'rise' : effect, live) ??
    fenceStop(situation, live) ??
    (gentle && !foreign ? undefined : walk.conflict) ??
    (drift && first ? driftStop(situation, drift) : undefined) ??
    (effect === 'mark' ? undefined : barrierStop(walk, barriersFor(effect, step.barriers))) ??
    (effect === 'rise' ? (refusalStop(walk.candidate) ?? walk.candidate?.waits) : undefined)
  if (stop) return stop
  walk.live.set(key, { ...step.object, metadata: { ...live?.metadata, ...step.object.metadata } })
  if (effect !== 'mark') walk.changed.add(key)
  // Whoever once set what we wanted anyway owns it beside us; what we then change is no drift, and still theirs too.
  const shared = live !== undefined && (otherHands(live).length > 0 || isWorkload(step.object))
  const force = live !== undefined && (foreign || drift !== undefined || shared || returning)
  const restores = drift && first && effect !== 'mark' ? { restores: drift } : {}
  return { object: step.object, live, effect, force, ...restores }
}

/** A way back does not wait for the word of a controller, which may be what is broken. */
function barriersFor(effect: Effect, barriers: readonly Barrier[]): readonly Barrier[] {
  return effect === 'fall' ? barriers.filter(({ kind }) => kind !== 'accepted') : barriers
}

/** What keeps the candidate's Deployment from being made, as long as it does. */
function refusalStop(candidate: CandidatePlan | undefined): Stop | undefined {
  if (!candidate?.refusal) return undefined
  const { reason, message, fix } = candidate.refusal
  return { reason, message: `${message} ${fix}`, again: 'poll' }
}

/** What applying `object` would do; undefined: nothing. */
export function effectOf(situation: Situation, live: KubeObject | undefined, object: KubeObject): Effect | undefined {
  const { provider, service, cluster, placement } = situation
  if (!live) return 'creation'
  const after = provider.liveWeights(object)
  const [sidesBefore, sidesAfter] = [provider.liveSideRoutes(live), provider.liveSideRoutes(object)]
  if (holds(live, object)) {
    // What carries weights bears the newest revision even when nothing else changes: else a slow writer with a
    // document from in between could pass the fence. So does what carries side routes; and where a removal had begun all
    // does, for the next of its requests may be under way.
    const carries = after !== undefined || sidesAfter.length > 0 || placement?.removedAt !== undefined
    return carries && (revisionOf(live) ?? 0) < service.renderRevision ? 'mark' : undefined
  }
  const before = provider.liveWeights(live)
  const sidesAlone = !after && !before && sidesBefore.length + sidesAfter.length > 0
  if ((!after || !before) && !sidesAlone) return 'structure'
  if (sideRoutesBeyond(sidesAfter, sidesBefore).length > 0) return 'rise'
  const rising = Object.keys(after ?? {}).filter((version) => (after?.[version] ?? 0) > (before?.[version] ?? 0))
  if (rising.length === 0) return sideRoutesBeyond(sidesBefore, sidesAfter).length > 0 ? 'fall' : 'structure'
  return rising.every((version) => version === stableOn(service, cluster.name)) ? 'fall' : 'rise'
}

function driftStop(situation: Situation, drift: Drift): Stop | undefined {
  const { service, cluster, placement, now } = situation
  if (isReturning(service, cluster.name)) return undefined
  const hands = drift.hands.length === 0 ? 'another hand' : drift.hands.join(', ')
  const what = `${describeRef(drift.ref)} was ${drift.kind === 'removed' ? 'removed' : 'changed'} by ${hands}`
  const rollout = liveRolloutOn(service, cluster.name)?.rollout
  const decided = rollout && placement?.driftedAt !== undefined && wentOnSince(rollout, placement.driftedAt)
  if (drift.kind === 'weights' && rollout && !decided) {
    const message = `${what}, weights too. Resume the rollout to set them again, or abort it.`
    return { condition: 'Drifted', reason: 'WeightChanged', message }
  }
  if (service.spec.onDrift === 'report') {
    const fields = drift.fields.length === 0 ? '' : ` (${drift.fields.join(', ')})`
    return { condition: 'Drifted', reason: 'Reported', message: `${what}${fields}; onDrift is report.` }
  }
  const restores = recentRestores(placement, now)
  if (restores.length < RESTORES_AT_MOST) return undefined
  const message = `${what} again after ${RESTORES_AT_MOST} restores within ten minutes.`
  const again = Date.parse(restores[0] ?? '') + RESTORE_WINDOW_MS + 1
  return { condition: 'Drifted', reason: 'RestoredTooOften', message, again }
}
