import { DEFAULT_G_MAX } from '../model/gate.ts'
import type { Counts } from '../model/rollout.ts'
import {
  type ComparedStage,
  LARGEST_RATIO,
  likeliestRatio,
  logNotWorseEvidence,
  logWorseEvidence,
  ratioInterval,
} from './comparison-test.ts'
import { firstNumber } from './first-number.ts'
import { formatConfidence, formatCount, formatShare, formatTimes } from './words.ts'

/** Requests of both versions while the candidate's share of them was the same. */
export interface Stage {
  /** The candidate's share of the requests, in 0..1. */
  readonly share: number
  readonly candidate: Counts
  readonly stable: Counts
}

/** What the comparison test is asked. */
export interface ComparisonQuestion {
  readonly stages: readonly Stage[]
  readonly alpha: number
  readonly gMax?: number | undefined
  /** The variance of counts over that of single events: bad events count as that many times fewer. Default 1. */
  readonly dispersion?: number | undefined
}

/** What the comparison test says at one look. */
export interface Comparison {
  readonly candidate: Counts
  readonly stable: Counts
  /** ln of the evidence that the candidate is worse, and that it is less than `gMax` times as bad. */
  readonly logWorse: number
  readonly logNotWorse: number
  /** The likeliest ratio of the candidate's rate of bad events to stable's; absent when nothing was bad. */
  readonly ratio?: number
  /** The confidence sequence of that ratio; 0 and `LARGEST_RATIO` are no bounds. */
  readonly interval: [number, number]
}

/** Compares the bad events of both arms over stages with their own shares. */
export function compare(question: ComparisonQuestion): Comparison {
  const { stages, alpha, gMax = DEFAULT_G_MAX } = question
  const compared = thinned(question)
  const ratio = likeliestRatio(compared)
  return {
    candidate: sumOf(stages.map(({ candidate }) => candidate)),
    stable: sumOf(stages.map(({ stable }) => stable)),
    logWorse: logWorseEvidence(compared),
    logNotWorse: logNotWorseEvidence(compared, gMax),
    ...(ratio === undefined ? {} : { ratio }),
    interval: ratioInterval(compared, alpha),
  }
}

/** The bad events of each stage as the test counts them; stages of the same share are one. */
export function thinned({ stages, dispersion = 1 }: ComparisonQuestion): ComparedStage[] {
  const byShare = new Map<number, ComparedStage>()
  for (const { share, candidate, stable } of stages) {
    const known = byShare.get(share) ?? { share, candidate: 0, stable: 0 }
    byShare.set(share, {
      share,
      candidate: known.candidate + candidate.bad / dispersion,
      stable: known.stable + stable.bad / dispersion,
    })
  }
  return [...byShare.values()]
}

/**
 * About how many more requests to the candidate until a candidate `gMax` times as bad as stable would be seen, at the
 * share of the last stage and the rate of bad events so far (of at least one event, for a rate of 0 would never show
 * anything). Undefined when nothing can be compared: no requests yet, or none of one version in the last stage.
 */
export function requestsUntilWorse(question: ComparisonQuestion): number | undefined {
  const { stages, alpha, gMax = DEFAULT_G_MAX, dispersion = 1 } = question
  const share = stages.at(-1)?.share
  const all = sumOf(stages.flatMap(({ candidate, stable }) => [candidate, stable]))
  const requests = all.good + all.bad
  if (share === undefined || share <= 0 || share >= 1 || requests === 0) return undefined
  const rate = Math.max(all.bad, 1) / requests / dispersion
  const before = thinned(question)
  const isSeen = (more: number) => {
    const next = { share, candidate: more * rate * gMax, stable: (more * rate * (1 - share)) / share }
    return logWorseEvidence([...before, next]) >= Math.log(1 / alpha)
  }
  return firstNumber(isSeen)
}

/** "30 of 300 requests failed (10 %), of stable 30 of 900 (3.3 %): 3.0 times stable's rate, between … and … with …" */
export function describeComparison(
  { candidate, stable, ratio, interval }: Comparison,
  { alpha, badMeans = 'failed' }: { alpha: number; badMeans?: string },
): string {
  const counts = `${tally(candidate)} requests ${badMeans}${part(candidate)}, of stable ${tally(stable)}${part(stable)}`
  if (ratio === undefined) return counts
  const [low, high] = interval
  const range =
    high >= LARGEST_RATIO
      ? `at least ${formatTimes(low)} times`
      : `between ${formatTimes(low)} and ${formatTimes(high)} times`
  const times = ratio >= LARGEST_RATIO / 1.01 ? 'none of it on stable' : `${formatTimes(ratio)} times stable's rate`
  return `${counts}: ${times}, ${range} with ${formatConfidence(alpha)} confidence`
}

function tally({ good, bad }: Counts): string {
  return `${formatCount(bad)} of ${formatCount(good + bad)}`
}

function part({ good, bad }: Counts): string {
  return good + bad === 0 ? '' : ` (${formatShare(bad / (good + bad))})`
}

function sumOf(counts: readonly Counts[]): Counts {
  return counts.reduce((a, b) => ({ good: a.good + b.good, bad: a.bad + b.bad }), { good: 0, bad: 0 })
}
