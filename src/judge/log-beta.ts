import betaln from '@stdlib/math-base-special-betaln'

/** Ends a continued fraction that rounding keeps from settling. Counts near 1e12 need about a tenth of it. */
const MOST_TERMS = 1_000_000

/** What a zero denominator becomes in Lentz' method; far below any term that matters. */
const TINY = 1e-300

/** The logarithm of the complete beta function B(a, b), a and b above 0. */
export function logBeta(a: number, b: number): number {
  return betaln(a, b)
}

/**
 * ln of ∫₀ˣ t^(a−1) (1−t)^(b−1) dt, divided by x^a (1−x)^b: the incomplete beta function without the factor that
 * under- or overflows. `y` is 1 − x, given apart because for x near 1 a difference would lose its digits. Needs a, b
 * > 0 and 0 < x < 1; finite for a and b up to 1e12.
 *
 * Left of the mean of Beta(a, b) the division leaves just Gauss' continued fraction (NIST DLMF 8.17.22), so nothing
 * large is ever subtracted. Right of it the fraction gives the small rest beyond x, which is taken from the whole.
 */
export function logBetaTail(a: number, b: number, x: number, y: number): number {
  if (x <= (a + 1) / (a + b + 2)) return Math.log(betaFraction(a, b, x) / a)
  const whole = logBeta(a, b) - a * logShare(x, y) - b * logShare(y, x)
  const rest = Math.log(betaFraction(b, a, y) / b)
  return whole + Math.log1p(-Math.exp(rest - whole))
}

/** ln x, exact also where x is so near 1 that only y = 1 − x holds its digits. */
export function logShare(x: number, y: number): number {
  return x > 0.5 ? Math.log1p(-y) : Math.log(x)
}

/** The continued fraction of DLMF 8.17.22 by Lentz' method; settles in about √(a + b) terms at worst, near the mean. */
function betaFraction(a: number, b: number, x: number): number {
  let c = 1
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1))
  let value = d
  for (let m = 1; m < MOST_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / nonZero(1 + even * d)
    c = nonZero(1 + even / c)
    value *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / nonZero(1 + odd * d)
    c = nonZero(1 + odd / c)
    value *= d * c
    if (Math.abs(d * c - 1) < 1e-15) return value
  }
  return value
}

function nonZero(x: number): number {
  return Math.abs(x) < TINY ? TINY : x
}
