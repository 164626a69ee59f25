import { GATE, MESHWRIGHT } from '../model/identity.ts'
import { ALL_CLUSTERS, type Rollout, type RolloutTarget } from '../model/rollout.ts'
import { NO_TRAFFIC } from '../model/step.ts'
import { waveTargets } from '../model/waves.ts'
import { harmedClusters, harmIn } from './harmed-clusters.ts'
import type { Observations } from './observations.ts'
import { askTraffic, type Cause, enter, rollBack } from './transition.ts'
import { gateName, placeOf, resumeFrom, trafficOf } from './weight-rules.ts'

/** What ends or stops any moving phase: harm, versions that would be mixed up, and another hand on our weights. */
export function stopFor(rollout: Rollout, seen: Observations): Rollout | undefined {
  const harmed = stopForHarm(rollout, seen)
  if (harmed) return harmed
  const mixed = waveTargets(rollout).find((target) => overlapBefore(target, seen) !== undefined)
  if (mixed) {
    const message = `${mixed.cluster}: ${overlapBefore(mixed, seen)}`
    return rollBack(rollout, 'versions-mixed', { actor: MESHWRIGHT, reason: 'SelectorsOverlap', message }, seen.now)
  }
  const foreign = rollout.targets.find(({ cluster, out }) => !out && seen.targets[cluster]?.weightChanged)
  if (!foreign) return undefined
  const message = `Another hand changed the weights on ${foreign.cluster}. Resume puts ours back; abort goes back to ${foreign.stable}.`
  const cause = { actor: MESHWRIGHT, reason: 'WeightChanged', message }
  return enter(rollout, 'weights-changed', cause, seen.now, { resumeTo: resumeFrom(rollout) })
}

/** Selectors that overlap where the candidate has not got anything yet: also on a cluster that came back later. */
function overlapBefore({ cluster, highestWeight = 0 }: RolloutTarget, seen: Observations): string | undefined {
  return highestWeight > 0 ? undefined : seen.targets[cluster]?.overlap
}

/**
 * Harm on any cluster that the rollout has not gone on without: everything goes back, or (`onHarm: freeze`) the clusters that
 * have it, as far as that can be told.
 */
export function stopForHarm(rollout: Rollout, seen: Observations): Rollout | undefined {
  const [first] = harmIn(rollout)
  if (!first?.last) return undefined
  const message = `${gateName(rollout, first.gate)} on ${placeOf(first)}: ${first.last.explanation}`
  const cause = { actor: GATE, reason: first.last.reason, message }
  const harmed = rollout.onHarm === 'freeze' ? harmedClusters(rollout) : NONE
  if (harmed.size === 0) return rollBack(rollout, 'harm', cause, seen.now)
  if (first.cluster !== ALL_CLUSTERS) return freezeHarm(rollout, harmed, cause, seen.now)
  const where = `${message}. Without ${[...harmed].join(', ')} the others show no sign of it`
  return freezeHarm(rollout, harmed, { ...cause, message: where }, seen.now)
}
const NONE: ReadonlySet<string> = new Set()

/** Clusters that showed harm go back for good; the others stay as they are until a person says how to go on. */
function freezeHarm(rollout: Rollout, clusters: ReadonlySet<string>, cause: Cause, now: number): Rollout {
  const frozen = leaveOut(rollout, clusters, 'harm', now)
  const [names, back, it] = [[...clusters].join(', '), ...(clusters.size === 1 ? ['goes', 'it'] : ['go', 'them'])]
  const message = `${cause.message}. ${names} ${back} back to stable, the others stay as they are: resume goes on without ${it}, rollback takes all back.`
  return enter(frozen, 'harm-frozen', { ...cause, message }, now, { resumeTo: resumeFrom(rollout) })
}

/**
 * The rollout without some of its clusters: they are asked to go back to stable, the others keep what they have. What all
 * clusters together showed held them too, so it is judged anew.
 */
export function leaveOut(
  rollout: Rollout,
  clusters: ReadonlySet<string>,
  out: NonNullable<RolloutTarget['out']>,
  now: number,
): Rollout {
  const asked = askTraffic(rollout, NO_TRAFFIC, now, (cluster) => clusters.has(cluster))
  const { liveAt } = rollout
  return {
    ...asked,
    ...trafficOf(rollout),
    ...(liveAt === undefined ? {} : { liveAt }),
    progress: asked.progress.filter(({ cluster }) => cluster !== ALL_CLUSTERS),
    targets: asked.targets.map((target) => (clusters.has(target.cluster) ? { ...target, out } : target)),
  }
}
