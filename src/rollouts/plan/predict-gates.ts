import { addWindow, NO_EVIDENCE } from '../../judge/evidence.ts'
import type { CountingGate, GateSpec } from '../../model/gate.ts'
import type { Counts, GateProgress, RolloutTarget } from '../../model/rollout.ts'
import type { CandidateTraffic } from '../../model/step.ts'
import { afterLook, partOf, progressOf } from '../gate-progress.ts'
import { addCounts, NO_COUNTS, total } from '../observations.ts'
import type { StepContext } from './predict-step.ts'
import type { GateForecast } from './timeline.ts'
import { type Requests, sharesOf, times } from './traffic.ts'

/** Where gates are to be predicted. */
export interface GatesPlace {
  /** Of the step. */
  readonly index: number
  readonly traffic: CandidateTraffic
  /** Counting begins then, or goes on then in a step that has begun. Epoch milliseconds. */
  readonly fromMs: number
  /** Milliseconds that are counted from then on; 0: the step has no time of its own. */
  readonly lengthMs: number
  /** The traffic is that of the step before, or the step has begun: counts go on. */
  readonly goesOn: boolean
  /** When every gate says safe is asked too. */
  readonly untilSafe: boolean
  readonly progress: readonly GateProgress[]
}

export interface GatesForecast {
  readonly gates: readonly GateForecast[]
  /** What the gates know afterwards, if all goes well. */
  readonly progress: readonly GateProgress[]
  /** When all say safe; infinite: never. Absent: not known, or not asked. */
  readonly safeMs?: number
}

/** An analysis that takes longer is not waited for by anybody. */
const LONGEST_MS = 14 * 24 * 3_600_000
const SHORTEST_MS = 1000
const MINUTE_MS = 60_000
/** A step of days is told by longer windows: their number is what costs. */
const MOST_WINDOWS = 60

/**
 * What gates can tell in one step: the judge itself is asked, with the requests that will come if both versions fail as
 * often as stable does now.
 */
export function predictGates(context: StepContext, place: GatesPlace): GatesForecast {
  const forecasts: GateForecast[] = []
  const known: GateProgress[] = []
  const safe: (number | undefined)[] = []
  for (const target of context.outlookOn) {
    for (const [gate, spec] of context.rollout.gates.entries()) {
      if (!isCounting(spec)) continue
      const one = outlookFor(context, place, { target, gate, spec })
      forecasts.push(one.forecast)
      known.push(one.progress)
      safe.push(one.safeMs)
    }
  }
  const safeMs = safe.some((ms) => ms === undefined) ? undefined : Math.max(0, ...safe.flatMap((ms) => ms ?? []))
  const isOther = (one: GateProgress) =>
    !known.some(({ gate, cluster }) => gate === one.gate && cluster === one.cluster)
  return {
    gates: forecasts,
    progress: [...place.progress.filter(isOther), ...known],
    ...(place.untilSafe && safeMs !== undefined ? { safeMs } : {}),
  }
}

function isCounting(gate: GateSpec): gate is CountingGate {
  return gate.kind !== 'value'
}

interface GateAt {
  readonly target: RolloutTarget
  readonly gate: number
  readonly spec: CountingGate
}

function outlookFor(
  context: StepContext,
  place: GatesPlace,
  at: GateAt,
): { readonly forecast: GateForecast; readonly progress: GateProgress; readonly safeMs?: number } {
  const { target, gate } = at
  const before = progressOf({ ...context.rollout, progress: place.progress }, gate, target.cluster)
  const known = place.goesOn ? before : { ...before, stepCandidate: NO_COUNTS, stepStable: NO_COUNTS }
  const shares = sharesOf(place.traffic)
  const forecast = { gate, cluster: target.cluster }
  if (!shares || shares.candidate === 0) return { forecast, progress: known }
  const traffic = context.traffic[target.cluster]?.gates[gate]
  const coming = traffic && { rates: times(shares, traffic.perMinute / 60_000), bad: traffic.bad }
  const later = coming ? wentWell(context, place, at, known, { ...coming, spanMs: place.lengthMs }) : known
  const harm = untilHarm(context, place, at, known, { shares, bad: traffic?.bad ?? 0, later })
  if (!coming) return { forecast: { ...forecast, ...harm }, progress: known }
  const counted = total(known.stepCandidate)
  const seenMs = place.fromMs + Math.max(0, (harm?.needed ?? Number.NaN) - counted) / coming.rates.candidate
  const isSeen = place.lengthMs > 0 && seenMs <= place.fromMs + place.lengthMs
  const expected = total(later.stepCandidate)
  return {
    forecast: { ...forecast, ...harm, expected, ...(isSeen ? { seenMs: seenMs + context.delayMs } : {}) },
    progress: later,
    ...(place.untilSafe ? { safeMs: safeAt(context, place, at, known, coming) } : {}),
  }
}

/**
 * After how many requests to the candidate in the step a harm that begins with it would be seen, and which, as the judge
 * says; failures are taken to come as they will have come by the step's end, if all goes well.
 */
function untilHarm(
  context: StepContext,
  place: GatesPlace,
  at: GateAt,
  known: GateProgress,
  { shares, bad, later }: { readonly shares: Requests; readonly bad: number; readonly later: GateProgress },
): { readonly needed: number; readonly harm: number } | undefined {
  const { evidence } = later
  const stages = known.evidence?.stages ?? []
  const begun = evidence ? { ...known, evidence: { stages, bursts: evidence.bursts } } : known
  const one = { rates: times(shares, 1 / shares.candidate), bad, spanMs: 1 }
  const { last } = judged(context, place, at, begun, one)
  if (last?.needed === undefined || last.neededFor === undefined) return undefined
  const needed = total(known.stepCandidate) + 1 + last.needed
  return { needed: Math.max(needed, context.rollout.minEvents - total(known.candidate)), harm: last.neededFor }
}

/** When the gate says safe; infinite when it does not within two weeks. */
function safeAt(
  context: StepContext,
  place: GatesPlace,
  at: GateAt,
  known: GateProgress,
  coming: Omit<Coming, 'spanMs'>,
): number {
  const isSafe = (spanMs: number) => {
    const nearly = wentWell(context, place, at, known, { ...coming, spanMs })
    return judged(context, place, at, nearly, { ...coming, spanMs: 1 }).last?.verdict === 'safe'
  }
  let enough = SHORTEST_MS
  while (!isSafe(enough)) {
    enough *= 2
    if (enough > LONGEST_MS) return Number.POSITIVE_INFINITY
  }
  let tooFew = enough / 2
  while (enough > SHORTEST_MS && enough - tooFew > enough / 50) {
    const middle = (enough + tooFew) / 2
    if (isSafe(middle)) enough = middle
    else tooFew = middle
  }
  return place.fromMs + enough + context.delayMs
}

interface Coming {
  /** Requests a millisecond, of which so many are bad (0..1), of either version. */
  readonly rates: Requests
  readonly bad: number
  readonly spanMs: number
}

/** What the gate would know after some more time without harm: minute by minute, as it looks. */
function wentWell(
  { rollout }: StepContext,
  { index, traffic }: GatesPlace,
  { target }: GateAt,
  known: GateProgress,
  { rates, bad, spanMs }: Coming,
): GateProgress {
  if (spanMs <= 0) return known
  const windows = Math.min(MOST_WINDOWS, Math.ceil(spanMs / MINUTE_MS))
  const each = countsOf(times(rates, spanMs / windows), bad)
  const part = partOf({ ...rollout, step: index }, { ...target, ...traffic })
  let evidence = known.evidence ?? NO_EVIDENCE
  for (let window = 0; window < windows; window += 1) {
    evidence = addWindow(evidence, { part, spanMs: spanMs / windows, ...each })
  }
  const all = countsOf(times(rates, spanMs), bad)
  return {
    ...known,
    evidence,
    candidate: addCounts(known.candidate, all.candidate),
    stable: addCounts(known.stable, all.stable),
    stepCandidate: addCounts(known.stepCandidate, all.candidate),
    stepStable: addCounts(known.stepStable, all.stable),
  }
}

/** The same, judged at its end. */
function judged(
  { rollout }: StepContext,
  { index, traffic, fromMs }: GatesPlace,
  { target, spec }: GateAt,
  known: GateProgress,
  { rates, bad, spanMs }: Coming,
): GateProgress {
  const { candidate, stable } = countsOf(times(rates, spanMs), bad)
  const byVersion = { [target.candidate]: candidate, [target.stable]: stable }
  const toMs = fromMs + spanMs
  const window = { fromMs, toMs, nowMs: toMs, notBeforeMs: fromMs }
  const asked = {
    rollout: { ...rollout, step: index },
    target: { ...target, ...traffic },
    gate: spec,
    window,
    now: toMs,
  }
  return afterLook(known, { ok: true, byVersion }, asked)
}

function countsOf(
  { candidate, stable }: Requests,
  bad: number,
): { readonly candidate: Counts; readonly stable: Counts } {
  const split = (requests: number) => ({ good: requests * (1 - bad), bad: requests * bad })
  return { candidate: split(candidate), stable: split(stable) }
}
