import { gateText } from '../model/gate.ts'
import { GATE, MESHWRIGHT, SCHEDULE } from '../model/identity.ts'
import { formatDuration, timestamp } from '../model/names.ts'
import type { Rollout, RolloutTarget } from '../model/rollout.ts'
import type { Observations, TargetObservation } from './observations.ts'
import { waitedSince, waiting } from './schedule.ts'
import { askWeight, enter, rollBack } from './transition.ts'

/** What ends or stops any moving phase: harm, versions that would be mixed up, and another hand on our weights. */
export function stopFor(rollout: Rollout, seen: Observations): Rollout | undefined {
  const harm = rollout.progress.find((progress) => progress.last?.verdict === 'harm')
  if (harm?.last) {
    const message = `${gateName(rollout, harm.gate)} on ${harm.cluster}: ${harm.last.explanation}`
    return rollBack(rollout, 'gate', { actor: GATE, reason: harm.last.reason, message }, seen.now)
  }
  const mixed = rollout.targets.find((target) => overlapBefore(target, seen) !== undefined)
  if (mixed) {
    const message = `${mixed.cluster}: ${overlapBefore(mixed, seen)}`
    return rollBack(rollout, 'gate', { actor: MESHWRIGHT, reason: 'SelectorsOverlap', message }, seen.now)
  }
  const foreign = rollout.targets.find((target) => seen.targets[target.cluster]?.weightChanged)
  if (!foreign) return undefined
  const message = `Another hand changed the weights on ${foreign.cluster}. Resume puts ours back; abort goes back to ${foreign.stable}.`
  const resumeTo = rollout.phase === 'blind' ? rollout.resumeTo : rollout.phase
  const cause = { actor: MESHWRIGHT, reason: 'WeightChanged', message }
  return enter(rollout, 'paused', cause, seen.now, resumeTo === undefined ? {} : { resumeTo })
}

/** Selectors that overlap where the candidate has not got anything yet: also on a cluster that came back later. */
function overlapBefore({ cluster, highestWeight = 0 }: RolloutTarget, seen: Observations): string | undefined {
  return highestWeight > 0 ? undefined : seen.targets[cluster]?.overlap
}

/** A cluster that came back is brought to the weight that the others have; the step counts anew. */
export function catchUp(rollout: Rollout, seen: Observations): Rollout | undefined {
  const behind = behindOthers(rollout, seen)
  if (behind.length === 0 || seen.frozen) return undefined
  const message = `${behind.join(', ')} can be reached again and gets ${rollout.weight} % as the others.`
  const cause = { actor: MESHWRIGHT, reason: 'CatchingUp', message }
  return enter(askWeight(rollout, rollout.weight, seen.now, isReachable(seen)), rollout.phase, cause, seen.now)
}

/** Clusters that can be reached and have less than the weight of the rollout. */
export function behindOthers(rollout: Rollout, seen: Observations): readonly string[] {
  return reachable(rollout, seen)
    .filter(({ weight }) => weight < rollout.weight)
    .map(({ cluster }) => cluster)
}

/** Notes the moment from which the weight is live on every cluster that has to carry it. */
export function goLive(rollout: Rollout, seen: Observations): Rollout {
  if (rollout.liveAt !== undefined) return rollout
  const carriers = reachable(rollout, seen).filter(({ weight }) => weight === rollout.weight)
  if (carriers.length === 0 || carriers.some(({ target }) => target.liveRevision < rollout.revision)) return rollout
  const liveAt = Math.max(...carriers.map(({ target }) => target.liveAt ?? seen.now))
  return { ...rollout, liveAt: timestamp(liveAt), updatedAt: timestamp(seen.now) }
}

/** Waits until the weight is live; what is not within `readyTimeout` goes back. */
export function waitForWeight(rollout: Rollout, seen: Observations): Rollout {
  const targets = reachable(rollout, seen)
  if (targets.length === 0) return waiting(rollout, seen, 'Unreachable', 'No cluster of the rollout can be reached.')
  const obstacle = obstacleOn(targets)
  if (obstacle?.reason === FROZEN) return waiting(rollout, seen, obstacle.reason, obstacle.message)
  const { readyTimeoutMs } = rollout
  const since = waitedSince(rollout, seen, later(rollout.weightSince, rollout.phaseSince))
  if (since >= readyTimeoutMs) {
    const why = obstacle?.message ?? 'nothing tells that it was written.'
    const message = `${rollout.weight} % was not live within ${formatDuration(readyTimeoutMs)}: ${why}`
    return rollBack(rollout, 'gate', { actor: SCHEDULE, reason: 'WeightNotLive', message }, seen.now)
  }
  const again = { deadline: seen.now + readyTimeoutMs - since }
  if (obstacle) return waiting(rollout, seen, obstacle.reason, obstacle.message, again)
  return waiting(rollout, seen, 'Shifting', `${rollout.weight} % is on its way to the proxies.`, again)
}

/** The reason of a write that a freeze stopped. */
export const FROZEN = 'FreezeActive'

/** What stands in the way on the clusters that can be reached; a freeze before anything else. */
export function obstacleOn(targets: ReturnType<typeof reachable>): TargetObservation['obstacle'] {
  const obstacles = targets.flatMap(({ target }) => target.obstacle ?? [])
  return obstacles.find(({ reason }) => reason === FROZEN) ?? obstacles[0]
}

function later(a: string, b: string): string {
  return a > b ? a : b
}

/** What a gate could not see since the present weight is live; undefined when all gates see. */
export function blindGate(rollout: Rollout): string | undefined {
  const { liveAt } = rollout
  if (liveAt === undefined) return undefined
  const blind = rollout.progress.find(
    ({ last, lookedAt }) => last?.verdict === 'blind' && lookedAt !== undefined && lookedAt >= liveAt,
  )
  return blind?.last && `${gateName(rollout, blind.gate)} on ${blind.cluster}: ${blind.last.explanation}`
}

export function gateName(rollout: Rollout, index: number): string {
  const gate = rollout.gates[index]
  return gate ? `gate ${gateText(gate)}` : `gate ${index}`
}

/** The targets that can be reached, with the weight asked there and what was seen. */
export function reachable(rollout: Rollout, seen: Observations) {
  return rollout.targets.flatMap(({ cluster, weight }) => {
    const target = seen.targets[cluster]
    return target?.reachable ? [{ cluster, weight, target }] : []
  })
}

export function isReachable(seen: Observations): (cluster: string) => boolean {
  return (cluster) => seen.targets[cluster]?.reachable === true
}
