import type { Counts, GateVerdict } from '../model/rollout.ts'
import { firstNumber } from './first-number.ts'
import { logHarmEvidence, testPriorEvents } from './limit-test.ts'
import { formatConfidence, formatCount, formatShare } from './words.ts'

/** What the limit test alone says, with all that is needed to explain it, draw it, and go on with the next look. */
export interface LimitVerdict extends GateVerdict {
  readonly verdict: 'harm' | 'safe' | 'undecided'
  readonly limitPercent: number
  /** Evidence that the bad share is below the limit, at this look; safe is called at 1/alpha. */
  readonly safeEValue: number
  /** Highest harm evidence of any look that counted; the caller stores it and hands it to the next look. */
  readonly maxE: number
}

/** What the evidence of one look comes to. */
export type LimitReason = 'LimitExceeded' | 'WithinLimit' | 'TooFewEvents' | 'NotClearYet' | 'StableBreaksLimitToo'

/** JSON has no infinity, so e-values end here. */
const LARGEST_LOG_E = Math.log(1e300)

/** e to the `logE`, at most 1e300. */
export function eValueOf(logE: number): number {
  return Math.exp(Math.min(logE, LARGEST_LOG_E))
}

/** The anytime-valid p-value of an e-process: 1 over the highest e-value so far. */
export function pValueOf(maxE: number): number {
  return Math.min(1, 1 / maxE)
}

/**
 * About how many more requests until a harm of twice the limit (or halfway to 100 % for limits above 50 %) would be
 * seen: how many it takes to reach 1/alpha when every request from now on has that share of failures. Real failures
 * come by chance, so half of the real cases need fewer and half more, one in ten more than twice as many. Evidence along
 * this line is a convex curve (a log of a sum of exponentials), so it crosses the bar once. 0 when it is there
 * already.
 */
export function eventsUntilHarm(counts: Counts, limitShare: number, alpha: number): number {
  const share = harmToLookFor(limitShare)
  const bar = Math.log(1 / alpha)
  const prior = testPriorEvents(limitShare)
  const seen = (more: number) =>
    logHarmEvidence({ good: counts.good + more * (1 - share), bad: counts.bad + more * share }, limitShare, prior) >=
    bar
  return firstNumber(seen)
}

/** The share of failures that `eventsUntilHarm` is about: twice the limit, but never past halfway to all. */
export function harmToLookFor(limitShare: number): number {
  return Math.min(2 * limitShare, (1 + limitShare) / 2)
}

/** The facts of one look, before they are put in words. */
export interface LimitFacts {
  readonly candidate: Counts
  readonly stable: Counts
  readonly limitPercent: number
  readonly alpha: number
  readonly minEvents: number
  readonly interval: readonly [number, number]
  readonly needed?: number
  /** What a bad event did, after "12 of 240 requests": `failed`, `took longer than 500 ms`. */
  readonly badMeans: string
}

/** "12 of 240 requests failed (5.0 %); between 1.3 % and 11.5 % with 99 % confidence; the limit is 1 %: …" */
export function explainLimit(reason: LimitReason, facts: LimitFacts): string {
  const { candidate, interval, alpha, limitPercent } = facts
  if (candidate.good + candidate.bad === 0) return `no requests yet; ${conclusion(reason, facts)}`
  const [low, high] = interval
  const range = `between ${formatShare(low)} and ${formatShare(high)} with ${formatConfidence(alpha)} confidence`
  return `${tally(candidate, facts.badMeans)}; ${range}; the limit is ${limitPercent} %: ${conclusion(reason, facts)}`
}

function conclusion(reason: LimitReason, facts: LimitFacts): string {
  switch (reason) {
    case 'LimitExceeded':
      return isAbove(facts) ? 'above the limit' : 'was above the limit at an earlier look'
    case 'WithinLimit':
      return 'below the limit'
    case 'TooFewEvents':
      return `at least ${formatCount(facts.minEvents)} requests are needed to judge${outlook(facts)}`
    case 'NotClearYet':
      return `not clear yet${outlook(facts)}`
    case 'StableBreaksLimitToo':
      return `above the limit, but so is stable, where ${tally(facts.stable, facts.badMeans)}; not the candidate's harm`
  }
}

function isAbove({ candidate, limitPercent }: LimitFacts): boolean {
  return candidate.bad / (candidate.good + candidate.bad) > limitPercent / 100
}

function outlook({ needed, limitPercent }: LimitFacts): string {
  if (needed === undefined) return ''
  const harm = formatShare(harmToLookFor(limitPercent / 100))
  return `; a share of ${harm} would show after about ${formatCount(needed)} more requests`
}

function tally(counts: Counts, badMeans: string): string {
  const events = counts.good + counts.bad
  const share = formatShare(counts.bad / events)
  return `${formatCount(counts.bad)} of ${formatCount(events)} requests ${badMeans} (${share})`
}
