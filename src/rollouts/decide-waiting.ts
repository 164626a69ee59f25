import { SCHEDULE } from '../model/identity.ts'
import { durationMs, formatDuration } from '../model/names.ts'
import type { Rollout } from '../model/rollout.ts'
import { isExposed, presentStep } from '../model/waves.ts'
import type { Observations } from './observations.ts'
import { attemptAt } from './schedule.ts'
import { stopForHarm } from './stop-for.ts'
import { timeOut } from './time-out.ts'

/** How often gates look while a person is waited for. */
const LOOK_MS = 60_000

/** A pause: harm needs nobody's leave to go back, all else waits. */
export function decidePaused(rollout: Rollout, seen: Observations): Rollout {
  return harmIn(rollout, seen) ?? waitOn(rollout, seen.now)
}

/** Waits for approvers, at most as long as the step says. */
export function decideAwaitingApproval(rollout: Rollout, seen: Observations): Rollout {
  const harmed = harmIn(rollout, seen)
  if (harmed) return harmed
  const deadline = approvalDeadline(rollout)
  if (deadline === undefined || seen.now < deadline) return waitOn(rollout, seen.now)
  const message = `Nobody approved within ${formatDuration(deadline - Date.parse(rollout.phaseSince))}.`
  return timeOut(rollout, seen, { actor: SCHEDULE, reason: 'ApprovalExpired', message })
}

function harmIn(rollout: Rollout, seen: Observations): Rollout | undefined {
  return isWatched(rollout) ? stopForHarm(rollout, seen) : undefined
}

function waitOn(rollout: Rollout, now: number): Rollout {
  const due = dueWhileWaiting(rollout, now)
  return due === undefined ? rollout : attemptAt(rollout, now, due)
}

/**
 * When a rollout that waits for a person is to be looked at again, in epoch milliseconds: while gates have something to
 * see, and when its approval expires. Undefined: only a person moves it.
 */
export function dueWhileWaiting(rollout: Rollout, now: number): number | undefined {
  if (rollout.phase !== 'paused' && rollout.phase !== 'awaiting-approval') return undefined
  const deadline = approvalDeadline(rollout)
  const look = isWatched(rollout) ? now + LOOK_MS : undefined
  // An approval that expired into a freeze is looked at again like a gate.
  const expires = deadline !== undefined && deadline <= now ? now + LOOK_MS : deadline
  if (expires === undefined || look === undefined) return expires ?? look
  return Math.min(expires, look)
}

/** Where another hand has set the weights, what gates see is not the rollout's doing. */
function isWatched(rollout: Rollout): boolean {
  if (rollout.gates.length === 0 || rollout.reason === 'WeightChanged') return false
  return rollout.targets.some((target) => target.out === undefined && isExposed(target))
}

function approvalDeadline(rollout: Rollout): number | undefined {
  const timeout = rollout.phase === 'awaiting-approval' ? presentStep(rollout)?.timeout : undefined
  return timeout === undefined ? undefined : Date.parse(rollout.phaseSince) + durationMs(timeout)
}
