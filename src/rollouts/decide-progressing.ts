import { GATE, SCHEDULE } from '../model/identity.ts'
import { formatDuration } from '../model/names.ts'
import type { Rollout } from '../model/rollout.ts'
import { decideStepEnd } from './decide-step-end.ts'
import type { Observations } from './observations.ts'
import { attemptAt, waiting, wake } from './schedule.ts'
import { stopFor } from './stop-for.ts'
import { enter } from './transition.ts'
import { blindGate, catchUp, goLive, resumeFrom, waitForWeight } from './weight-rules.ts'

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
  return goBlind(live, seen) ?? decideStepEnd(live, seen)
}

/** Holds because a gate cannot see; undefined when all see. */
export function goBlind(rollout: Rollout, seen: Observations): Rollout | undefined {
  const blind = blindGate(rollout)
  if (blind === undefined) return undefined
  const cause = { actor: GATE, reason: 'Blind', message: blind }
  const held = enter(rollout, 'metrics-missing', cause, seen.now, { resumeTo: rollout.phase })
  return attemptAt(held, seen.now, seen.now + seen.everyMs)
}

/** Holds while metrics are missing: never success, never failure. */
export function decideBlind(rollout: Rollout, seen: Observations): Rollout {
  const stopped = stopFor(rollout, seen)
  if (stopped) return stopped
  const why = blindGate(rollout)
  if (why === undefined) {
    const cause = { actor: GATE, reason: 'SeesAgain', message: 'Metrics are back.' }
    const { resumeTo: _from, ...rest } = enter(rollout, 'metrics-back', cause, seen.now)
    return wake(rest, seen.now)
  }
  const pauseAt = Date.parse(rollout.phaseSince) + BLIND_PAUSE_MS
  if (rollout.onBlind === 'pause' && seen.now >= pauseAt) {
    const message = `Metrics were missing for ${formatDuration(BLIND_PAUSE_MS)}: ${why}`
    const cause = { actor: SCHEDULE, reason: 'Blind', message }
    return enter(rollout, 'stuck', cause, seen.now, { resumeTo: resumeFrom(rollout) })
  }
  return waiting(rollout, seen, 'Blind', why, { everyMs: seen.everyMs, deadline: pauseAt })
}
