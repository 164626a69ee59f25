import { MESHWRIGHT, SCHEDULE } from '../model/identity.ts'
import { formatDuration } from '../model/names.ts'
import type { Rollout } from '../model/rollout.ts'
import { NO_TRAFFIC, sameTraffic, stepText, trafficAt } from '../model/step.ts'
import { stepsOf, waveTargets, waveText } from '../model/waves.ts'
import type { Observations } from './observations.ts'
import { waitedSince, waiting, wake } from './schedule.ts'
import { stopFor } from './stop-for.ts'
import { askWave, atStep, enter, rollBack } from './transition.ts'
import { FROZEN, heldBack, holdBack, isReachable, obstacleOn, reachable, waitForAny } from './weight-rules.ts'

/** Waits for a place under the caps, for freezes to end and for a change window. */
export function decidePending(rollout: Rollout, seen: Observations): Rollout {
  const held = heldBack(seen, 'the start')
  if (held) return holdBack(rollout, seen, held)
  if (!seen.slot) return waiting(rollout, seen, 'CapReached', 'As many rollouts are live as the caps allow.')
  const cause = { actor: MESHWRIGHT, reason: 'Starting', message: 'Waiting for ready endpoints of the candidate.' }
  return wake(enter(rollout, 'place-free', cause, seen.now), seen.now)
}

/** Waits until every reachable cluster of the wave has the route and ready endpoints of the candidate, then takes the first step. */
export function decidePreflight(rollout: Rollout, seen: Observations): Rollout {
  const stopped = stopFor(rollout, seen)
  if (stopped) return stopped
  const targets = reachable(rollout, seen)
  if (targets.length === 0) return waitForAny(rollout, seen)
  const missing = targets.filter(({ target }) => target.candidateReady === 0).map(({ cluster }) => cluster)
  const isRouted = targets.every(({ asked, target }) => target.liveRevision >= (asked.revision ?? rollout.revision))
  if (missing.length === 0 && isRouted) return firstStep(rollout, seen)
  const obstacle = obstacleOn(targets)
  if (obstacle?.reason === FROZEN) return waiting(rollout, seen, obstacle.reason, obstacle.message)
  const { readyTimeoutMs, candidate } = rollout
  const absent = missing.length === 0 ? undefined : `No ready endpoints of ${candidate} on ${missing.join(', ')}.`
  const waited = waitedSince(rollout, seen, rollout.phaseSince)
  if (waited >= readyTimeoutMs) {
    const why = obstacle?.message ?? absent ?? 'Nothing tells that its route was written.'
    const message = `The candidate was not ready within ${formatDuration(readyTimeoutMs)}: ${why}`
    return rollBack(rollout, 'gave-up', { actor: SCHEDULE, reason: 'ReadyTimeout', message }, seen.now)
  }
  const again = { deadline: seen.now + readyTimeoutMs - waited }
  if (obstacle) return waiting(rollout, seen, obstacle.reason, obstacle.message, again)
  if (absent) return waiting(rollout, seen, 'CandidateNotReady', absent, again)
  return waiting(rollout, seen, 'Rendering', 'The route is being prepared.', again)
}

function firstStep(rollout: Rollout, seen: Observations): Rollout {
  const held = heldBack(seen, 'the first step')
  if (held) return holdBack(rollout, seen, held)
  const steps = stepsOf(rollout)
  const traffic = trafficAt(steps, 0)
  const wave = waveTargets(rollout).map(({ cluster }) => cluster)
  const targets = rollout.targets.map((target) =>
    wave.includes(target.cluster)
      ? { ...target, stableReadyAtStart: seen.targets[target.cluster]?.stableReady ?? 0 }
      : target,
  )
  const [first] = steps
  const message = `${waveText(rollout)}The candidate is ready; ${first ? `first step: ${stepText(first)}` : 'no steps'}.`
  const cause = { actor: MESHWRIGHT, reason: 'CandidateReady', message }
  const warnings = [...new Set([...rollout.warnings, ...(seen.warnings ?? [])])]
  const ready = atStep({ ...rollout, targets, warnings }, 0, seen.now)
  // A first step that only waits changes no route.
  if (sameTraffic(traffic, NO_TRAFFIC)) return wake(enter(ready, 'candidate-ready', cause, seen.now), seen.now)
  return enter(askWave(ready, traffic, seen.now, isReachable(seen)), 'candidate-ready', cause, seen.now)
}
