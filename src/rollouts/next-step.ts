import type { Actor } from '../model/identity.ts'
import type { Rollout } from '../model/rollout.ts'
import { ALL_TRAFFIC, sameTraffic, stepText, trafficAt } from '../model/step.ts'
import { stepsOf, waveText } from '../model/waves.ts'
import type { Observations } from './observations.ts'
import { wake } from './schedule.ts'
import { askAll, askWave, atStep, enter } from './transition.ts'
import { isReachable } from './weight-rules.ts'

/** Takes the next step of the present wave, or after its last one gives the candidate everything there. `passed` says why. */
export function nextStep(rollout: Rollout, seen: Observations, actor: Actor, passed: string): Rollout {
  const steps = stepsOf(rollout)
  const index = rollout.step + 1
  const following = steps[index]
  if (!following) return passWave(rollout, seen, actor, `${passed} The candidate gets all requests.`)
  const cause = { actor, reason: 'StepPassed', message: `${waveText(rollout)}${passed} Next: ${stepText(following)}.` }
  const at = atStep(rollout, index, seen.now)
  const traffic = trafficAt(steps, index)
  // A step that only waits keeps the routes, and the time from which they are live.
  if (sameTraffic(traffic, rollout)) return wake(enter(at, 'step-passed', cause, seen.now), seen.now)
  return enter(askWave(at, traffic, seen.now, isReachable(seen)), 'step-passed', cause, seen.now)
}

/** Past all steps of the present wave: the candidate gets everything there, as far as a cluster is left. `passed` says why. */
export function passWave(rollout: Rollout, seen: Observations, actor: Actor, passed: string): Rollout {
  const cause = { actor, reason: 'StepsPassed', message: `${waveText(rollout)}${passed}` }
  // What the last step gave already needs no routes anew.
  const has = sameTraffic(rollout, ALL_TRAFFIC)
  const all = has ? atStep(rollout, rollout.step, seen.now) : askAll(rollout, seen.now, isReachable(seen))
  return enter(all, 'steps-passed', cause, seen.now)
}
