import { MESHWRIGHT, SCHEDULE } from '../model/identity.ts'
import type { Rollout } from '../model/rollout.ts'
import type { Observations } from './observations.ts'
import { attemptAt, POLL_MS, say } from './schedule.ts'
import { endOf, enter } from './transition.ts'
import { isReachable, waited } from './weight-rules.ts'

/** How long a rollback may fail to be written before the rollout is called failed. */
export const ROLLBACK_PATIENCE_MS = 30 * 60_000

/** Ends as its cause once the way back is live on every cluster; a cluster that cannot be reached is waited for. */
export function decideRollingBack(rollout: Rollout, seen: Observations): Rollout {
  const behind = rollout.targets.filter(
    (target) => (seen.targets[target.cluster]?.liveRevision ?? 0) < rollout.revision,
  )
  if (behind.length === 0) {
    const back = rollout.history.findLast((transition) => transition.to === 'rolling-back')
    const cause = {
      actor: back?.actor ?? MESHWRIGHT,
      reason: back?.reason ?? 'RolledBack',
      message: back?.message ?? 'Rolled back.',
    }
    return enter(rollout, endOf(rollout.cause), cause, seen.now)
  }
  const obstacle = behind.map((target) => seen.targets[target.cluster]?.obstacle).find((found) => found !== undefined)
  const names = behind.map((target) => target.cluster).join(', ')
  const message = obstacle
    ? `The way back is not live on ${names}: ${obstacle.message}`
    : `The way back is being written on ${names}.`
  const reachableBehind = behind.some((target) => isReachable(seen)(target.cluster))
  if (reachableBehind && obstacle && waited(rollout, seen) >= ROLLBACK_PATIENCE_MS) {
    return enter(rollout, 'failed', { actor: SCHEDULE, reason: 'WeightsNotSet', message }, seen.now)
  }
  // The reason of the way back stays what it was: it is the answer to "why".
  return attemptAt(say(rollout, rollout.reason, message), seen.now, seen.now + POLL_MS)
}
