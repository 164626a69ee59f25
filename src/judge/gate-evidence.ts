import type { VersionCounts } from '../model/evidence.ts'
import type { Counts } from '../model/rollout.ts'
import { type ComparedStage, HALF_NORMAL, logNotWorseEvidence, logWorseEvidence } from './comparison-test.ts'
import { sumOf, total, type WeighedStage } from './evidence.ts'
import { logHarmEvidence, logSafeEvidence, testPriorEvents } from './limit-test.ts'
import type { TestWeights } from './spend-alpha.ts'

export interface GateTests {
  readonly limitPercent: number
  /** Undefined: not compared. */
  readonly gMax: number | undefined
  readonly weights: readonly TestWeights[]
}

/** ln of the evidence of one look, by test; each is averaged over the steps from which it could begin. */
export interface HarmEvidence {
  /** Of the whole: limit and comparison together. Harm at 1/alpha. */
  readonly log: number
  readonly logLimit: number
  readonly logComparison: number
  /** That the candidate breaks the limit, whatever part of alpha that has: where stable keeps it, and where it does not. */
  readonly logBroken: number
  readonly logBrokenByBoth: number
  /** The step from which on the evidence is strongest. */
  readonly from: number
}

/** ln of 0: no evidence at all. */
const NONE = Number.NEGATIVE_INFINITY

/** A part of the comparison looks for harms of the usual size, the rest for gross ones (deviation of g). */
const SPREADS = [
  { spread: HALF_NORMAL, weight: 0.7 },
  { spread: { isHalf: true, deviation: 3 }, weight: 0.3 },
] as const

/** The same for the limit, by how much its prior is worth (as a part of `testPriorEvents`). */
const PRIORS = [
  { worth: 1, weight: 0.7 },
  { worth: 0.1, weight: 0.3 },
] as const

/** Evidence that the candidate breaks the limit, or is worse than stable; to twelve digits where no `precision` is given. */
export function harmEvidence(
  stages: readonly WeighedStage[],
  { limitPercent, weights }: GateTests,
  precision?: number,
): HarmEvidence {
  const limitShare = limitPercent / 100
  const parts = weights.map(({ part, limit, comparison }) => {
    const since = stages.filter((stage) => stage.part >= part)
    const { candidate, stable } = limitedOf(since)
    const evidence = logBroken(candidate, limitShare)
    const logLimit = Math.log(limit) + evidence
    const isStablesToo = isAbove(stable, limitShare)
    const logComparison = comparison === 0 ? NONE : Math.log(comparison) + logWorse(since, precision)
    return { part, evidence, isStablesToo, logLimit: isStablesToo ? NONE : logLimit, logComparison }
  })
  const together = parts.map(({ part, logLimit, logComparison }) => ({ part, log: logSum([logLimit, logComparison]) }))
  return {
    log: logSum(together.map(({ log }) => log)),
    logLimit: logSum(parts.map(({ logLimit }) => logLimit)),
    logComparison: logSum(parts.map(({ logComparison }) => logComparison)),
    logBroken: Math.max(NONE, ...parts.map(({ evidence, isStablesToo }) => (isStablesToo ? NONE : evidence))),
    logBrokenByBoth: Math.max(NONE, ...parts.map(({ evidence, isStablesToo }) => (isStablesToo ? evidence : NONE))),
    from: together.reduce((best, next) => (next.log > best.log ? next : best), { part: 0, log: NONE }).part,
  }
}

/** Evidence that the candidate keeps the limit, and that it is less than gMax times as bad as stable; of one step alone. */
export function safeEvidence(stages: readonly WeighedStage[], { limitPercent, gMax }: GateTests) {
  return {
    logLimit: logSafeEvidence(limitedOf(stages).candidate, limitPercent / 100),
    logComparison: gMax === undefined ? NONE : logNotWorseEvidence(comparedOf(stages), gMax),
  }
}

/** ln of the evidence of the limit alone. */
function logBroken(candidate: Counts, limitShare: number): number {
  const events = testPriorEvents(limitShare)
  return logSum(
    PRIORS.map(({ worth, weight }) => Math.log(weight) + logHarmEvidence(candidate, limitShare, worth * events)),
  )
}

/** ln of the evidence of the comparison alone. */
function logWorse(stages: readonly WeighedStage[], precision?: number): number {
  const compared = comparedOf(stages)
  return logSum(SPREADS.map(({ spread, weight }) => Math.log(weight) + logWorseEvidence(compared, spread, precision)))
}

export function comparedOf(stages: readonly WeighedStage[]): ComparedStage[] {
  return stages.map(({ share, compared }) => ({ share, ...compared }))
}

/** The candidate's requests as the limit counts them, and stable's of the same minutes. */
export function limitedOf(stages: readonly WeighedStage[]): VersionCounts {
  return sumOf(stages.map(({ limited }) => limited))
}

export function isAbove(counts: VersionCounts['stable'], share: number): boolean {
  return counts.bad > share * total(counts)
}

/** ln of a sum of e to each; −∞ of none. */
function logSum(logs: readonly number[]): number {
  const largest = Math.max(...logs)
  if (!Number.isFinite(largest)) return NONE
  return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0))
}
