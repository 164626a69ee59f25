/** A seeded stream of chance, and the three distributions that traffic needs. The same seed gives the same stream. */
export interface Chance {
  /** A number in [0, 1). */
  next(): number
  /** Standard normal. */
  normal(): number
  /** How many events come when `mean` are expected. */
  poisson(mean: number): number
  /** How many of `count` independent trials succeed, each with `probability`. */
  binomial(count: number, probability: number): number
}

/** Above this mean the normal approximation is used: its error is far below the noise. */
const NORMAL_FROM = 50

/** `seed` is a whole number below 2^32. The generator is mulberry32. */
export function seededChance(seed: number): Chance {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  return {
    next,
    normal,
    poisson: (mean) => poisson(mean, next, normal),
    binomial: (n, p) => binomial(n, p, next, normal),
  }
}

type Draw = () => number

function poisson(mean: number, next: Draw, normal: Draw): number {
  if (!(mean > 0)) return 0
  if (mean > NORMAL_FROM) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()))
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = next(); product > limit; product *= next()) count += 1
  return count
}

function binomial(count: number, probability: number, next: Draw, normal: Draw): number {
  if (count <= 0 || !(probability > 0)) return 0
  if (probability >= 1) return count
  if (probability > 0.5) return count - binomial(count, 1 - probability, next, normal)
  const mean = count * probability
  if (mean > NORMAL_FROM) {
    const draw = Math.round(mean + Math.sqrt(mean * (1 - probability)) * normal())
    return Math.min(count, Math.max(0, draw))
  }
  // Leaps from success to success: the gaps are geometric.
  const log = Math.log1p(-probability)
  let successes = 0
  for (let trial = gap(next, log); trial <= count; trial += gap(next, log)) successes += 1
  return successes
}

function gap(next: Draw, log: number): number {
  return Math.floor(Math.log(1 - next()) / log) + 1
}
