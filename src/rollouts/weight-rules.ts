import { GATE, MESHWRIGHT, SCHEDULE } from '../model/identity.ts'
import { formatDuration, timestamp } from '../model/names.ts'
import type { Rollout } from '../model/rollout.ts'
import type { Observations } from './observations.ts'
import { waiting } from './schedule.ts'
import { askWeight, enter, rollBack } from './transition.ts'

/** What ends or stops any moving phase: harm, and another hand on our weights. */
export function stopFor(rollout: Rollout, seen: Observations): Rollout | undefined {
  const harm = rollout.progress.find((progress) => progress.last?.verdict === 'harm')
  if (harm?.last) {
    const message = `${gateName(rollout, harm.gate)} on ${harm.cluster}: ${harm.last.explanation}`
    return rollBack(rollout, 'gate', { actor: GATE, reason: harm.last.reason, message }, seen.now)
  }
  const foreign = rollout.targets.find((target) => seen.targets[target.cluster]?.weightChanged)
  if (!foreign) return undefined
  const message = `Another hand changed the weights on ${foreign.cluster}. Resume puts ours back; abort goes back to ${foreign.stable}.`
  const resumeTo = rollout.phase === 'blind' ? rollout.resumeTo : rollout.phase
  const cause = { actor: MESHWRIGHT, reason: 'WeightChanged', message }
  return enter(rollout, 'paused', cause, seen.now, resumeTo === undefined ? {} : { resumeTo })
}

/** A cluster that came back is brought to the weight that the others have; the step counts anew. */
export function catchUp(rollout: Rollout, seen: Observations): Rollout | undefined {
  const behind = rollout.targets.filter((target) => target.weight < rollout.weight && isReachable(seen)(target.cluster))
  if (behind.length === 0 || seen.frozen) return undefined
  return askWeight(rollout, rollout.weight, seen.now, isReachable(seen))
}

/** Notes the moment from which the weight is live on every cluster that has to carry it. */
export function goLive(rollout: Rollout, seen: Observations): Rollout {
  if (rollout.liveAt !== undefined) return rollout
  const carriers = reachable(rollout, seen).filter(({ weight }) => weight === rollout.weight)
  if (carriers.length === 0 || carriers.some(({ target }) => target.liveRevision < rollout.revision)) return rollout
  const liveAt = Math.max(...carriers.map(({ target }) => target.liveAt ?? seen.now))
  return { ...rollout, liveAt: timestamp(liveAt), updatedAt: timestamp(seen.now) }
}

export function waitForWeight(rollout: Rollout, seen: Observations): Rollout {
  const obstacle = reachable(rollout, seen).find(({ target }) => target.obstacle)?.target.obstacle
  if (reachable(rollout, seen).length === 0)
    return waiting(rollout, seen, 'Unreachable', 'No cluster of the rollout can be reached.')
  const since = seen.now - Date.parse(rollout.weightSince)
  if (obstacle && obstacle.reason !== 'Frozen' && since >= rollout.readyTimeoutMs) {
    const message = `${rollout.weight} % was not live within ${formatDuration(rollout.readyTimeoutMs)}: ${obstacle.message}`
    return rollBack(rollout, 'gate', { actor: SCHEDULE, reason: 'WeightNotLive', message }, seen.now)
  }
  if (obstacle) return waiting(rollout, seen, obstacle.reason, obstacle.message)
  return waiting(rollout, seen, 'Shifting', `${rollout.weight} % is on its way to the proxies.`)
}

export function blindGate(rollout: Rollout): string | undefined {
  const blind = rollout.progress.find((progress) => progress.last?.verdict === 'blind')
  return blind?.last && `${gateName(rollout, blind.gate)} on ${blind.cluster}: ${blind.last.explanation}`
}

export function gateName(rollout: Rollout, index: number): string {
  const gate = rollout.gates[index]
  if (!gate) return `gate ${index}`
  return gate.kind === 'latency' ? `gate latency over ${gate.overMs} ms` : `gate ${gate.kind}`
}

export function reachable(rollout: Rollout, seen: Observations) {
  return rollout.targets.flatMap(({ cluster, weight }) => {
    const target = seen.targets[cluster]
    return target?.reachable ? [{ cluster, weight, target }] : []
  })
}

export function isReachable(seen: Observations): (cluster: string) => boolean {
  return (cluster) => seen.targets[cluster]?.reachable === true
}

export function waited(rollout: Rollout, seen: Observations): number {
  return seen.now - Date.parse(rollout.phaseSince)
}
