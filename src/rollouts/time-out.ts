import type { Rollout } from '../model/rollout.ts'
import { presentStep } from '../model/waves.ts'
import { nextStep } from './next-step.ts'
import type { Observations } from './observations.ts'
import { waiting } from './schedule.ts'
import { type Cause, enter, rollBack } from './transition.ts'
import { heldBack, resumeFrom } from './weight-rules.ts'

/** What holds a step up that may not be passed by, whatever the step says: gates that know too little, or see stable sick. */
const NEVER_PASSED_BY: readonly string[] = ['TooFewEvents', 'StableBreaksLimitToo', 'RatioOff']

/** A step was not through in its time: what it says happens then, a pause when it says nothing. */
export function timeOut(rollout: Rollout, seen: Observations, cause: Cause): Rollout {
  const then = presentStep(rollout)?.onTimeout ?? 'pause'
  if (then === 'rollback') return rollBack(rollout, 'gave-up', cause, seen.now)
  if (then === 'pause' || NEVER_PASSED_BY.includes(cause.reason)) {
    return enter(rollout, 'stuck', cause, seen.now, { resumeTo: resumeFrom(rollout) })
  }
  const held = heldBack(seen, 'the next step')
  if (held) return waiting(rollout, seen, held.reason, held.message)
  return nextStep(rollout, seen, cause.actor, `${cause.message} The step says to go on then.`)
}
