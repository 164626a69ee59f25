import type { VersionCounts } from '../model/evidence.ts'
import { shareOf, total } from './evidence.ts'
import { logRatioEvidence } from './ratio-test.ts'

/**
 * How far the odds of the candidate's share may be from those asked before anybody cares. Retries and whole per cents
 * shift a little, and with enough requests the test would see that.
 */
export const RATIO_TOLERANCE = 1.25

/** The candidate's share of the requests beside the one that the weight asks. */
export interface RatioCheck {
  readonly asked: number
  readonly got: number
  /** ln of the evidence that the share is further off than it may be. */
  readonly log: number
}

/**
 * Do the versions get the requests that the weight asks? Tested against the nearest share that would still do, so there is
 * no evidence while the share that is seen is one of those. Asks about the present counts alone: what was off at first and
 * is right now is right.
 */
export function checkRatio(counts: VersionCounts, asked: number): RatioCheck {
  const got = shareOf(counts)
  const border = got > asked ? RATIO_TOLERANCE : 1 / RATIO_TOLERANCE
  const odds = (asked / (1 - asked)) * border
  const nearest = odds / (1 + odds)
  const isWithin = got > asked ? got <= nearest : got >= nearest
  const arms = { shares: [1 - nearest, nearest], counts: [total(counts.stable), total(counts.candidate)] }
  return { asked, got, log: isWithin ? 0 : logRatioEvidence(arms) }
}
