import { GATE, MESHWRIGHT, SCHEDULE } from '../model/identity.ts'
import { formatDuration, timestamp } from '../model/names.ts'
import type { Rollout } from '../model/rollout.ts'
import type { Observations } from './observations.ts'
import { attemptAt, waiting, wake } from './schedule.ts'
import { enter } from './transition.ts'
import { behindOthers, blindGate, catchUp, goLive, isReachable, stopFor, waitForWeight } from './weight-rules.ts'

/** All requests go to the candidate; when that is live everywhere, it becomes stable and bakes. */
export function decidePromoting(rollout: Rollout, seen: Observations): Rollout {
  const stopped = stopFor(rollout, seen)
  if (stopped) return stopped
  const caughtUp = catchUp(rollout, seen)
  if (caughtUp) return caughtUp
  const away = rollout.targets.filter((target) => !isReachable(seen)(target.cluster)).map((target) => target.cluster)
  const live = goLive(rollout, seen)
  if (live.liveAt === undefined) return waitForWeight(live, seen)
  const behind = behindOthers(live, seen)
  if (behind.length > 0) {
    const message = `Freeze ${seen.frozen} keeps ${behind.join(', ')} from the candidate.`
    return waiting(live, seen, 'Frozen', message)
  }
  if (away.length > 0) {
    const message = `Everything but ${away.join(', ')} runs ${rollout.candidate}; it cannot be reached.`
    const deadline = Date.parse(rollout.phaseSince) + rollout.patienceMs
    if (seen.now < deadline) return waiting(live, seen, 'Unreachable', message, { deadline })
    return enter(live, 'paused', { actor: SCHEDULE, reason: 'Unreachable', message }, seen.now, {
      resumeTo: 'promoting',
    })
  }
  const cause = {
    actor: MESHWRIGHT,
    reason: 'Promoted',
    message: `${rollout.candidate} gets all requests and is stable; baking.`,
  }
  const bakeUntil = timestamp(Date.parse(live.liveAt) + rollout.bakeMs)
  return wake(enter(live, 'baking', cause, seen.now, { bakeUntil }), seen.now)
}

/** The old version stays warm and gates look on. */
export function decideBaking(rollout: Rollout, seen: Observations): Rollout {
  const stopped = stopFor(rollout, seen)
  if (stopped) return stopped
  const warned = withReadiness(goLive(rollout, seen), seen)
  // Weights that another hand moved, and a person had put back, are on their way.
  if (warned.liveAt === undefined) return waitForWeight(warned, seen)
  const blind = blindGate(warned)
  if (blind) {
    const cause = { actor: GATE, reason: 'Blind', message: blind }
    return attemptAt(enter(warned, 'blind', cause, seen.now, { resumeTo: 'baking' }), seen.now, seen.now + seen.everyMs)
  }
  const until = Date.parse(rollout.bakeUntil ?? rollout.phaseSince)
  const end = rollout.gates.length === 0 ? until : until + seen.delayMs
  if (seen.now >= end) {
    const cause = {
      actor: SCHEDULE,
      reason: 'Baked',
      message: `${rollout.candidate} is stable after ${formatDuration(rollout.bakeMs)} of baking.`,
    }
    return enter(warned, 'succeeded', cause, seen.now)
  }
  const look = rollout.gates.length === 0 ? end : Math.min(end, seen.now + seen.everyMs)
  return attemptAt(warned, seen.now, look)
}

/** Stable's pods are the way back: says so when there are fewer than at the start. */
function withReadiness(rollout: Rollout, seen: Observations): Rollout {
  const targets = rollout.targets.map((target) => {
    const ready = seen.targets[target.cluster]?.stableReady ?? 0
    const rollbackReadiness =
      ready < (target.stableReadyAtStart ?? 0) || ready === 0 ? ('degraded' as const) : ('ready' as const)
    return target.rollbackReadiness === rollbackReadiness ? target : { ...target, rollbackReadiness }
  })
  return targets.every((target, index) => target === rollout.targets[index]) ? rollout : { ...rollout, targets }
}
