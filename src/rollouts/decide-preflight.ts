import { MESHWRIGHT, SCHEDULE } from '../model/identity.ts'
import { formatDuration } from '../model/names.ts'
import type { Rollout } from '../model/rollout.ts'
import type { Observations } from './observations.ts'
import { waitedSince, waiting, wake } from './schedule.ts'
import { askWeight, enter, rollBack } from './transition.ts'
import { FROZEN, isReachable, obstacleOn, reachable, stopFor } from './weight-rules.ts'

/** Waits for a place under the caps and for freezes to end. */
export function decidePending(rollout: Rollout, seen: Observations): Rollout {
  if (seen.frozen) return waiting(rollout, seen, 'Frozen', `Freeze ${seen.frozen} holds back the start.`)
  if (!seen.slot) return waiting(rollout, seen, 'CapReached', 'As many rollouts are live as the caps allow.')
  const cause = { actor: MESHWRIGHT, reason: 'Starting', message: 'Waiting for ready endpoints of the candidate.' }
  return wake(enter(rollout, 'preflight', cause, seen.now), seen.now)
}

/** Waits until every reachable cluster has the route and ready endpoints of the candidate, then takes the first step. */
export function decidePreflight(rollout: Rollout, seen: Observations): Rollout {
  const stopped = stopFor(rollout, seen)
  if (stopped) return stopped
  const targets = reachable(rollout, seen)
  if (targets.length === 0) return waiting(rollout, seen, 'Unreachable', 'No cluster of the rollout can be reached.')
  const missing = targets.filter(({ target }) => target.candidateReady === 0).map(({ cluster }) => cluster)
  const isRouted = targets.every(({ target }) => target.liveRevision >= rollout.revision)
  if (missing.length === 0 && isRouted) return firstStep(rollout, seen)
  const obstacle = obstacleOn(targets)
  if (obstacle?.reason === FROZEN) return waiting(rollout, seen, obstacle.reason, obstacle.message)
  const { readyTimeoutMs, candidate } = rollout
  const absent = missing.length === 0 ? undefined : `No ready endpoints of ${candidate} on ${missing.join(', ')}.`
  const waited = waitedSince(rollout, seen, rollout.phaseSince)
  if (waited >= readyTimeoutMs) {
    const why = obstacle?.message ?? absent ?? 'Nothing tells that its route was written.'
    const message = `The candidate was not ready within ${formatDuration(readyTimeoutMs)}: ${why}`
    return rollBack(rollout, 'gate', { actor: SCHEDULE, reason: 'ReadyTimeout', message }, seen.now)
  }
  const again = { deadline: seen.now + readyTimeoutMs - waited }
  if (obstacle) return waiting(rollout, seen, obstacle.reason, obstacle.message, again)
  if (absent) return waiting(rollout, seen, 'CandidateNotReady', absent, again)
  return waiting(rollout, seen, 'Rendering', 'The route is being prepared.', again)
}

function firstStep(rollout: Rollout, seen: Observations): Rollout {
  if (seen.frozen) return waiting(rollout, seen, 'Frozen', `Freeze ${seen.frozen} holds back the first step.`)
  const weight = rollout.steps[0]?.weight ?? 100
  const targets = rollout.targets.map((target) => ({
    ...target,
    stableReadyAtStart: seen.targets[target.cluster]?.stableReady ?? 0,
  }))
  const message = `The candidate is ready; it gets ${weight} %.`
  const cause = { actor: MESHWRIGHT, reason: 'CandidateReady', message }
  const warnings = [...new Set([...rollout.warnings, ...(seen.warnings ?? [])])]
  const up = askWeight({ ...rollout, targets, warnings }, weight, seen.now, isReachable(seen))
  return enter(up, 'progressing', cause, seen.now, { step: 0 })
}
