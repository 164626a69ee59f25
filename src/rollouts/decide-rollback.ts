import { MESHWRIGHT, SCHEDULE } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import type { Rollout } from '../model/rollout.ts'
import type { Observations, TargetObservation } from './observations.ts'
import { attemptAt, pollAfter, say, waitedSince } from './schedule.ts'
import { enter } from './transition.ts'
import { isReachable } from './weight-rules.ts'

/** How long a rollback may fail to be written before the rollout is called failed. */
export const ROLLBACK_PATIENCE_MS = 30 * 60_000

/**
 * Ends as its cause once the way back is live on every cluster where the candidate was ever to get requests: weights are
 * what counts, other changes of the route may still be held back. A cluster that cannot be reached is waited for, one
 * that the service has left is not.
 */
export function decideRollingBack(rollout: Rollout, seen: Observations): Rollout {
  const behind = rollout.targets
    .filter(({ highestWeight = 0 }) => highestWeight > 0)
    .map(({ cluster }) => ({ cluster, backAt: backAt(rollout, seen.targets[cluster]) }))
    .filter(({ backAt }) => backAt > seen.now)
  if (behind.length === 0) {
    const back = rollout.history.findLast((transition) => transition.to === 'rolling-back')
    const cause = {
      actor: back?.actor ?? MESHWRIGHT,
      reason: back?.reason ?? 'RolledBack',
      message: back?.message ?? 'Rolled back.',
    }
    return enter(rollout, 'way-back-live', cause, seen.now)
  }
  const unwritten = behind.filter(({ backAt }) => backAt === Number.POSITIVE_INFINITY)
  const obstacle = unwritten.map(({ cluster }) => seen.targets[cluster]?.obstacle).find((found) => found !== undefined)
  const names = behind.map((target) => target.cluster).join(', ')
  const sick = unwritten.filter(({ cluster }) => isStableSick(seen.targets[cluster])).map(({ cluster }) => cluster)
  const message = wordsOf(rollout, names, sick, obstacle?.message)
  // The reason of the way back stays what it was: it is the answer to "why".
  const said = say(rollout, rollout.reason, message)
  const settled = Math.min(...behind.map(({ backAt }) => backAt))
  const next = attemptAt(said, seen.now, Math.min(settled, seen.now + pollAfter(rollout, seen)))
  // Nobody can hurry clusters that do not answer, nor send requests to a version without Pods.
  if (behind.every(({ cluster }) => !isReachable(seen)(cluster) || sick.includes(cluster))) {
    return next === rollout ? rollout : { ...next, heldUntil: timestamp(seen.now) }
  }
  if (unwritten.length > 0 && waitedSince(rollout, seen, rollout.phaseSince) >= ROLLBACK_PATIENCE_MS) {
    return enter(rollout, 'way-back-failed', { actor: SCHEDULE, reason: 'WeightsNotSet', message }, seen.now)
  }
  return next
}

/** Stable has no ready endpoints while the candidate has: requests stay where they are answered. */
function isStableSick(target: TargetObservation | undefined): boolean {
  return target?.reachable === true && target.stableReady === 0 && target.candidateReady > 0
}

function wordsOf(rollout: Rollout, names: string, sick: readonly string[], obstacle: string | undefined): string {
  if (sick.length > 0) {
    const stables = [...new Set(rollout.targets.filter((t) => sick.includes(t.cluster)).map(({ stable }) => stable))]
    return `Stable ${stables.join(', ')} has no ready endpoints on ${sick.join(', ')}: requests stay with ${rollout.candidate} there until it has.`
  }
  if (obstacle !== undefined) return `The way back is not live on ${names}: ${obstacle}`
  return `The way back is being written on ${names}.`
}

/**
 * From when on, in epoch milliseconds, nothing goes to the candidate there: long ago when the whole route is live, infinity
 * while its weight is not written.
 */
function backAt({ revision }: Rollout, target: TargetObservation | undefined): number {
  if (target?.gone || (target && target.liveRevision >= revision)) return Number.NEGATIVE_INFINITY
  const written = target?.written
  const isBack = written !== undefined && written.candidate === 0 && written.revision >= revision
  return isBack ? written.liveAt : Number.POSITIVE_INFINITY
}
