import type { EvidenceMinute, EvidenceStage, GateEvidence, VersionCounts } from '../model/evidence.ts'
import type { Counts } from '../model/rollout.ts'
import { addMinute, DISPERSIONS, dispersionOf, isCommon, weighedAt, weighMinute } from './dispersion.ts'

export const NO_EVIDENCE: GateEvidence = { stages: [], bursts: { sum: 0, weight: 0 } }

/** The counts of one look's window. */
export interface EvidenceWindow extends VersionCounts {
  /** The step, from 0; the number of steps after them. It never falls. */
  readonly part: number
  readonly spanMs: number
}

const MINUTE_MS = 60_000

/** Stages that one step may have; when there are that many, a minute goes to the one with the nearest share. */
const STAGES_A_PART = 3

/** A minute whose share is so many standard deviations, and a tenth, from its stage's begins another. */
const SPLIT_DEVIATIONS = 5
const SPLIT_RATIO = 1.1

/** Digits of weighed sums that are kept: the document is to stay small. */
const DIGITS = 1e4

/** Takes the counts of a window in. A minute is closed once it is over, or when another step began. */
export function addWindow(evidence: GateEvidence, window: EvidenceWindow): GateEvidence {
  const { open } = evidence
  const ready = open && open.part !== window.part ? closeMinute(evidence) : evidence
  const minute: EvidenceMinute = ready.open
    ? {
        part: window.part,
        spanMs: ready.open.spanMs + window.spanMs,
        candidate: add(ready.open.candidate, window.candidate),
        stable: add(ready.open.stable, window.stable),
      }
    : { part: window.part, spanMs: window.spanMs, candidate: window.candidate, stable: window.stable }
  const next = { ...ready, open: minute }
  return minute.spanMs >= MINUTE_MS ? closeMinute(next) : next
}

/** The evidence with its open minute taken as over; the same evidence when there is none. */
export function closeMinute(evidence: GateEvidence): GateEvidence {
  const { open, ...rest } = evidence
  if (!open) return evidence
  if (total(open.candidate) + total(open.stable) === 0) return rest
  const before = sumOf(evidence.stages)
  const common = isCommon(open, before)
  const whole = { candidate: add(before.candidate, open.candidate), stable: add(before.stable, open.stable) }
  return {
    stages: intoStage(evidence.stages, open, common),
    bursts: common ? evidence.bursts : addMinute(evidence.bursts, pick(open), whole),
  }
}

function intoStage(
  stages: readonly EvidenceStage[],
  minute: EvidenceMinute,
  common: boolean,
): readonly EvidenceStage[] {
  const weighed = weighMinute(minute, common)
  const own: EvidenceStage = {
    part: minute.part,
    ...pick(minute),
    weighed: weighed.map(([candidate, stable]) => [rounded(candidate), rounded(stable)] as const),
    ...(common ? { common: pick(minute) } : {}),
  }
  const ofPart = stages.filter(({ part }) => part === minute.part)
  const [nearest] = ofPart.toSorted((a, b) => distance(a, own) - distance(b, own))
  if (!nearest || (departs(own, nearest) && ofPart.length < STAGES_A_PART)) return [...stages, own]
  return stages.map((stage) => (stage === nearest ? merge(stage, own) : stage))
}

function merge(a: EvidenceStage, b: EvidenceStage): EvidenceStage {
  const common = a.common || b.common ? sumOf([a.common ?? NONE, b.common ?? NONE]) : undefined
  return {
    part: a.part,
    ...sumOf([a, b]),
    ...(common ? { common } : {}),
    weighed: DISPERSIONS.map((_, index) => {
      const [one, other] = [a.weighed[index] ?? [0, 0], b.weighed[index] ?? [0, 0]]
      return [rounded(one[0] + other[0]), rounded(one[1] + other[1])] as const
    }),
  }
}

function rounded(count: number): number {
  return Math.round(count * DIGITS) / DIGITS
}

function departs(minute: VersionCounts, stage: VersionCounts): boolean {
  const share = shareOf(stage)
  const requests = total(minute.candidate) + total(minute.stable)
  const off = Math.abs(shareOf(minute) - share)
  const isFar = off > SPLIT_DEVIATIONS * Math.sqrt((share * (1 - share)) / requests)
  return isFar && off > (SPLIT_RATIO - 1) * Math.min(share, 1 - share)
}

function distance(a: VersionCounts, b: VersionCounts): number {
  return Math.abs(shareOf(a) - shareOf(b))
}

/** The candidate's share of the requests; 0 without any. */
export function shareOf({ candidate, stable }: VersionCounts): number {
  const requests = total(candidate)
  return requests === 0 ? 0 : requests / (requests + total(stable))
}

/** A stage as the tests take it, bursts corrected for. */
export interface WeighedStage extends VersionCounts {
  readonly part: number
  /** In the step that the cluster is at now. */
  readonly isPresent: boolean
  readonly share: number
  /** Bad events as the comparison counts them. */
  readonly compared: { readonly candidate: number; readonly stable: number }
  /** The candidate's requests as the limit counts them, and stable's as they are: both without common minutes. */
  readonly limited: VersionCounts
}

export interface WeighedEvidence {
  readonly stages: readonly WeighedStage[]
  readonly dispersion: number
}

/** What the tests see of the evidence, its open minute included. */
export function weigh(evidence: GateEvidence): WeighedEvidence {
  const { stages, bursts } = closeMinute(evidence)
  const dispersion = dispersionOf(bursts)
  const present = Math.max(...stages.map(({ part }) => part), evidence.open?.part ?? 0)
  return { stages: stages.map((stage) => weighStage(stage, dispersion, present)), dispersion }
}

function weighStage(stage: EvidenceStage, dispersion: number, present: number): WeighedStage {
  const [candidate, stable] = weighedAt(stage, dispersion)
  const { common = NONE } = stage
  const limited = subtract(stage.candidate, common.candidate)
  return {
    part: stage.part,
    isPresent: stage.part === present,
    ...pick(stage),
    share: shareOf(stage),
    compared: { candidate, stable },
    limited: {
      candidate: { good: limited.good / dispersion, bad: limited.bad / dispersion },
      stable: subtract(stage.stable, common.stable),
    },
  }
}

/** All counts of stages together. */
export function sumOf(stages: readonly VersionCounts[]): VersionCounts {
  return stages.reduce<VersionCounts>(
    (sum, { candidate, stable }) => ({ candidate: add(sum.candidate, candidate), stable: add(sum.stable, stable) }),
    NONE,
  )
}

const NONE: VersionCounts = { candidate: { good: 0, bad: 0 }, stable: { good: 0, bad: 0 } }

function pick({ candidate, stable }: VersionCounts): VersionCounts {
  return { candidate, stable }
}

function add(a: Counts, b: Counts): Counts {
  return { good: a.good + b.good, bad: a.bad + b.bad }
}

function subtract(a: Counts, b: Counts): Counts {
  return { good: a.good - b.good, bad: a.bad - b.bad }
}

/** Requests, good and bad. */
export function total({ good, bad }: Counts): number {
  return good + bad
}
