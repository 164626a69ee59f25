import type { Chance } from './chance.ts'

/** Upper edges of Istio's request duration buckets in milliseconds, without the last, +Inf. */
export const BUCKET_EDGES_MS = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
] as const

/** Standard normal value of the 99th per cent. */
const Z99 = 2.326347874

/** How long requests take: a lognormal given by its median and its 99th per cent. */
export interface LatencyModel {
  readonly buckets: readonly LatencyBucket[]
  sample(chance: Chance): number
}

export interface LatencyBucket {
  /** Index of the bucket's upper edge; BUCKET_EDGES_MS.length is +Inf. */
  readonly index: number
  /** Chance that a request of this bucket or a later one falls into this. */
  readonly conditional: number
  /** Mean duration of the requests in the bucket, in milliseconds. */
  readonly meanMs: number
}

/** `p99Ms` below `medianMs` counts as equal to it: every request takes the median. */
export function latencyModel(medianMs: number, p99Ms: number): LatencyModel {
  const mu = Math.log(medianMs)
  const sigma = Math.max(0, Math.log(p99Ms / medianMs) / Z99)
  return {
    buckets: sigma === 0 ? [{ index: bucketOf(medianMs), conditional: 1, meanMs: medianMs }] : split(mu, sigma),
    sample: (chance) => Math.exp(mu + sigma * chance.normal()),
  }
}

/** Index of the first bucket whose upper edge is not below a duration. */
export function bucketOf(ms: number): number {
  const index = BUCKET_EDGES_MS.findIndex((edge) => ms <= edge)
  return index === -1 ? BUCKET_EDGES_MS.length : index
}

function split(mu: number, sigma: number): LatencyBucket[] {
  const mean = Math.exp(mu + (sigma * sigma) / 2)
  const buckets: LatencyBucket[] = []
  let [below, partBelow] = [0, 0]
  for (const [index, edge] of [...BUCKET_EDGES_MS, Number.POSITIVE_INFINITY].entries()) {
    const z = (Math.log(edge) - mu) / sigma
    // Partial expectation of a lognormal: the mean of all times the normal share below z - sigma.
    const [upTo, partUpTo] = [normalShare(z), mean * normalShare(z - sigma)]
    const share = upTo - below
    if (share > 1e-9) {
      const lower = index === 0 ? 0 : (BUCKET_EDGES_MS[index - 1] ?? 0)
      const meanMs = Math.min(edge, Math.max(lower, (partUpTo - partBelow) / share))
      buckets.push({ index, conditional: Math.min(1, share / (1 - below)), meanMs })
    }
    ;[below, partBelow] = [upTo, partUpTo]
  }
  return buckets.map((bucket, at) => (at === buckets.length - 1 ? { ...bucket, conditional: 1 } : bucket))
}

/** Share of the standard normal below z; Abramowitz and Stegun 7.1.26, good to 1.5e-7. */
function normalShare(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const t = 1 / (1 + 0.3275911 * x)
  const poly = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
  const tail = x === Number.POSITIVE_INFINITY ? 0 : (poly * Math.exp(-x * x)) / 2
  return z > 0 ? 1 - tail : tail
}
