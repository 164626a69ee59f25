import { logBeta } from './log-beta.ts'

/**
 * The sample-ratio check: do the arms get the requests that they should? The sequential multinomial test (arXiv
 * 2011.03567; facts/rollouts.md §4c M1): counts against given shares, averaged over a Dirichlet prior about these
 * shares. Valid at any number of looks, for two arms and more.
 */
export interface ArmCounts {
  /** The shares that are asked, of sum 1, each above 0. */
  readonly shares: readonly number[]
  /** What each arm got, in the same order. */
  readonly counts: readonly number[]
}

/** How many requests the prior is worth. */
export const RATIO_PRIOR_EVENTS = 100

/**
 * ln of the evidence that the arms' true shares are not those that are asked. `asked` gives, where the confidence
 * sequence needs it, other shares than those about which the prior is spread.
 */
export function logRatioEvidence(
  { shares, counts }: ArmCounts,
  asked: readonly number[] = shares,
  priorEvents = RATIO_PRIOR_EVENTS,
): number {
  const prior = shares.map((share) => priorEvents * share)
  const seen = prior.map((part, arm) => part + at(counts, arm))
  const likelihood = counts.reduce((sum, count, arm) => sum + (count === 0 ? 0 : count * Math.log(at(asked, arm))), 0)
  return logMultiBeta(seen) - logMultiBeta(prior) - likelihood
}

/**
 * The confidence sequence of δ, the log of how many times its due the second arm got beside the first: all δ that the
 * test does not reject, of several stages together. It holds the true δ at all looks with chance 1 − alpha.
 */
export function logRatioInterval(stages: readonly ArmCounts[], alpha: number): [number, number] {
  const bar = Math.log(1 / alpha)
  const evidence = (delta: number) => sumOver(stages, (stage) => logRatioEvidence(stage, tilted(stage.shares, delta)))
  const seen = likeliestLogRatio(stages)
  const end = (direction: 1 | -1) => {
    const rejected = (distance: number) => evidence(seen + direction * distance) > bar
    let far = 1
    while (far < FARTHEST && !rejected(far)) far *= 2
    if (far >= FARTHEST) return direction * Number.POSITIVE_INFINITY
    let near = 0
    while (far - near > 1e-10) {
      const middle = (near + far) / 2
      if (rejected(middle)) far = middle
      else near = middle
    }
    return seen + direction * far
  }
  return [end(-1), end(1)]
}

/** The δ at which the second arm's requests of all stages are what they would be on average. */
export function likeliestLogRatio(stages: readonly ArmCounts[]): number {
  const got = sumOver(stages, ({ counts }) => at(counts, 1))
  const due = (delta: number) =>
    sumOver(stages, ({ shares, counts }) => at(tilted(shares, delta), 1) * counts.reduce((a, b) => a + b, 0))
  let [low, high] = [-FARTHEST, FARTHEST]
  while (high - low > 1e-12 * Math.max(1, Math.abs(low))) {
    const middle = (low + high) / 2
    if (due(middle) >= got) high = middle
    else low = middle
    if (middle === low && middle === high) break
  }
  return (low + high) / 2
}

/** Beyond e^32 times its due an arm has it all. */
const FARTHEST = 32

/** The shares with the second arm's weight e^δ times what it is. */
function tilted(shares: readonly number[], delta: number): readonly number[] {
  const weights = shares.map((share, arm) => (arm === 1 ? share * Math.exp(delta) : share))
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map((weight) => weight / sum)
}

/** ln of the multivariate beta function, as a product of beta functions: nothing large is subtracted. */
function logMultiBeta(parts: readonly number[]): number {
  let rest = parts.reduce((a, b) => a + b, 0)
  let sum = 0
  for (const part of parts.slice(0, -1)) {
    rest -= part
    sum += logBeta(part, rest)
  }
  return sum
}

function sumOver<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0)
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? 0
}
