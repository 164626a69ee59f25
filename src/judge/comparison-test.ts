import { type LogConcave, logIntegral } from './log-integral.ts'

/**
 * The comparison of two arms whose share of the requests changes by stage (facts/rollouts.md §4c M2), valid at any
 * number of looks.
 *
 * Every bad event bears the name of its arm. If both arms are equally bad, it is the candidate's with the chance w: its
 * share of the requests of that stage, whatever the rate itself is and however it moves. If the candidate is e^g times
 * as bad, the chance is p(g) = w e^g / (w e^g + 1 − w). The evidence is the likelihood ratio of all stages between the
 * two, averaged over g. Under equality it is a martingale with mean 1, so by Ville's inequality the chance that it
 * ever reaches 1/alpha is alpha at most.
 */
export interface ComparedStage {
  /** The candidate's share of the requests, in 0..1. A stage with a share of 0 or 1 compares nothing. */
  readonly share: number
  /** Bad events. They need not be whole: bursts are corrected for by counting less of each (`dispersion.ts`). */
  readonly candidate: number
  readonly stable: number
}

/**
 * How g is spread: normal, or its upper half where only harm is looked for. With deviation 1 most of its weight is on up to
 * e times as bad.
 */
export interface Spread {
  readonly isHalf: boolean
  readonly deviation: number
}

export const HALF_NORMAL: Spread = { isHalf: true, deviation: 1 }
export const NORMAL: Spread = { isHalf: false, deviation: 1 }

/** To how much of itself evidence is computed, where it decides and where it is but shown. */
const EXACT = 1e-12
export const ROUGH = 1e-3

/** Rate ratios beyond this, either way, are not told apart from 0 and infinity: JSON has no infinity. */
export const LARGEST_RATIO = 1e6

const LOG_NORMAL = 0.5 * Math.log(2 * Math.PI)

/**
 * ln of the evidence that the candidate is worse than stable (`HALF_NORMAL`), or that the two differ (`NORMAL`). Integrated
 * to convergence; counts up to 1e9 are safe.
 */
export function logWorseEvidence(stages: readonly ComparedStage[], spread = HALF_NORMAL, precision = EXACT): number {
  const parts = stages.filter(compares)
  if (parts.length === 0) return 0
  const { isHalf, deviation } = spread
  const integral = logIntegral(posterior(parts, deviation), isHalf ? 0 : Number.NEGATIVE_INFINITY, precision)
  return integral - LOG_NORMAL - Math.log(deviation) + (isHalf ? Math.LN2 : 0)
}

/**
 * ln of the evidence that the candidate's rate is less than `gMax` times stable's: the mirror of `logWorseEvidence`,
 * with the arms exchanged and `gMax` as the border. It is for the verdict safe.
 */
export function logNotWorseEvidence(stages: readonly ComparedStage[], gMax: number): number {
  const mirrored = stages.map(({ share, candidate, stable }) => {
    const odds = share * gMax
    return { share: (1 - share) / (odds + 1 - share), candidate: stable, stable: candidate }
  })
  return logWorseEvidence(mirrored)
}

/** The likeliest ratio of the candidate's rate to stable's, within `LARGEST_RATIO`; undefined when nothing was compared. */
export function likeliestRatio(stages: readonly ComparedStage[]): number | undefined {
  const parts = stages.filter(compares)
  if (parts.length === 0) return undefined
  const largest = Math.log(LARGEST_RATIO)
  const { slope } = likelihood(parts)
  return Math.exp(whereItTurns((g) => slope(g) <= 0, -largest, largest, 1e-13))
}

/**
 * The confidence sequence of the ratio of the candidate's rate to stable's: all ratios that the two-sided test does not
 * reject. It holds the true one at all looks together with chance 1 − alpha. 0 and `LARGEST_RATIO` mean: no bound.
 */
export function ratioInterval(stages: readonly ComparedStage[], alpha: number): [number, number] {
  const parts = stages.filter(compares)
  const seen = likeliestRatio(parts)
  if (seen === undefined) return [0, LARGEST_RATIO]
  const bar = Math.log(1 / alpha)
  const over = (g: number) => logWorseEvidence(tilted(parts, g), NORMAL, ROUGH) - bar
  const [low, high] = [intervalEnd(over, Math.log(seen), -1), intervalEnd(over, Math.log(seen), 1)]
  return [low === undefined ? 0 : Math.exp(low), high === undefined ? LARGEST_RATIO : Math.exp(high)]
}

/** Where `over` rises above 0 beyond `from`, by the rule of false position (Illinois); undefined: not within `LARGEST_RATIO`. */
function intervalEnd(over: (g: number) => number, from: number, direction: 1 | -1): number | undefined {
  const farthest = direction * Math.log(LARGEST_RATIO)
  if (from * direction >= farthest * direction) return undefined
  let [inside, valueInside] = [from, over(from)]
  let [outside, step] = [from, 0.25]
  let valueOutside = valueInside
  while (valueOutside < 0) {
    if (outside === farthest) return undefined
    ;[inside, valueInside] = [outside, valueOutside]
    outside = direction * Math.min(outside * direction + step, farthest * direction)
    valueOutside = over(outside)
    step *= 2
  }
  while (Math.abs(outside - inside) > ROUGH) {
    const middle = (inside * valueOutside - outside * valueInside) / (valueOutside - valueInside)
    const value = over(middle)
    if (Math.abs(value) < ROUGH) return middle
    if (value > 0) {
      ;[outside, valueOutside] = [middle, value]
      valueInside /= 2
    } else {
      ;[inside, valueInside] = [middle, value]
      valueOutside /= 2
    }
  }
  return outside
}

/** The same stages with the share that a ratio of e^g would give: there the test asks about that ratio, not about 1. */
function tilted(stages: readonly ComparedStage[], g: number): ComparedStage[] {
  return stages.map((stage) => ({ ...stage, share: tiltedShare(stage.share, g) }))
}

/** p(g): the chance that a bad event is the candidate's. */
function tiltedShare(share: number, g: number): number {
  return share / (share + (1 - share) * Math.exp(-g))
}

function compares({ share, candidate, stable }: ComparedStage): boolean {
  return share > 0 && share < 1 && candidate + stable > 0
}

/** The log-likelihood ratio of g against 0. */
function likelihood(stages: readonly ComparedStage[]): LogConcave {
  return {
    value: (g) => {
      const rise = Math.expm1(g)
      return stages.reduce((sum, { share, candidate, stable }) => {
        const log = g > 30 ? Math.log(share) + g : Math.log1p(share * rise)
        return sum + candidate * g - (candidate + stable) * log
      }, 0)
    },
    slope: (g) =>
      stages.reduce(
        (sum, { share, candidate, stable }) => sum + candidate - (candidate + stable) * tiltedShare(share, g),
        0,
      ),
  }
}

function posterior(stages: readonly ComparedStage[], deviation: number): LogConcave {
  const { value, slope } = likelihood(stages)
  const variance = deviation ** 2
  return { value: (g) => value(g) - (g * g) / (2 * variance), slope: (g) => slope(g) - g / variance }
}

/** Where `holds` turns from false to true between `low` and `high`, within `width`; an end when it does not turn. */
function whereItTurns(holds: (x: number) => boolean, low: number, high: number, width: number): number {
  let [no, yes] = [low, high]
  while (yes - no > width) {
    const middle = (no + yes) / 2
    if (holds(middle)) yes = middle
    else no = middle
  }
  return (no + yes) / 2
}
