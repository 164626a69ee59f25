import { MESHWRIGHT, SCHEDULE } from '../model/identity.ts'
import { formatDuration, timestamp } from '../model/names.ts'
import type { Rollout } from '../model/rollout.ts'
import { NO_TRAFFIC } from '../model/step.ts'
import { isLastWave, presentWave, wavesOf, waveTargets, waveText } from '../model/waves.ts'
import { goBlind } from './decide-progressing.ts'
import type { Observations } from './observations.ts'
import { attemptAt, waiting, wake } from './schedule.ts'
import { leaveOut, stopFor } from './stop-for.ts'
import { askWave, enter } from './transition.ts'
import {
  behindOthers,
  catchUp,
  goLive,
  heldBack,
  holdBack,
  isReachable,
  reachable,
  resumeFrom,
  waitForWeight,
} from './weight-rules.ts'

/** All requests of the wave go to the candidate; when that is live, the wave bakes, or after the last one everything does. */
export function decidePromoting(rollout: Rollout, seen: Observations): Rollout {
  const stopped = stopFor(rollout, seen)
  if (stopped) return stopped
  const caughtUp = catchUp(rollout, seen)
  if (caughtUp) return caughtUp
  const live = goLive(rollout, seen)
  if (live.liveAt === undefined) return waitForWeight(live, seen)
  const behind = behindOthers(live, seen)
  const held = heldBack(seen, `the candidate on ${behind.join(', ')}`)
  if (behind.length > 0 && held) return holdBack(live, seen, held)
  const away = waveTargets(live)
    .map(({ cluster }) => cluster)
    .filter((cluster) => !isReachable(seen)(cluster))
  // Once the wave bakes every cluster has had it: who goes away then only is not looked at.
  if (away.length > 0 && live.bakeUntil === undefined) return waitForAway(live, seen, away)
  // A last step of 100 % was live before this phase began: the bake is the time after it.
  const since = Math.max(Date.parse(live.liveAt), Date.parse(live.phaseSince))
  return isLastWave(live) ? promoted(live, seen, since) : decideWaveBake(live, seen, since)
}

/** A cluster that stays away holds only its own part: after `patience` the rollout goes on without it. */
function waitForAway(rollout: Rollout, seen: Observations, away: readonly string[]): Rollout {
  const message = `Everything but ${away.join(', ')} runs ${rollout.candidate}; it cannot be reached.`
  const deadline = Date.parse(rollout.phaseSince) + rollout.patienceMs
  if (seen.now < deadline) return waiting(rollout, seen, 'Unreachable', message, { deadline })
  if (reachable(rollout, seen).length === 0) {
    const cause = { actor: SCHEDULE, reason: 'Unreachable', message }
    return enter(rollout, 'stuck', cause, seen.now, { resumeTo: resumeFrom(rollout) })
  }
  const warnings = [...rollout.warnings, `${away.join(', ')} could not be reached and keeps its stable version`]
  const left = { ...leaveOut(rollout, new Set(away), 'unreachable', seen.now), warnings }
  const cause = { actor: SCHEDULE, reason: 'LeftOut', message: `${message} The rollout goes on without it.` }
  return wake(enter(left, 'left-out', cause, seen.now), seen.now)
}

function promoted(live: Rollout, seen: Observations, since: number): Rollout {
  const message = `${live.candidate} gets all requests and is stable; baking.`
  const bakeUntil = timestamp(since + live.bakeMs)
  const cause = { actor: MESHWRIGHT, reason: 'Promoted', message }
  return wake(enter(live, 'promoted', cause, seen.now, { bakeUntil }), seen.now)
}

/** The bake between two waves: gates look on, then the next wave begins. A wave that has lost its clusters has nothing to bake. */
function decideWaveBake(rollout: Rollout, seen: Observations, since: number): Rollout {
  const { bakeMs } = presentWave(rollout)
  const bakeUntil = rollout.bakeUntil ?? timestamp(since + bakeMs)
  const baking = rollout.bakeUntil === undefined ? { ...rollout, bakeUntil } : rollout
  const blind = goBlind(baking, seen)
  if (blind) return blind
  const end = waveTargets(baking).length === 0 ? seen.now : endOfBake(baking, seen)
  const message = `${waveText(baking)}${baking.candidate} gets all requests; baking for ${formatDuration(bakeMs)}.`
  if (seen.now < end) {
    const everyMs = baking.gates.length > 0 ? seen.everyMs : end - seen.now
    return waiting(baking, seen, 'WaveBake', message, { everyMs, deadline: end })
  }
  const held = heldBack(seen, 'the next wave')
  if (held) return holdBack(baking, seen, held)
  return nextWave(baking, seen)
}

function nextWave(rollout: Rollout, seen: Observations): Rollout {
  const { bakeUntil: _bake, ...rest } = rollout
  const wave = (rollout.wave ?? 0) + 1
  const next = askWave({ ...rest, wave, step: -1 }, NO_TRAFFIC, seen.now)
  const name = wavesOf(rollout)[wave]?.name
  const passed = waveTargets(rollout).length === 0 ? 'no cluster of it is left' : 'passed'
  const message = `${waveText(rollout)}${passed}. ${waveText(next)}${name} begins.`
  return wake(enter(next, 'wave-passed', { actor: SCHEDULE, reason: 'WavePassed', message }, seen.now), seen.now)
}

/** When a bake is over, in epoch milliseconds: gates see its end only after the delay of their source. */
function endOfBake({ bakeUntil, phaseSince, gates }: Rollout, { delayMs }: Observations): number {
  return Date.parse(bakeUntil ?? phaseSince) + (gates.length === 0 ? 0 : delayMs)
}

/** The old version stays warm and gates look on. */
export function decideBaking(rollout: Rollout, seen: Observations): Rollout {
  const stopped = stopFor(rollout, seen)
  if (stopped) return stopped
  const warned = withReadiness(goLive(rollout, seen), seen)
  // Weights that another hand moved, and a person had put back, are on their way.
  if (warned.liveAt === undefined) return waitForWeight(warned, seen)
  const blind = goBlind(warned, seen)
  if (blind) return blind
  const end = endOfBake(rollout, seen)
  if (seen.now >= end) {
    const message = `${rollout.candidate} is stable after ${formatDuration(rollout.bakeMs)} of baking.`
    return enter(warned, 'baked', { actor: SCHEDULE, reason: 'Baked', message }, seen.now)
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
