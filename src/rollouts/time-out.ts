import type { Rollout } from '../model/rollout.ts'
import { presentStep } from '../model/waves.ts'
import { nextStep } from './next-step.ts'
import type { Observations } from './observations.ts'
import { type Cause, enter, rollBack } from './transition.ts'
import { heldBack, holdBack, resumeFrom } from './weight-rules.ts'

/** What a step may say to go on without. Gates that know too little, or see stable sick, are not passed by. */
const MAY_PASS_BY: readonly string[] = ['NotYetSafe', 'ApprovalExpired', 'WebhookFailed', 'Webhook']

/** A step was not through in its time: what it says happens then, a pause when it says nothing. */
export function timeOut(rollout: Rollout, seen: Observations, cause: Cause): Rollout {
  const then = presentStep(rollout)?.onTimeout ?? 'pause'
  if (then === 'rollback') return rollBack(rollout, 'gave-up', cause, seen.now)
  if (then === 'pause' || !MAY_PASS_BY.includes(cause.reason)) {
    return enter(rollout, 'stuck', cause, seen.now, { resumeTo: resumeFrom(rollout) })
  }
  const held = heldBack(seen, 'the next step')
  if (held) return holdBack(rollout, seen, held)
  return nextStep(rollout, seen, cause.actor, `${cause.message} The step says to go on then.`)
}
