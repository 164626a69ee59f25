import { gateText } from '../model/gate.ts'
import { GATE, MESHWRIGHT, SCHEDULE } from '../model/identity.ts'
import { formatDuration, timestamp } from '../model/names.ts'
import type { GateProgress, Rollout, RolloutTarget } from '../model/rollout.ts'
import { NO_TRAFFIC, sameTraffic, trafficText } from '../model/step.ts'
import { waveTargets } from '../model/waves.ts'
import type { Observations, TargetObservation } from './observations.ts'
import { waitedSince, waiting } from './schedule.ts'
import { askTraffic, askWave, enter, rollBack } from './transition.ts'

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

/** Where a pause that begins now goes back to. */
export function resumeFrom({ phase, resumeTo }: Rollout): Rollout['phase'] {
  if (phase === 'awaiting-approval') return 'progressing'
  return phase === 'blind' || phase === 'paused' ? (resumeTo ?? 'progressing') : phase
}

/** Harm on any cluster that the rollout has not gone on without: everything goes back, or (`onHarm: freeze`) that cluster. */
export function stopForHarm(rollout: Rollout, seen: Observations): Rollout | undefined {
  const harm = rollout.progress.filter(
    ({ last, cluster }) => last?.verdict === 'harm' && targetOn(rollout, cluster)?.out === undefined,
  )
  const [first] = harm
  if (!first?.last) return undefined
  const message = `${gateName(rollout, first.gate)} on ${placeOf(first)}: ${first.last.explanation}`
  const cause = { actor: GATE, reason: first.last.reason, message }
  const clusters = new Set(harm.map(({ cluster }) => cluster))
  const inAll = harm.some(({ cluster }) => targetOn(rollout, cluster) === undefined)
  const others = rollout.targets.filter(({ cluster, out }) => !out && !clusters.has(cluster))
  if (rollout.onHarm !== 'freeze' || inAll || others.length === 0) return rollBack(rollout, 'harm', cause, seen.now)
  return freezeHarm(rollout, clusters, cause, seen.now)
}

/** Clusters that showed harm go back for good; the others stay as they are until a person says how to go on. */
function freezeHarm(
  rollout: Rollout,
  clusters: ReadonlySet<string>,
  cause: Parameters<typeof enter>[2],
  now: number,
): Rollout {
  const { weight, match, mirror, liveAt } = rollout
  const asked = askTraffic(rollout, NO_TRAFFIC, now, (cluster) => clusters.has(cluster))
  const targets = asked.targets.map((target) =>
    clusters.has(target.cluster) ? { ...target, out: 'harm' as const } : target,
  )
  const kept = { weight, ...(match ? { match } : {}), ...(mirror === undefined ? {} : { mirror }) }
  const frozen = { ...asked, ...kept, ...(liveAt === undefined ? {} : { liveAt }), targets }
  const [names, back, it] = [[...clusters].join(', '), ...(clusters.size === 1 ? ['goes', 'it'] : ['go', 'them'])]
  const message = `${cause.message}. ${names} ${back} back to stable, the others stay as they are: resume goes on without ${it}, rollback takes all back.`
  return enter(frozen, 'harm-frozen', { ...cause, message }, now, { resumeTo: resumeFrom(rollout) })
}

function targetOn(rollout: Rollout, cluster: string): RolloutTarget | undefined {
  return rollout.targets.find((target) => target.cluster === cluster)
}

/** `*` stands for all clusters together. */
function placeOf({ cluster }: GateProgress): string {
  return cluster === '*' ? 'all clusters together' : cluster
}

/** Selectors that overlap where the candidate has not got anything yet: also on a cluster that came back later. */
function overlapBefore({ cluster, highestWeight = 0 }: RolloutTarget, seen: Observations): string | undefined {
  return highestWeight > 0 ? undefined : seen.targets[cluster]?.overlap
}

/** Why nothing may rise now: a freeze, or no change window is open. Undefined when it may. */
export function heldBack(seen: Observations, what: string): { reason: string; message: string } | undefined {
  if (seen.frozen) return { reason: 'Frozen', message: `Freeze ${seen.frozen} holds back ${what}.` }
  if (!seen.closed) return undefined
  return { reason: 'OutsideWindow', message: `No change window is open, which holds back ${what}. ${seen.closed}` }
}

/** A cluster that came back is brought to the weight that the others have; the step counts anew. */
export function catchUp(rollout: Rollout, seen: Observations): Rollout | undefined {
  const behind = behindOthers(rollout, seen)
  if (behind.length === 0 || heldBack(seen, 'it')) return undefined
  const message = `${behind.join(', ')} can be reached again and gets ${trafficText(rollout)} as the others.`
  const cause = { actor: MESHWRIGHT, reason: 'CatchingUp', message }
  return enter(askWave(rollout, trafficOf(rollout), seen.now, isReachable(seen)), 'caught-up', cause, seen.now)
}

function trafficOf({ weight, match, mirror }: Rollout) {
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
  if (targets.length === 0) return waiting(rollout, seen, 'Unreachable', 'No cluster of the rollout can be reached.')
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
