import { gateKind } from '../model/gate.ts'
import { GATE, SCHEDULE } from '../model/identity.ts'
import { durationMs, formatDuration } from '../model/names.ts'
import type { Rollout } from '../model/rollout.ts'
import type { StepSpec } from '../model/step.ts'
import { type Observations, total } from './observations.ts'
import { attemptAt, say, waiting } from './schedule.ts'
import { askWeight, type Cause, enter } from './transition.ts'

/**
 * A step whose weight is live: when it ends, and what its gates let follow. It passes after `for` (counted from live,
 * plus the delay of the source) unless a gate holds it; for want of evidence it is extended up to `patience`, then a
 * person is asked. Harm and blindness were looked for before.
 */
export function decideStepEnd(rollout: Rollout, seen: Observations): Rollout {
  const step = rollout.steps[rollout.step]
  if (!step || rollout.liveAt === undefined) return rollout
  const gated = rollout.gates.length > 0
  const end = Date.parse(rollout.liveAt) + durationMs(step.for) + (gated ? seen.delayMs : 0)
  if (seen.now < end) return lookAgain(rollout, seen, gated ? Math.min(end, seen.now + seen.everyMs) : end)
  const lacking = gated ? evidenceLacking(rollout, step) : undefined
  // Patience begins anew with a resume, and with metrics that are back.
  if (lacking) return extend(rollout, seen, lacking, Math.max(end, Date.parse(rollout.phaseSince)))
  if (step.approval && !rollout.approvedBy) {
    const message = `Step ${rollout.step + 1} of ${rollout.steps.length} (${step.weight} %) waits for an approver.`
    return enter(rollout, 'awaiting-approval', { actor: SCHEDULE, reason: 'AwaitingApproval', message }, seen.now)
  }
  if (seen.frozen) return waiting(rollout, seen, 'Frozen', `Freeze ${seen.frozen} holds back the next step.`)
  return nextStep(rollout, seen, step, gated)
}

function nextStep(rollout: Rollout, seen: Observations, step: StepSpec, gated: boolean): Rollout {
  const following = rollout.steps[rollout.step + 1]
  const actor = rollout.approvedBy ?? (gated ? GATE : SCHEDULE)
  const passed = `Step ${rollout.step + 1} (${step.weight} %) passed${gated ? ': no gate says harm' : ' by time'}`
  const up = (weight: number) =>
    askWeight(rollout, weight, seen.now, (cluster) => seen.targets[cluster]?.reachable === true)
  if (!following) {
    const cause: Cause = { actor, reason: 'StepsPassed', message: `${passed}. The candidate gets all requests.` }
    return enter(up(100), 'promoting', cause, seen.now)
  }
  const message = `${passed}. The candidate gets ${following.weight} %.`
  const cause: Cause = { actor, reason: 'StepPassed', message }
  return enter(up(following.weight), 'progressing', cause, seen.now, { step: rollout.step + 1 })
}

/** What is not known enough to let the step pass; undefined when it may. */
function evidenceLacking(rollout: Rollout, step: StepSpec): { reason: string; message: string } | undefined {
  for (const [index, gate] of rollout.gates.entries()) {
    const looks = rollout.progress.filter((progress) => progress.gate === index)
    const events = looks.reduce((sum, progress) => sum + total(progress.stepCandidate), 0)
    if (events < rollout.minEvents) {
      return {
        reason: 'TooFewEvents',
        message: `Gate ${gateKind(gate)} saw ${events} requests to the candidate in this step; ${rollout.minEvents} are needed.`,
      }
    }
    const sick = looks.find((progress) => progress.last?.reason === 'StableBreaksLimitToo')
    if (sick?.last)
      return {
        reason: 'StableBreaksLimitToo',
        message: `Gate ${gateKind(gate)} on ${sick.cluster}: ${sick.last.explanation}`,
      }
    const unsure = step.analysis ? looks.find((progress) => progress.last?.verdict !== 'safe') : undefined
    if (unsure)
      return {
        reason: 'NotYetSafe',
        message: `Gate ${gateKind(gate)} on ${unsure.cluster}: ${unsure.last?.explanation ?? 'no look yet'}`,
      }
  }
  return undefined
}

function extend(
  rollout: Rollout,
  seen: Observations,
  lacking: { reason: string; message: string },
  since: number,
): Rollout {
  const deadline = since + rollout.patienceMs
  if (seen.now < deadline)
    return waiting(rollout, seen, lacking.reason, lacking.message, { everyMs: seen.everyMs, deadline })
  const message = `${lacking.message} The step was extended by ${formatDuration(rollout.patienceMs)}.`
  return enter(rollout, 'paused', { actor: SCHEDULE, reason: lacking.reason, message }, seen.now, {
    resumeTo: 'progressing',
  })
}

function lookAgain(rollout: Rollout, seen: Observations, at: number): Rollout {
  const step = rollout.steps[rollout.step]
  const message = `Step ${rollout.step + 1} of ${rollout.steps.length}: ${rollout.weight} % for ${step?.for}.`
  return attemptAt(say(rollout, 'Step', message), seen.now, at)
}
