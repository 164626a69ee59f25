import { addWindow, NO_EVIDENCE } from '../../judge/evidence.ts'
import type { CountingGate } from '../../model/gate.ts'
import type { Counts, GateProgress, Rollout, RolloutTarget } from '../../model/rollout.ts'
import type { CandidateTraffic } from '../../model/step.ts'
import { afterLook, partOf } from '../gate-progress.ts'
import { addCounts } from '../observations.ts'
import { type Requests, times } from './traffic.ts'

/** A gate in a step that is yet to come. */
export interface GateCase {
  /** At that step. */
  readonly rollout: Rollout
  /** With the traffic of that step. */
  readonly target: RolloutTarget
  readonly gate: CountingGate
  /** Counting begins then, in epoch milliseconds. */
  readonly fromMs: number
}

/** Requests that come. */
export interface Coming {
  /** A millisecond. */
  readonly rates: Requests
  /** Share of them that is bad, of either version (0..1). */
  readonly bad: number
  readonly spanMs: number
}

const MINUTE_MS = 60_000
/** A step of days is told by longer windows: their number is what costs. */
const MOST_WINDOWS = 60

/** The target as it is in a step that sets this traffic. */
export function targetWith(
  { match: _match, mirror: _mirror, ...target }: RolloutTarget,
  traffic: CandidateTraffic,
): RolloutTarget {
  return { ...target, ...traffic }
}

/** What the gate would know after some more time without harm: minute by minute, as it looks. */
export function wentWell(
  { rollout, target }: GateCase,
  known: GateProgress,
  { rates, bad, spanMs }: Coming,
): GateProgress {
  if (spanMs <= 0) return known
  const windows = Math.min(MOST_WINDOWS, Math.ceil(spanMs / MINUTE_MS))
  const each = countsOf(times(rates, spanMs / windows), bad)
  const part = partOf(rollout, target)
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

/** What the gate would say after some more time without harm, in one look. */
export function verdictAfter(
  { rollout, target, gate, fromMs }: GateCase,
  known: GateProgress,
  { rates, bad, spanMs }: Coming,
): GateProgress['last'] {
  const { candidate, stable } = countsOf(times(rates, spanMs), bad)
  const byVersion = { [target.candidate]: candidate, [target.stable]: stable }
  const toMs = fromMs + spanMs
  const window = { fromMs, toMs, nowMs: toMs, notBeforeMs: fromMs }
  return afterLook(known, { ok: true, byVersion }, { rollout, target, gate, window, now: toMs }).last
}

function countsOf(
  { candidate, stable }: Requests,
  bad: number,
): { readonly candidate: Counts; readonly stable: Counts } {
  const split = (requests: number) => ({ good: requests * (1 - bad), bad: requests * bad })
  return { candidate: split(candidate), stable: split(stable) }
}
