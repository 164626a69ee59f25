import type { CountingGate, GateSpec } from '../../model/gate.ts'
import type { GateProgress } from '../../model/rollout.ts'
import type { CandidateTraffic } from '../../model/step.ts'
import { progressOf } from '../gate-progress.ts'
import { NO_COUNTS, total } from '../observations.ts'
import type { StepContext } from './predict-step.ts'
import { type Coming, type GateCase, targetWith, verdictAfter, wentWell } from './simulate-gate.ts'
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

/**
 * What gates can tell in one step: the judge itself is asked, with the requests that will come if both versions fail as
 * often as stable does now.
 */
export function predictGates(context: StepContext, place: GatesPlace): GatesForecast {
  const forecasts: GateForecast[] = []
  const known: GateProgress[] = []
  const safe: (number | undefined)[] = []
  const rollout = { ...context.rollout, step: place.index }
  for (const asked of context.outlookOn) {
    const target = targetWith(asked, place.traffic)
    for (const [index, gate] of rollout.gates.entries()) {
      if (!isCounting(gate)) continue
      const one = outlookFor(context, place, index, { rollout, target, gate, fromMs: place.fromMs })
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

function outlookFor(
  context: StepContext,
  place: GatesPlace,
  gate: number,
  at: GateCase,
): { readonly forecast: GateForecast; readonly progress: GateProgress; readonly safeMs?: number } {
  const { cluster } = at.target
  const before = progressOf({ ...at.rollout, progress: place.progress }, gate, cluster)
  const known = place.goesOn ? before : { ...before, stepCandidate: NO_COUNTS, stepStable: NO_COUNTS }
  const shares = sharesOf(place.traffic)
  if (!shares || shares.candidate === 0) return { forecast: { gate, cluster }, progress: known }
  const traffic = context.traffic[cluster]?.gates[gate]
  const coming = traffic && { rates: times(shares, traffic.perMinute / 60_000), bad: traffic.bad }
  const later = coming ? wentWell(at, known, { ...coming, spanMs: place.lengthMs }) : known
  const harm = untilHarm(at, known, { shares, bad: traffic?.bad ?? 0, later })
  const forecast = { gate, cluster, ...harm }
  if (!coming) return { forecast, progress: known }
  const more = (harm?.needed ?? Number.NaN) - total(known.stepCandidate)
  const seenMs = place.fromMs + Math.max(0, more) / coming.rates.candidate
  const isSeen = place.lengthMs > 0 && seenMs <= place.fromMs + place.lengthMs
  const expected = total(later.stepCandidate)
  return {
    forecast: { ...forecast, expected, ...(isSeen ? { seenMs: seenMs + context.delayMs } : {}) },
    progress: later,
    ...(place.untilSafe ? { safeMs: safeAt(at, known, coming) + context.delayMs } : {}),
  }
}

/**
 * After how many requests to the candidate in the step a harm that begins with it would be seen, and which, as the judge
 * says; failures are taken to come as they will have come by the step's end, if all goes well.
 */
function untilHarm(
  at: GateCase,
  known: GateProgress,
  { shares, bad, later }: { readonly shares: Requests; readonly bad: number; readonly later: GateProgress },
): { readonly needed: number; readonly harm: number } | undefined {
  const stages = known.evidence?.stages ?? []
  const begun = later.evidence ? { ...known, evidence: { stages, bursts: later.evidence.bursts } } : known
  const last = verdictAfter(at, begun, { rates: times(shares, 1 / shares.candidate), bad, spanMs: 1 })
  if (last?.needed === undefined || last.neededFor === undefined) return undefined
  const needed = total(known.stepCandidate) + 1 + last.needed
  return { needed: Math.max(needed, at.rollout.minEvents - total(known.candidate)), harm: last.neededFor }
}

/** When the gate says safe, in epoch milliseconds; infinite when it does not within two weeks. */
function safeAt(at: GateCase, known: GateProgress, coming: Omit<Coming, 'spanMs'>): number {
  const isSafe = (spanMs: number) => {
    const nearly = wentWell(at, known, { ...coming, spanMs })
    return verdictAfter(at, nearly, { ...coming, spanMs: 1 })?.verdict === 'safe'
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
  return at.fromMs + enough
}
