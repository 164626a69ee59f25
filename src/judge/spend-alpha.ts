/** One gate's parts of the alpha of a whole rollout. */
export interface AlphaParts {
  /** For its judgement on one cluster. */
  readonly cluster: number
  /** For its judgement over all clusters together; absent with one cluster. */
  readonly all?: number
}

/** Of a gate's alpha, what goes to the judgement over all clusters. */
const ALL_CLUSTERS_PART = 1 / 3

/**
 * Shares the alpha of a whole rollout over its gates, and each gate's over its clusters and all of them together: the
 * chance of any false alarm in the rollout stays alpha at most, for it is no more than the sum of the parts.
 */
export function splitAlpha(alpha: number, gates: number, clusters: number): AlphaParts {
  const ofGate = alpha / Math.max(1, gates)
  if (clusters <= 1) return { cluster: ofGate }
  return { cluster: (ofGate * (1 - ALL_CLUSTERS_PART)) / clusters, all: ofGate * ALL_CLUSTERS_PART }
}

/** How much of a judgement rests on each test of the evidence from one step on. */
export interface TestWeights {
  /** The evidence from this step on. */
  readonly part: number
  readonly limit: number
  readonly comparison: number
}

/** What the evidence from the first step on gets; that from each later step on shares the rest. */
const FIRST_PART = 0.65

/** What the comparison gets beside the limit, while there is stable to compare with. */
const COMPARISON = 0.9

/**
 * How a judgement's evidence is averaged, of weights that sum up to 1: from every step on anew, so that a harm that begins
 * with more traffic is not thinned by the good requests before it, and by both tests. An average of tests with mean 1 has
 * mean 1, so it spends no alpha beyond its own. After the steps the candidate has all requests and only the limit is left.
 */
export function testWeights(parts: number, isCompared: boolean): readonly TestWeights[] {
  return Array.from({ length: parts }, (_, part) => {
    const weight = parts === 1 ? 1 : part === 0 ? FIRST_PART : (1 - FIRST_PART) / (parts - 1)
    const isLast = parts > 1 && part === parts - 1
    const comparison = isCompared && !isLast ? COMPARISON * weight : 0
    return { part, limit: weight - comparison, comparison }
  })
}

/** The part of a judgement's alpha that is at stake once the evidence has come to `part`. */
export function spentAt(alpha: number, weights: readonly TestWeights[], part: number): number {
  const begun = weights.filter((weight) => weight.part <= part)
  return alpha * begun.reduce((sum, { limit, comparison }) => sum + limit + comparison, 0)
}
