import { GATE, SCHEDULE } from '../model/identity.ts'
import { formatDuration } from '../model/names.ts'
import type { Rollout } from '../model/rollout.ts'
import { decideStepEnd } from './decide-step-end.ts'
import type { Observations } from './observations.ts'
import { attemptAt, waiting, wake } from './schedule.ts'
import { enter } from './transition.ts'
import { blindGate, catchUp, goLive, stopFor, waitForWeight } from './weight-rules.ts'

/** How long metrics may be missing before `onBlind: pause` pauses. */
export const BLIND_PAUSE_MS = 30 * 60_000

/** A step: harm first, then the weight on its way, then blindness, then the step's end. */
export function decideProgressing(rollout: Rollout, seen: Observations): Rollout {
  const stopped = stopFor(rollout, seen)
  if (stopped) return stopped
  const caughtUp = catchUp(rollout, seen)
  if (caughtUp) return caughtUp
  const live = goLive(rollout, seen)
  if (live.liveAt === undefined) return waitForWeight(live, seen)
  const blind = blindGate(live)
  if (blind) {
    const cause = { actor: GATE, reason: 'Blind', message: blind }
    return attemptAt(
      enter(live, 'blind', cause, seen.now, { resumeTo: 'progressing' }),
      seen.now,
      seen.now + seen.everyMs,
    )
  }
  return decideStepEnd(live, seen)
}

/** Holds while metrics are missing: never success, never failure. */
export function decideBlind(rollout: Rollout, seen: Observations): Rollout {
  const stopped = stopFor(rollout, seen)
  if (stopped) return stopped
  const why = blindGate(rollout)
  if (why === undefined) {
    const cause = { actor: GATE, reason: 'SeesAgain', message: 'Metrics are back.' }
    const { resumeTo, ...rest } = rollout
    return wake(enter(rest, resumeTo === 'baking' ? 'baking' : 'progressing', cause, seen.now), seen.now)
  }
  const pauseAt = Date.parse(rollout.phaseSince) + BLIND_PAUSE_MS
  if (rollout.onBlind === 'pause' && seen.now >= pauseAt) {
    const message = `Metrics were missing for ${formatDuration(BLIND_PAUSE_MS)}: ${why}`
    return enter(rollout, 'paused', { actor: SCHEDULE, reason: 'Blind', message }, seen.now)
  }
  return waiting(rollout, seen, 'Blind', why, { everyMs: seen.everyMs, deadline: pauseAt })
}
