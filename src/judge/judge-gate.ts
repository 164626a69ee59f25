import type { GateEvidence } from '../model/evidence.ts'
import type { ComparisonEvidence, GateVerdict } from '../model/rollout.ts'
import { likeliestRatio, ratioInterval } from './comparison-test.ts'
import { sumOf, total, type WeighedStage, weigh } from './evidence.ts'
import { explainGate } from './explain-gate.ts'
import {
  comparedOf,
  type GateTests,
  type HarmEvidence,
  harmEvidence,
  isAbove,
  limitedOf,
  safeEvidence,
} from './gate-evidence.ts'
import { shareInterval } from './limit-test.ts'
import { checkRatio, type RatioCheck } from './ratio-check.ts'
import { requestsUntilHarm } from './requests-until-harm.ts'
import { spentAt, testWeights } from './spend-alpha.ts'
import { eValueOf, pValueOf } from './verdict.ts'

/** What a gate is asked at one look, on one cluster or on several together. */
export interface GateQuestion {
  /** What was counted on each cluster; one for a judgement on one. */
  readonly evidence: readonly GateEvidence[]
  /** Steps of the rollout, and one for the time after them. The same at every look. */
  readonly parts: number
  /** This judgement's part of the rollout's alpha (`splitAlpha`). The same at every look. */
  readonly alpha: number
  /** Of the whole rollout: what safe, and the check of the shares, are held to. Nothing rolls back for these. */
  readonly alphaOfRollout: number
  /** Above 0 and below 100. */
  readonly limitPercent: number
  /** How many times stable's rate safe must rule out; undefined: no comparison. */
  readonly gMax: number | undefined
  /** Fewer events of the candidate decide nothing. */
  readonly minEvents: number
  /** The candidate's share of the requests that the weight asks; undefined where something else picks them. */
  readonly asked?: number | undefined
  /** The highest e-value of the looks before. */
  readonly previousMaxE: number
  /** What a bad event did, for the words: `failed`, `took longer than 500 ms`. */
  readonly badMeans: string
}

/** What a gate says, with the highest e-value of all looks, for the next. */
export interface GateJudgement {
  readonly verdict: GateVerdict
  readonly maxE: number
}

export type GateReason =
  | 'LimitExceeded'
  | 'WorseThanStable'
  | 'StableBreaksLimitToo'
  | 'RatioOff'
  | 'WithinLimit'
  | 'NoWorseThanStable'
  | 'TooFewEvents'
  | 'NotClearYet'

const VERDICTS = {
  LimitExceeded: 'harm',
  WorseThanStable: 'harm',
  StableBreaksLimitToo: 'undecided',
  RatioOff: 'undecided',
  WithinLimit: 'safe',
  NoWorseThanStable: 'safe',
  TooFewEvents: 'undecided',
  NotClearYet: 'undecided',
} as const

/**
 * Judges a gate by limit and comparison together (docs/judge.md).
 *
 * - harm: the evidence that the candidate breaks the limit, or is worse than stable, reached 1/alpha at this look or at an
 *   earlier one that counted. With a candidate that is as good as stable and keeps the limit, the chance that this ever
 *   happens is alpha at most. A limit that stable breaks too is not the candidate's harm.
 * - safe: in this step, and at this look, the candidate is below the limit while the comparison does not lean to harm, or is
 *   less than `gMax` times as bad as stable.
 * - undecided: neither; too few events; stable breaks the limit too; or the versions do not get the shares that are asked.
 *
 * A look with fewer than `minEvents` of the candidate adds nothing to `maxE`.
 */
export function judgeGate(question: GateQuestion): GateJudgement {
  const { alpha, gMax } = question
  const { stages, dispersion, tests, harm, counts, maxE } = lookForHarm(question)
  const present = stages.filter(({ isPresent }) => isPresent)
  const eValue = eValueOf(harm.log)
  const safe = safeEvidence(present, tests)
  const ratio = question.asked === undefined ? undefined : checkRatio(sumOf(present), question.asked)
  const reason = reasonOf(question, { counts, maxE, harm, safe, ratio, present })
  const told = VERDICTS[reason] === 'harm' ? stages.filter(({ part }) => part >= harm.from) : present
  const part = Math.max(0, ...present.map((stage) => stage.part))
  const waits = reason === 'TooFewEvents' || reason === 'NotClearYet'
  const outlook = waits ? requestsUntilHarm(stages, { ...tests, alpha, part, counts: sumOf(present) }) : undefined
  const verdict = {
    verdict: VERDICTS[reason],
    reason,
    ...sumOf(told),
    eValue,
    pValue: pValueOf(maxE),
    interval: shareInterval(limitedOf(told).candidate, alpha),
    alpha,
    spent: spentAt(alpha, tests.weights, part),
    limitPercent: question.limitPercent,
    limit: { eValue: eValueOf(harm.logLimit), safeEValue: eValueOf(safe.logLimit) },
    ...(gMax === undefined ? {} : { comparison: comparisonOf(told, { alpha, gMax, harm, safe }) }),
    dispersion,
    ...(ratio ? { share: { got: ratio.got, asked: ratio.asked, eValue: eValueOf(ratio.log) } } : {}),
    ...(outlook ?? {}),
  }
  const { minEvents, badMeans } = question
  const wasEarlier = VERDICTS[reason] === 'harm' && eValue < 1 / alpha
  return { verdict: { ...verdict, explanation: explainGate(verdict, { minEvents, badMeans, wasEarlier }) }, maxE }
}

/** What a look finds before it is put in words: harm when `maxE` is 1/alpha. */
export function lookForHarm(question: GateQuestion) {
  const seen = question.evidence.map(weigh)
  const stages = seen.flatMap((one) => one.stages)
  const tests: GateTests = { ...question, weights: testWeights(question.parts, question.gMax !== undefined) }
  const harm = harmEvidence(stages, tests)
  const counts = total(sumOf(stages).candidate) >= question.minEvents
  const maxE = counts ? Math.max(question.previousMaxE, eValueOf(harm.log)) : question.previousMaxE
  const dispersion = Math.max(1, ...seen.map((one) => one.dispersion))
  return { stages, dispersion, tests, harm, counts, maxE }
}

interface Found {
  readonly counts: boolean
  readonly maxE: number
  readonly harm: HarmEvidence
  readonly safe: { readonly logLimit: number; readonly logComparison: number }
  readonly ratio: RatioCheck | undefined
  readonly present: readonly WeighedStage[]
}

function reasonOf(question: GateQuestion, { counts, maxE, harm, safe, ratio, present }: Found): GateReason {
  const { alpha, alphaOfRollout, minEvents } = question
  if (!counts) return 'TooFewEvents'
  if (maxE >= 1 / alpha) return harmReason(harm)
  const bar = Math.log(1 / alphaOfRollout)
  if (harm.logBrokenByBoth >= bar) return 'StableBreaksLimitToo'
  if (ratio && ratio.log >= bar) return 'RatioOff'
  const step = sumOf(present)
  if (total(step.candidate) < minEvents) return 'TooFewEvents'
  const leansToHarm = harm.logComparison > 0
  if (safe.logLimit >= bar && !leansToHarm) return 'WithinLimit'
  const keepsLimit = !isAbove(step.candidate, question.limitPercent / 100)
  return safe.logComparison >= bar && keepsLimit ? 'NoWorseThanStable' : 'NotClearYet'
}

/** Odds from which on it is clear that the limit is broken. */
const CLEAR = 10

/** The limit is named where it is clearly broken: it is what the team has agreed on. */
function harmReason({ logLimit, logComparison, logBroken }: HarmEvidence): GateReason {
  return logBroken >= Math.log(CLEAR) || logLimit >= logComparison ? 'LimitExceeded' : 'WorseThanStable'
}

function comparisonOf(
  stages: readonly WeighedStage[],
  { alpha, gMax, harm, safe }: Pick<Found, 'harm' | 'safe'> & { alpha: number; gMax: number },
): ComparisonEvidence {
  const compared = comparedOf(stages)
  const ratio = likeliestRatio(compared)
  return {
    eValue: eValueOf(harm.logComparison),
    safeEValue: eValueOf(safe.logComparison),
    ...(ratio === undefined ? {} : { ratio }),
    interval: ratioInterval(compared, alpha),
    gMax,
  }
}

/** Why a gate could not see. */
export type BlindReason = 'NoData' | 'NotANumber' | 'QueryFailed' | 'DataLate'

/**
 * The verdict of a look that saw nothing new: the evidence so far, called blind, with `why` in words ("Prometheus
 * answered 503"). Never success, never failure.
 */
export function blindVerdict(question: GateQuestion, reason: BlindReason, why: string): GateVerdict {
  const { needed: _, neededFor: __, ...known } = judgeGate(question).verdict
  return { ...known, verdict: 'blind', reason, explanation: `${why}; before that: ${known.explanation}` }
}
