import { DEFAULT_MIN_EVENTS } from '../model/judge.ts'
import type { Counts } from '../model/rollout.ts'
import { logHarmEvidence, logSafeEvidence, shareInterval } from './limit-test.ts'
import { eValueOf, eventsUntilHarm, explainLimit, type LimitReason, type LimitVerdict, pValueOf } from './verdict.ts'

/** What the limit test alone is asked at one look (`POST /judge`). All counts add up since the gate's first look, not since the last one. */
export interface LimitQuestion {
  readonly candidate: Counts
  /** Stable's counts of the same windows; undefined when they are not known. */
  readonly stable?: Counts | undefined
  /** Above 0 and below 100. */
  readonly limitPercent: number
  /** The same at every look. */
  readonly alpha: number
  /** Fewer events of the candidate decide nothing. Default 50. */
  readonly minEvents?: number | undefined
  /** `maxE` of the look before. */
  readonly previousMaxE?: number | undefined
  /** The variance of counts over that of single events: all counts weigh that many times less. Default 1. */
  readonly dispersion?: number | undefined
}

/**
 * Judges one arm against a limit on its share of bad events, at one look of many.
 *
 * - harm: the evidence that the share is above the limit reached 1/alpha, now or at an earlier look that counted.
 *   With a true share at or below the limit, the chance that this ever happens is alpha at most.
 * - safe: the evidence that it is below reaches 1/alpha *at this look*. An older look does not count: a version may
 *   turn bad.
 * - undecided: neither, or fewer than `minEvents`, or stable breaks the limit too.
 *
 * A look with fewer than `minEvents`, and one at which stable breaks the limit too, adds nothing to `maxE`: what it
 * saw may be a cold start or an outage of both. Fewer looks can only lower the chance of a false alarm. Throws
 * RangeError when limit or alpha is out of range: schemas keep such values out.
 */
export function judgeLimit(question: LimitQuestion): LimitVerdict {
  const { candidate, limitPercent, alpha, previousMaxE = 0, dispersion = 1 } = question
  assertInRange(limitPercent, alpha)
  const limitShare = limitPercent / 100
  const minEvents = question.minEvents ?? DEFAULT_MIN_EVENTS
  const stable = question.stable ?? { good: 0, bad: 0 }
  const events = candidate.good + candidate.bad
  const weighed = thin(candidate, dispersion)
  const eValue = eValueOf(logHarmEvidence(weighed, limitShare))
  const safeEValue = eValueOf(logSafeEvidence(weighed, limitShare))
  const stableEValue = eValueOf(logHarmEvidence(thin(stable, dispersion), limitShare))
  const counts = events >= minEvents && stableEValue < 1 / alpha
  const maxE = counts ? Math.max(previousMaxE, eValue) : previousMaxE
  const reason = reasonOf({ events, minEvents, bar: 1 / alpha, eValue, maxE, safeEValue, stableEValue })
  const waits = reason === 'TooFewEvents' || reason === 'NotClearYet'
  const facts = {
    candidate,
    stable,
    limitPercent,
    alpha,
    interval: shareInterval(weighed, alpha),
    ...(waits && {
      needed: Math.max(Math.ceil(eventsUntilHarm(weighed, limitShare, alpha) * dispersion), minEvents - events),
    }),
  }
  const explanation = explainLimit(reason, { ...facts, minEvents, badMeans: 'failed' })
  return { verdict: VERDICTS[reason], reason, ...facts, eValue, maxE, pValue: pValueOf(maxE), safeEValue, explanation }
}

/** Counts as they weigh when bad events come `dispersion` at a time. */
function thin({ good, bad }: Counts, dispersion: number): Counts {
  return { good: good / dispersion, bad: bad / dispersion }
}

interface Evidence {
  readonly events: number
  readonly minEvents: number
  readonly bar: number
  readonly eValue: number
  readonly maxE: number
  readonly safeEValue: number
  readonly stableEValue: number
}

function reasonOf({ events, minEvents, bar, ...e }: Evidence): LimitReason {
  if (events < minEvents) return 'TooFewEvents'
  if (e.maxE >= bar) return 'LimitExceeded'
  if (e.stableEValue >= bar && e.eValue >= bar) return 'StableBreaksLimitToo'
  return e.safeEValue >= bar ? 'WithinLimit' : 'NotClearYet'
}

const VERDICTS = {
  LimitExceeded: 'harm',
  WithinLimit: 'safe',
  TooFewEvents: 'undecided',
  NotClearYet: 'undecided',
  StableBreaksLimitToo: 'undecided',
} as const

function assertInRange(limitPercent: number, alpha: number): void {
  if (!(limitPercent > 0 && limitPercent < 100)) throw new RangeError(`limitPercent ${limitPercent} is not in (0, 100)`)
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha ${alpha} is not in (0, 1)`)
}
