import { durationMs } from '../../model/names.ts'
import {
  ALL_CLUSTERS,
  type GateProgress,
  type Rollout,
  type RolloutTarget,
  type RolloutWave,
} from '../../model/rollout.ts'
import {
  type CandidateTraffic,
  quorumOf,
  type StepSpec,
  sameTraffic,
  stepKind,
  stepText,
  trafficAt,
} from '../../model/step.ts'
import { type HoldAt, passHolds } from './holds.ts'
import { predictGates } from './predict-gates.ts'
import type { StepForecast } from './timeline.ts'
import { type Requests, type ServiceTraffic, sharesOf, times } from './traffic.ts'

export interface StepContext {
  readonly now: number
  readonly rollout: Rollout
  readonly wave: RolloutWave
  /** The clusters of the wave that the rollout has not gone on without. */
  readonly targets: readonly RolloutTarget[]
  /** Those of them for which gates are worked out. */
  readonly outlookOn: readonly RolloutTarget[]
  readonly traffic: ServiceTraffic
  readonly delayMs: number
  readonly holdAt: HoldAt
}

/** Where a prediction has come to. */
export interface Place {
  readonly ms: number
  /** When the present traffic is live; absent before the first. */
  readonly liveMs?: number
  /** What gates know by then if all goes well. */
  readonly progress: readonly GateProgress[]
}

/** From a change of traffic to its being live: written, taken by the proxies, and settled. */
export const SHIFT_MS = 10_000

/** One step from its begin to its end. `begun`: it is the step that the rollout is at. */
export function predictStep(
  context: StepContext,
  index: number,
  place: Place,
  begun: boolean,
): { readonly forecast: StepForecast; readonly next: Place } {
  const { wave, delayMs, rollout } = context
  const step = wave.steps[index] as StepSpec
  const traffic = trafficAt(wave.steps, index)
  const begin = begun ? presentBegin(context) : nextBegin(context, index, place, traffic)
  const gated = rollout.gates.length > 0
  const lengthMs = stepKind(step) === 'traffic' ? durationMs(step.for ?? '1s') : 0
  const rates = sumOfRates(context, traffic)
  const fromMs = countedFrom(context, begin, begun)
  const judged = predictGates(context, {
    index,
    traffic,
    fromMs,
    lengthMs: lengthMs === 0 ? 0 : Math.max(0, begin.liveMs + lengthMs - fromMs),
    goesOn: begun || begin.keeps,
    untilSafe: step.analysis === true,
    progress: place.progress,
  })
  const endMs = Math.max(context.now, endOfTime(step, begin, gated ? delayMs : 0))
  const end = endOfEvidence(context, step, { endMs, fromMs, begun, rates, safeMs: judged.safeMs })
  const forecast: StepForecast = {
    step: index,
    what: stepText(step),
    traffic,
    fromMs: begin.fromMs,
    untilMs: end.untilMs,
    lengthMs,
    holds: begin.holds,
    waitsFor: waitsFor(context, step, begun),
    ...(rates && lengthMs > 0
      ? { requests: { candidate: rates.candidate * lengthMs, stable: rates.stable * lengthMs } }
      : {}),
    stretchedMs: end.untilMs - endMs,
    ends: end.ends,
    gates: judged.gates,
  }
  return { forecast, next: { ms: end.untilMs, liveMs: begin.liveMs, progress: judged.progress } }
}

interface Begin {
  readonly fromMs: number
  readonly liveMs: number
  /** The traffic is that of the step before. */
  readonly keeps: boolean
  readonly holds: StepForecast['holds']
}

function presentBegin({ rollout, now }: StepContext): Begin {
  const liveMs = rollout.liveAt === undefined ? now + SHIFT_MS : Date.parse(rollout.liveAt)
  return { fromMs: Date.parse(rollout.stepSince ?? rollout.weightSince), liveMs, keeps: false, holds: [] }
}

/** A step that keeps the traffic of the one before has it live already. */
function nextBegin(
  { holdAt, wave, targets }: StepContext,
  index: number,
  place: Place,
  traffic: CandidateTraffic,
): Begin {
  const { ms: fromMs, holds } = passHolds(
    holdAt,
    place.ms,
    targets.map(({ cluster }) => cluster),
  )
  const keeps = sameTraffic(traffic, trafficAt(wave.steps, index - 1))
  return { fromMs, liveMs: keeps ? (place.liveMs ?? fromMs) : fromMs + SHIFT_MS, keeps, holds }
}

/** Counting begins when the traffic is live, and goes on in a step that has begun or keeps it. */
function countedFrom({ now }: StepContext, { fromMs, liveMs, keeps }: Begin, begun: boolean): number {
  if (begun) return Math.max(now, liveMs)
  return keeps ? fromMs : liveMs
}

function endOfTime(step: StepSpec, { fromMs, liveMs }: Begin, lateMs: number): number {
  const kind = stepKind(step)
  if (kind === 'traffic') return liveMs + durationMs(step.for ?? '1s') + lateMs
  return kind === 'hold' ? fromMs + durationMs(step.hold ?? '1s') : fromMs
}

interface StepEnd {
  readonly endMs: number
  /** Counting begins then, or goes on. */
  readonly fromMs: number
  readonly begun: boolean
  readonly rates: Requests | undefined
  /** When all gates say safe; absent: not known. */
  readonly safeMs: number | undefined
}

/** The end once gates know enough, up to the step's patience; then what it says happens. */
function endOfEvidence(
  context: StepContext,
  step: StepSpec,
  { endMs, fromMs, begun, rates, safeMs }: StepEnd,
): { readonly untilMs: number; readonly ends: StepForecast['ends'] } {
  const { rollout, delayMs } = context
  const kind = stepKind(step)
  const counts = kind === 'traffic' && rollout.gates.some((gate) => gate.kind !== 'value')
  const counted = begun ? countedInStep(rollout) : 0
  const missing = Math.max(0, rollout.minEvents - counted)
  const enoughMs = counts && rates && missing > 0 ? fromMs + missing / rates.candidate + delayMs : 0
  const isSafeMs = step.analysis && rollout.gates.length > 0 ? (safeMs ?? 0) : 0
  const evidenceMs = Math.max(enoughMs, isSafeMs)
  if (evidenceMs <= endMs) return { untilMs: endMs, ends: 'passes' }
  const limitMs = step.timeout === undefined ? rollout.patienceMs : durationMs(step.timeout)
  if (evidenceMs <= endMs + limitMs) return { untilMs: evidenceMs, ends: 'passes' }
  const untilMs = endMs + limitMs
  if (step.onTimeout === 'rollback') return { untilMs, ends: 'rolls-back' }
  // Want of requests is never passed by.
  const goesOn = step.onTimeout === 'proceed' && enoughMs <= untilMs
  return { untilMs, ends: goesOn ? 'passes' : 'pauses' }
}

/** Requests to the candidate that the gate with the fewest has counted in the present step. */
function countedInStep({ gates, progress }: Rollout): number {
  const sums = gates.flatMap((gate, index) => {
    if (gate.kind === 'value') return []
    const looks = progress.filter((one) => one.gate === index && one.cluster !== ALL_CLUSTERS)
    return [looks.reduce((sum, { stepCandidate }) => sum + stepCandidate.good + stepCandidate.bad, 0)]
  })
  return sums.length === 0 ? 0 : Math.min(...sums)
}

/** Requests a millisecond on all clusters together; undefined: not known. */
function sumOfRates({ targets, traffic }: StepContext, asked: CandidateTraffic): Requests | undefined {
  const shares = sharesOf(asked)
  const perMinute = targets.map(({ cluster }) => traffic[cluster]?.perMinute)
  if (!shares || perMinute.some((requests) => requests === undefined)) return undefined
  return times(shares, perMinute.reduce<number>((sum, requests = 0) => sum + requests, 0) / 60_000)
}

function waitsFor({ rollout }: StepContext, step: StepSpec, begun: boolean): readonly string[] {
  const quorum = quorumOf(step) - (begun ? (rollout.approvals ?? []).length : 0)
  return [
    ...(begun && rollout.phase === 'paused' ? ['somebody to resume it'] : []),
    ...(begun && rollout.phase === 'blind' ? ['metrics to come back'] : []),
    ...(quorum > 0 ? [quorum === 1 ? 'an approver' : `${quorum} approvers`] : []),
    ...(stepKind(step) === 'webhook' ? [stepText(step)] : []),
  ]
}
