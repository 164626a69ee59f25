import { gateKind, type ValueGate } from '../model/gate.ts'
import { GATE, MESHWRIGHT, SCHEDULE } from '../model/identity.ts'
import { durationMs, formatDuration } from '../model/names.ts'
import { ALL_CLUSTERS, type GateProgress, type Rollout } from '../model/rollout.ts'
import { quorumOf, type StepSpec, stepKind, stepText } from '../model/step.ts'
import { presentStep, stepsOf, waveTargets, waveText } from '../model/waves.ts'
import { nextStep, passWave } from './next-step.ts'
import { type Observations, total } from './observations.ts'
import { attemptAt, say, waiting } from './schedule.ts'
import { timeOut } from './time-out.ts'
import { enter, rollBack } from './transition.ts'
import { webhookDueAt, webhookIsSpent } from './webhook-due.ts'
import { gateName, heldBack, holdBack, reachable } from './weight-rules.ts'

/**
 * A step whose traffic is live: when it ends, and what holds it up. Traffic stays for its time (counted from live, plus the
 * delay of the source) and passes then unless a gate holds it; other steps wait for one thing. What is not there in the
 * step's `timeout` (else the rollout's `patience`) goes by its `onTimeout`. Harm and blindness were looked for before.
 */
export function decideStepEnd(rollout: Rollout, seen: Observations): Rollout {
  const step = presentStep(rollout)
  if (!step || rollout.liveAt === undefined) return rollout
  if (waveTargets(rollout).length === 0)
    return passWave(rollout, seen, SCHEDULE, 'No cluster of it is left to step on.')
  switch (stepKind(step)) {
    case 'traffic':
      return endOfTraffic(rollout, seen, step, rollout.liveAt)
    case 'hold':
      return (
        endOfTime(rollout, seen, sinceOf(rollout) + durationMs(step.hold ?? '1s')) ??
        endOfDoubt(rollout, seen, step) ??
        pass(rollout, seen, step)
      )
    case 'analysis':
      return endOfEvidence(rollout, seen, step, sinceOf(rollout)) ?? pass(rollout, seen, step)
    case 'approval':
      return askApprovers(rollout, seen, step) ?? endOfDoubt(rollout, seen, step) ?? pass(rollout, seen, step)
    case 'webhook':
      return endOfWebhook(rollout, seen, step)
  }
}

function sinceOf({ stepSince, weightSince }: Rollout): number {
  return Date.parse(stepSince ?? weightSince)
}

function endOfTraffic(rollout: Rollout, seen: Observations, step: StepSpec, liveAt: string): Rollout {
  const gated = rollout.gates.length > 0
  const end = Date.parse(liveAt) + durationMs(step.for ?? '1s') + (gated ? seen.delayMs : 0)
  return (
    endOfTime(rollout, seen, end) ??
    (gated ? endOfEvidence(rollout, seen, step, end) : undefined) ??
    askApprovers(rollout, seen, step) ??
    pass(rollout, seen, step)
  )
}

/** Stays until `end` (epoch ms), with a look when it is due; undefined when that is over. */
function endOfTime(rollout: Rollout, seen: Observations, end: number): Rollout | undefined {
  if (seen.now >= end) return undefined
  const at = rollout.gates.length > 0 ? Math.min(end, seen.now + seen.everyMs) : end
  const place = `${waveText(rollout)}Step ${rollout.step + 1} of ${stepsOf(rollout).length}`
  const step = presentStep(rollout)
  return attemptAt(say(rollout, 'Step', `${place}: ${step ? stepText(step) : ''}.`), seen.now, at)
}

/** Stays while gates know too little; undefined when they let it pass. */
function endOfEvidence(rollout: Rollout, seen: Observations, step: StepSpec, end: number): Rollout | undefined {
  const lacking = evidenceLacking(rollout, seen, step)
  if (lacking === undefined) return undefined
  // Patience begins anew with a resume, and with metrics that are back.
  const since = Math.max(end, Date.parse(rollout.phaseSince))
  return hold(rollout, seen, lacking, { since, limitMs: limitOf(rollout, step) })
}

/** Stays while a gate sees stable sick, or shares that no weight explains, in a step that asks no more of gates. */
function endOfDoubt(rollout: Rollout, seen: Observations, step: StepSpec): Rollout | undefined {
  const doubt = rollout.gates.flatMap((_, gate) => holding(rollout, gate) ?? [])[0]
  if (doubt === undefined) return undefined
  const since = Math.max(sinceOf(rollout), Date.parse(rollout.phaseSince))
  return hold(rollout, seen, doubt, { since, limitMs: limitOf(rollout, step) })
}

/** Waits for what is lacking up to its limit; then the step's `onTimeout`. */
function hold(
  before: Rollout,
  seen: Observations,
  { reason, message }: { reason: string; message: string },
  { since, limitMs, everyMs = seen.everyMs }: { since: number; limitMs: number; everyMs?: number },
): Rollout {
  const rollout = warnOfShares(before)
  const deadline = since + limitMs
  if (seen.now < deadline) return waiting(rollout, seen, reason, message, { everyMs, deadline })
  const over = `${message} The step was extended by ${formatDuration(limitMs)}.`
  return timeOut(rollout, seen, { actor: SCHEDULE, reason, message: over })
}

/**
 * Something other than the weights sends requests: said once for each cluster, when it holds a step. Earlier it may be
 * that the proxies have yet to hear of the step's weight.
 */
function warnOfShares(rollout: Rollout): Rollout {
  const off = rollout.progress.flatMap(({ last, cluster }) => (last?.reason === 'RatioOff' ? [cluster] : []))
  const said = off.map((cluster) => `${cluster}: the candidate gets another share of the requests than its weight asks`)
  const added = [...new Set(said)].filter((warning) => !rollout.warnings.includes(warning))
  return added.length === 0 ? rollout : { ...rollout, warnings: [...rollout.warnings, ...added] }
}

function limitOf({ patienceMs }: Rollout, { timeout }: StepSpec): number {
  return timeout === undefined ? patienceMs : durationMs(timeout)
}

/** Goes to approvers unless enough have said yes; undefined when none is asked for. */
function askApprovers(rollout: Rollout, seen: Observations, step: StepSpec): Rollout | undefined {
  const quorum = quorumOf(step)
  if ((rollout.approvals ?? []).length >= quorum) return undefined
  const place = `${waveText(rollout)}Step ${rollout.step + 1} of ${stepsOf(rollout).length} (${stepText(step)})`
  const message = `${place} waits for ${quorum === 1 ? 'an approver' : `${quorum} approvers`}.`
  return enter(rollout, 'approval-asked', { actor: SCHEDULE, reason: 'AwaitingApproval', message }, seen.now)
}

/** What the other system said: on, back, or not yet. */
function endOfWebhook(rollout: Rollout, seen: Observations, step: StepSpec): Rollout {
  const said = seen.webhook ?? rollout.webhook
  const asked = said === undefined || said === rollout.webhook ? rollout : { ...rollout, webhook: said }
  if (said?.outcome === 'passed') {
    return endOfDoubt(asked, seen, step) ?? pass(asked, seen, step, `Webhook passed: ${said.detail}.`)
  }
  if (said?.outcome === 'refused') {
    const cause = { actor: MESHWRIGHT, reason: 'WebhookRefused', message: `Webhook refused: ${said.detail}.` }
    return rollBack(asked, 'gave-up', cause, seen.now)
  }
  if (said && webhookIsSpent(step, said)) {
    const times = said.failures === 1 ? 'once' : `${said.failures} times in a row`
    const cause = { actor: MESHWRIGHT, reason: 'WebhookFailed', message: `Webhook failed ${times}: ${said.detail}.` }
    return timeOut(asked, seen, cause)
  }
  const message = said ? `Webhook ${said.outcome}: ${said.detail}.` : `${stepText(step)} is being asked.`
  const everyMs = Math.max(1000, webhookDueAt(said, seen.now) - seen.now)
  const since = Math.max(sinceOf(asked), Date.parse(asked.phaseSince))
  return hold(asked, seen, { reason: 'Webhook', message }, { since, limitMs: limitOf(asked, step), everyMs })
}

function pass(rollout: Rollout, seen: Observations, step: StepSpec, why?: string): Rollout {
  const held = heldBack(seen, 'the next step')
  if (held) return holdBack(rollout, seen, held)
  const gated = rollout.gates.length > 0
  const actor = rollout.approvals?.at(-1) ?? (gated ? GATE : SCHEDULE)
  const passed = `Step ${rollout.step + 1} (${stepText(step)}) passed${gated ? ': no gate says harm' : ' by time'}.`
  return nextStep(rollout, seen, actor, why ?? passed)
}

/** What is not known enough to let the step pass; undefined when it may. First what no step may say to go on without. */
export function evidenceLacking(rollout: Rollout, seen: Observations, step: StepSpec): Lacking | undefined {
  const all = rollout.gates.flatMap((_, gate) => lackingOf(rollout, seen, step, gate) ?? [])
  return all.find(({ reason }) => reason !== NOT_YET_SAFE) ?? all[0]
}

const NOT_YET_SAFE = 'NotYetSafe'

function lackingOf(rollout: Rollout, seen: Observations, step: StepSpec, index: number): Lacking | undefined {
  const gate = rollout.gates[index]
  if (!gate) return undefined
  const looks = looksOf(rollout, index)
  if (gate.kind === 'value') return valueLacking(rollout, gate, looks)
  const events = eventsOf(looks)
  if (events < rollout.minEvents) {
    return {
      reason: 'TooFewEvents',
      message: `Gate ${gateKind(gate)} saw ${events} requests to the candidate in this step; ${rollout.minEvents} are needed.`,
    }
  }
  return holding(rollout, index) ?? (step.analysis ? unsure(rollout, seen, index) : undefined)
}

interface Lacking {
  readonly reason: string
  readonly message: string
}

/** What a gate knows on the clusters of the wave, and on all together. */
function looksOf(rollout: Rollout, gate: number): readonly GateProgress[] {
  const clusters = new Set([ALL_CLUSTERS, ...waveTargets(rollout).map(({ cluster }) => cluster)])
  return rollout.progress.filter((progress) => progress.gate === gate && clusters.has(progress.cluster))
}

/** A verdict that holds a step though it says no harm. */
function holding(rollout: Rollout, gate: number): Lacking | undefined {
  const held = looksOf(rollout, gate).find(({ last }) => HOLDING.includes(last?.reason ?? ''))
  if (!held?.last) return undefined
  return {
    reason: held.last.reason,
    message: `${gateName(rollout, gate)} on ${held.cluster}: ${held.last.explanation}`,
  }
}

/** A cluster of the wave that can be reached and whose last look, in this step's traffic, did not say safe; or none can be reached. */
function unsure(rollout: Rollout, seen: Observations, gate: number): Lacking | undefined {
  const { liveAt = '' } = rollout
  const looks = looksOf(rollout, gate)
  const clusters = reachable(rollout, seen)
  if (clusters.length === 0)
    return { reason: 'Unreachable', message: `${waveText(rollout)}No cluster of the rollout can be reached.` }
  for (const { cluster } of clusters) {
    const look = looks.find((progress) => progress.cluster === cluster)
    const isNew = look?.lookedAt !== undefined && look.lookedAt >= liveAt
    if (isNew && look.last?.verdict === 'safe') continue
    const why = isNew ? look.last?.explanation : 'no look in this step yet'
    return { reason: NOT_YET_SAFE, message: `${gateName(rollout, gate)} on ${cluster}: ${why}` }
  }
  return undefined
}

/** A value gate lets a step pass when it kept its bounds at the last look in the step on each cluster that it saw. */
function valueLacking(
  { liveAt = '' }: Rollout,
  gate: ValueGate,
  looks: readonly GateProgress[],
): { reason: string; message: string } | undefined {
  const inStep = looks.filter(({ lookedAt }) => lookedAt !== undefined && lookedAt >= liveAt)
  const name = `Gate ${gateKind(gate)}`
  if (inStep.length === 0) return { reason: 'NotLookedYet', message: `${name} has not looked in this step yet.` }
  const unsure = inStep.find(({ last }) => last?.verdict !== 'safe')
  if (!unsure?.last) return undefined
  return { reason: unsure.last.reason, message: `${name} on ${unsure.cluster}: ${unsure.last.explanation}` }
}

/** Verdicts that hold a step though they say no harm. */
const HOLDING: readonly string[] = ['StableBreaksLimitToo', 'RatioOff']

/** Requests to the candidate in this step, each cluster once. */
function eventsOf(looks: readonly GateProgress[]): number {
  return looks
    .filter(({ cluster }) => cluster !== ALL_CLUSTERS)
    .reduce((sum, { stepCandidate }) => sum + total(stepCandidate), 0)
}
