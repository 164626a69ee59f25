import { gateText } from '../model/gate.ts'
import { MESHWRIGHT, SCHEDULE } from '../model/identity.ts'
import { formatDuration, timestamp } from '../model/names.ts'
import { ALL_CLUSTERS, type GateProgress, type Rollout, type RolloutTarget } from '../model/rollout.ts'
import { type CandidateTraffic, sameTraffic, trafficText } from '../model/step.ts'
import { isExposed, waveTargets, waveText } from '../model/waves.ts'
import type { Observations, TargetObservation } from './observations.ts'
import { waitedSince, waiting } from './schedule.ts'
import { askWave, enter, rollBack } from './transition.ts'

/** Where a pause that begins now goes back to. */
export function resumeFrom({ phase, resumeTo }: Rollout): Rollout['phase'] {
  if (phase === 'awaiting-approval') return 'progressing'
  return phase === 'blind' || phase === 'paused' ? (resumeTo ?? 'progressing') : phase
}

/** The target on a cluster; undefined for all clusters together. */
export function targetOn(rollout: Rollout, cluster: string): RolloutTarget | undefined {
  return rollout.targets.find((target) => target.cluster === cluster)
}

/** Where a gate looked, in words. */
export function placeOf({ cluster }: GateProgress): string {
  return cluster === ALL_CLUSTERS ? 'all clusters together' : cluster
}

/** Why nothing may rise now: a freeze, or no change window is open. Undefined when it may. */
export function heldBack(seen: Observations, what: string): { reason: string; message: string } | undefined {
  if (seen.frozen) return { reason: 'Frozen', message: `Freeze ${seen.frozen} holds back ${what}.` }
  if (!seen.closed) return undefined
  return { reason: 'OutsideWindow', message: `No change window is open, which holds back ${what}. ${seen.closed}` }
}

/**
 * Holds for a freeze or a shut window. Gates look on as often as ever where they have something to see; else it is looked at
 * when the window opens, or again and again while a freeze may be lifted.
 */
export function holdBack(
  rollout: Rollout,
  seen: Observations,
  held: { readonly reason: string; readonly message: string },
): Rollout {
  const looks = rollout.gates.length > 0 && rollout.targets.some((target) => !target.out && isExposed(target))
  if (looks) return waiting(rollout, seen, held.reason, held.message, { everyMs: seen.everyMs })
  const { opensAt } = seen
  if (held.reason !== 'OutsideWindow' || opensAt === undefined) return waiting(rollout, seen, held.reason, held.message)
  return waiting(rollout, seen, held.reason, held.message, { everyMs: Math.max(1000, opensAt - seen.now) })
}

/** A cluster that came back is brought to the weight that the others have; the step counts anew. */
export function catchUp(rollout: Rollout, seen: Observations): Rollout | undefined {
  const behind = behindOthers(rollout, seen)
  if (behind.length === 0 || heldBack(seen, 'it')) return undefined
  const message = `${behind.join(', ')} can be reached again and gets ${trafficText(rollout)} as the others.`
  const cause = { actor: MESHWRIGHT, reason: 'CatchingUp', message }
  return enter(askWave(rollout, trafficOf(rollout), seen.now, isReachable(seen)), 'caught-up', cause, seen.now)
}

/** The traffic that is now asked for the candidate. */
export function trafficOf({ weight, match, mirror }: Rollout): CandidateTraffic {
  return { weight, ...(match ? { match } : {}), ...(mirror === undefined ? {} : { mirror }) }
}

/** Clusters of the present wave that can be reached and have not the traffic of the rollout. */
export function behindOthers(rollout: Rollout, seen: Observations): readonly string[] {
  return reachable(rollout, seen)
    .filter(({ asked }) => !sameTraffic(asked, rollout))
    .map(({ cluster }) => cluster)
}

/** Notes the moment from which the traffic is live on every cluster that has to carry it: at once where none is left. */
export function goLive(rollout: Rollout, seen: Observations): Rollout {
  if (rollout.liveAt !== undefined) return rollout
  if (waveTargets(rollout).length === 0) return { ...rollout, liveAt: timestamp(seen.now) }
  const carriers = reachable(rollout, seen).filter(({ asked }) => sameTraffic(asked, rollout))
  const isBehind = ({ asked, target }: (typeof carriers)[number]) =>
    target.liveRevision < (asked.revision ?? rollout.revision)
  if (carriers.length === 0 || carriers.some(isBehind)) return rollout
  const liveAt = Math.max(...carriers.map(({ target }) => target.liveAt ?? seen.now))
  return { ...rollout, liveAt: timestamp(liveAt), updatedAt: timestamp(seen.now) }
}

/** Waits until the traffic is live; what is not within `readyTimeout` goes back. */
export function waitForWeight(rollout: Rollout, seen: Observations): Rollout {
  const targets = reachable(rollout, seen)
  if (targets.length === 0) return waitForAny(rollout, seen)
  const obstacle = obstacleOn(targets)
  if (obstacle?.reason === FROZEN) return waiting(rollout, seen, obstacle.reason, obstacle.message)
  const { readyTimeoutMs } = rollout
  const since = waitedSince(rollout, seen, later(rollout.weightSince, rollout.phaseSince))
  if (since >= readyTimeoutMs) {
    const why = obstacle?.message ?? 'nothing tells that it was written.'
    const message = `${shiftText(rollout)} was not live within ${formatDuration(readyTimeoutMs)}: ${why}`
    return rollBack(rollout, 'gave-up', { actor: SCHEDULE, reason: 'WeightNotLive', message }, seen.now)
  }
  const again = { deadline: seen.now + readyTimeoutMs - since }
  if (obstacle) return waiting(rollout, seen, obstacle.reason, obstacle.message, again)
  return waiting(rollout, seen, 'Shifting', `${shiftText(rollout)} is on its way to the proxies.`, again)
}

/** No cluster of the wave can be reached: after `patience` a person is asked. */
export function waitForAny(rollout: Rollout, seen: Observations): Rollout {
  const message = `${waveText(rollout)}No cluster of the rollout can be reached.`
  const since = Math.max(Date.parse(rollout.phaseSince), Date.parse(rollout.weightSince))
  const deadline = since + rollout.patienceMs
  if (seen.now < deadline) return waiting(rollout, seen, 'Unreachable', message, { deadline })
  const cause = { actor: SCHEDULE, reason: 'Unreachable', message }
  return enter(rollout, 'stuck', cause, seen.now, { resumeTo: resumeFrom(rollout) })
}

/** A split is told by its weight, also when that is 0. */
function shiftText(rollout: Rollout): string {
  return rollout.match || rollout.mirror !== undefined ? trafficText(rollout) : `${rollout.weight} %`
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

/** What a gate could not see since the present traffic is live; undefined when all gates see. */
export function blindGate(rollout: Rollout): string | undefined {
  const { liveAt } = rollout
  if (liveAt === undefined) return undefined
  const blind = rollout.progress.find(
    ({ last, lookedAt, cluster }) =>
      last?.verdict === 'blind' &&
      lookedAt !== undefined &&
      lookedAt >= liveAt &&
      targetOn(rollout, cluster)?.out === undefined,
  )
  return blind?.last && `${gateName(rollout, blind.gate)} on ${placeOf(blind)}: ${blind.last.explanation}`
}

export function gateName(rollout: Rollout, index: number): string {
  const gate = rollout.gates[index]
  return gate ? `gate ${gateText(gate)}` : `gate ${index}`
}

/** The targets of the present wave that can be reached, with what is asked there and what was seen. */
export function reachable(rollout: Rollout, seen: Observations) {
  return waveTargets(rollout).flatMap((asked) => {
    const target = seen.targets[asked.cluster]
    return target?.reachable ? [{ cluster: asked.cluster, asked, target }] : []
  })
}

export function isReachable(seen: Observations): (cluster: string) => boolean {
  return (cluster) => seen.targets[cluster]?.reachable === true
}
