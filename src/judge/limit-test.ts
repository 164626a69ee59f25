import type { Counts } from '../model/rollout.ts'
import { logBeta, logBetaTail, logShare } from './log-beta.ts'

/**
 * The absolute-limit test: one arm of good and bad events against a limit on the share of bad ones, valid at any
 * number of looks.
 *
 * It is the beta-binomial mixture of Howard and Ramdas (facts/rollouts.md §4c M4; the code of confseq) with g = p0, h
 * = 1 − p0, v = g h n and s = bad − n p0. With these the formula becomes the likelihood ratio of the counts between
 * "the share is p, with p drawn from Beta(m g, m h)" and "the share is p0". `priorEvents` is m = r / (g h): how many
 * events the prior is worth. For the one-sided tests the prior is cut at p0, so that each factor of the ratio has
 * mean 1 at most for every share on the limit's good side. So by Ville's inequality the chance that it ever reaches
 * 1/alpha there is alpha at most.
 */

/**
 * How many events the interval's prior is worth. With 10, whatever the limit, the interval is widest for its data at few
 * events (nothing bad of 50: 1.7 times the narrowest that any prior gives). Where something was bad it is within a quarter
 * of the narrowest from 75 to 100,000 events. Its best is near 130 events at alpha 1 %.
 */
export const INTERVAL_PRIOR_EVENTS = 10

/**
 * How many events the test's prior is worth: as many as hold one event of the rarer kind at the limit (100 at 1 %,
 * 1,000 at 0.1 %), so the prior spreads over shares about as far from the limit as the limit is from 0. In the words
 * of the paper, v_opt is about ten bad events at alpha 1 %: 1,000 requests at a limit of 1 %. With a third of this
 * prior or three times as much, the events needed to see twice the limit, or half of it, differ by 15 % at most. It
 * does not depend on alpha: clusters that join a rollout change the split of alpha, and must not change evidence
 * already gathered.
 */
export function testPriorEvents(limitShare: number): number {
  return 1 / Math.min(limitShare, 1 - limitShare)
}

/** The paper's ρ: the mixture tuned to be tightest at intrinsic time `vOpt`. For a one-sided test pass 2·alpha. */
export function mixtureRho(vOpt: number, alpha: number): number {
  const bar = 2 * Math.log(1 / alpha)
  return vOpt / (bar + Math.log(1 + bar))
}

/**
 * The prior's worth in events of a mixture tuned for `eventsOpt` events, as the paper's code has it (v_opt = g h ·
 * events).
 */
export function tunedPriorEvents(eventsOpt: number, alpha: number): number {
  return Math.max(mixtureRho(eventsOpt, alpha) - 1, 0.001)
}

/**
 * ln of the evidence that the true share of bad events is above `limitShare` (0 < limitShare < 1), against "at most
 * the limit". Counts need not be whole. Finite for counts up to 1e12; rises with `bad` when the sum stays.
 */
export function logHarmEvidence(counts: Counts, limitShare: number, priorEvents = testPriorEvents(limitShare)): number {
  return logTruncatedMixture(counts.good, counts.bad, 1 - limitShare, limitShare, priorEvents)
}

/** ln of the evidence that the true share of bad events is below `limitShare`: the mirror of `logHarmEvidence`. */
export function logSafeEvidence(counts: Counts, limitShare: number, priorEvents = testPriorEvents(limitShare)): number {
  return logTruncatedMixture(counts.bad, counts.good, limitShare, 1 - limitShare, priorEvents)
}

/** ln of the two-sided evidence that the true share is not `share`. */
export function logTwoSidedEvidence(counts: Counts, share: number, priorEvents: number): number {
  const a = priorEvents * share
  const b = priorEvents * (1 - share)
  const mixture = logBeta(a + counts.bad, b + counts.good) - logBeta(a, b)
  return mixture - counts.bad * logShare(share, 1 - share) - counts.good * logShare(1 - share, share)
}

/**
 * The confidence sequence of the share of bad events: [low, high] in 0..1, all shares that the two-sided test does
 * not reject. It holds the true share at all looks together with chance 1 − alpha. It is two-sided, so a one-sided
 * verdict may come a little before this interval has left the limit.
 */
export function shareInterval(counts: Counts, alpha: number, priorEvents = INTERVAL_PRIOR_EVENTS): [number, number] {
  const events = counts.good + counts.bad
  if (events === 0) return [0, 1]
  const bar = Math.log(1 / alpha)
  const rejected = (share: number) => logTwoSidedEvidence(counts, share, priorEvents) >= bar
  const seen = counts.bad / events
  return [intervalEnd(rejected, seen, 0), intervalEnd(rejected, seen, 1)]
}

/** Evidence that the share of `x`'s kind, whose limit is x, is below x. `y` is 1 − x. */
function logTruncatedMixture(ofKind: number, others: number, x: number, y: number, priorEvents: number): number {
  const prior = logBetaTail(priorEvents * x, priorEvents * y, x, y)
  return logBetaTail(priorEvents * x + ofKind, priorEvents * y + others, x, y) - prior
}

/**
 * Where rejection begins between the seen share and `edge` (0 or 1), to nine digits; the edge itself when it begins
 * nowhere.
 */
function intervalEnd(rejected: (share: number) => boolean, seen: number, edge: 0 | 1): number {
  let outside: number = edge === 0 ? NEAREST_TO_0 : 1 - NEAREST_TO_0
  if (seen === edge || !rejected(outside)) return edge
  let inside = Math.min(Math.max(seen, NEAREST_TO_0), 1 - NEAREST_TO_0)
  while (Math.abs(outside - inside) > 1e-9 * outside) {
    const middle = (inside + outside) / 2
    if (rejected(middle)) outside = middle
    else inside = middle
  }
  return outside
}

/** A share of exactly 0 or 1 has no logarithm. */
const NEAREST_TO_0 = 1e-15
