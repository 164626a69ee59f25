import { MESHWRIGHT, SCHEDULE } from '../model/identity.ts'
import { formatDuration } from '../model/names.ts'
import type { Rollout } from '../model/rollout.ts'
import type { Observations } from './observations.ts'
import { waiting, wake } from './schedule.ts'
import { askWeight, enter, rollBack } from './transition.ts'
import { isReachable, reachable, waited } from './weight-rules.ts'

/** Waits for a place under the caps and for freezes to end. */
export function decidePending(rollout: Rollout, seen: Observations): Rollout {
  if (seen.frozen) return waiting(rollout, seen, 'Frozen', `Freeze ${seen.frozen} holds back the start.`)
  if (!seen.slot) return waiting(rollout, seen, 'CapReached', 'As many rollouts are live as the caps allow.')
  const cause = { actor: MESHWRIGHT, reason: 'Starting', message: 'Waiting for ready endpoints of the candidate.' }
  return wake(enter(rollout, 'preflight', cause, seen.now), seen.now)
}

/** Waits until every reachable cluster has the route and ready endpoints of the candidate, then takes the first step. */
export function decidePreflight(rollout: Rollout, seen: Observations): Rollout {
  const [first] = rollout.steps
  const targets = reachable(rollout, seen)
  const ready = targets.filter(({ target }) => target.candidateReady > 0 && target.liveRevision >= rollout.revision)
  if (first && targets.length > 0 && ready.length === targets.length) {
    if (seen.frozen) return waiting(rollout, seen, 'Frozen', `Freeze ${seen.frozen} holds back the first step.`)
    const withStable = {
      ...rollout,
      targets: rollout.targets.map((target) => ({
        ...target,
        stableReadyAtStart: seen.targets[target.cluster]?.stableReady ?? 0,
      })),
    }
    const cause = {
      actor: MESHWRIGHT,
      reason: 'CandidateReady',
      message: `The candidate is ready; it gets ${first.weight} %.`,
    }
    const up = askWeight(withStable, first.weight, seen.now, isReachable(seen))
    return enter(up, 'progressing', cause, seen.now, { step: 0 })
  }
  const obstacle = targets.find(({ target }) => target.obstacle)?.target.obstacle
  const missing = targets.filter(({ target }) => target.candidateReady === 0).map(({ cluster }) => cluster)
  if (targets.length > 0 && waited(rollout, seen) >= rollout.readyTimeoutMs) {
    const why =
      obstacle?.message ?? `no ready endpoints of ${rollout.candidate} on ${missing.join(', ') || 'any cluster'}`
    const message = `The candidate was not ready within ${formatDuration(rollout.readyTimeoutMs)}: ${why}.`
    return rollBack(rollout, 'gate', { actor: SCHEDULE, reason: 'ReadyTimeout', message }, seen.now)
  }
  if (targets.length === 0) return waiting(rollout, seen, 'Unreachable', 'No cluster of the rollout can be reached.')
  if (obstacle) return waiting(rollout, seen, obstacle.reason, obstacle.message)
  if (missing.length === 0) return waiting(rollout, seen, 'Rendering', 'The route is being prepared.')
  return waiting(
    rollout,
    seen,
    'CandidateNotReady',
    `No ready endpoints of ${rollout.candidate} on ${missing.join(', ')}.`,
  )
}
