/** What Kayenta's judge says of one metric; `high` is what rolls back where only a rise is bad. */
export type KayentaClass = 'pass' | 'high' | 'low' | 'nodata'

export interface ShiftInterval {
  readonly low: number
  readonly high: number
  readonly estimate: number
}

/** Kayenta's defaults: the quantile of (1 − .98) / 2, and the tolerance. */
export const QUANTILE_98 = 2.3263478740408408
export const QUANTILE_95 = 1.959963984540054
const TOLERANCE = 0.25
const SOLVER_TOLERANCE = 1e-4

/**
 * Kayenta's NetflixACAJudge for one metric whose rise is bad (facts/rollouts.md §4a): the Mann-Whitney interval of the
 * shift at 98 %, a tolerance of 25 % of the estimate, and the ratio of the means, which must not be below 1.
 */
export function classify(experiment: readonly number[], control: readonly number[]): KayentaClass {
  if (experiment.length === 0 || control.length === 0) return 'nodata'
  if (isSame(experiment, control)) return 'pass'
  const { low, high, estimate } = mannWhitney(experiment, control, QUANTILE_98)
  const bound = TOLERANCE * Math.abs(estimate)
  const ratio = mean(experiment) / mean(control)
  const isAllowed = (holds: boolean) => mean(experiment) === 0 || mean(control) === 0 || holds
  if (low > bound && isAllowed(ratio >= 1)) return 'high'
  if (high < -bound && isAllowed(ratio <= 1)) return 'low'
  return 'pass'
}

/** Whether `classify` says `high`, found faster where it does not: its interval must at least begin above 0. */
export function isHigh(experiment: readonly number[], control: readonly number[]): boolean {
  if (experiment.length === 0 || statistic(experiment, control, 0) < QUANTILE_98) return false
  return classify(experiment, control) === 'high'
}

/** The interval of the shift between two samples and its estimate, by inverting the test; `quantile` is above 0. */
export function mannWhitney(x: readonly number[], y: readonly number[], quantile: number): ShiftInterval {
  const [from, to] = [Math.min(...x) - Math.max(...y), Math.max(...x) - Math.min(...y)]
  const root = (z: number) => solve((shift) => statistic(x, y, shift) - z, from, to)
  return { low: root(quantile), high: root(-quantile), estimate: root(0) }
}

/** The standardized statistic, with half a step's correction for continuity and a variance that knows ties. */
function statistic(x: readonly number[], y: readonly number[], shift: number): number {
  const [n, m] = [x.length, y.length]
  const all = n + m
  const ranked = [
    ...x.map((value) => ({ value: value - shift, isX: true })),
    ...y.map((value) => ({ value, isX: false })),
  ]
  ranked.sort((a, b) => a.value - b.value)
  let [rankSum, ties] = [0, 0]
  for (let start = 0; start < all; ) {
    let end = start
    while (end < all && ranked[end]?.value === ranked[start]?.value) end++
    const size = end - start
    ties += size ** 3 - size
    for (let at = start; at < end; at++) if (ranked[at]?.isX) rankSum += (start + 1 + end) / 2
    start = end
  }
  const distance = rankSum - (n * (n + 1)) / 2 - (n * m) / 2
  const variance = ((n * m) / 12) * (all + 1 - ties / (all * (all - 1)))
  return variance === 0 ? 0 : (distance - 0.5 * Math.sign(distance)) / Math.sqrt(variance)
}

/**
 * Where a falling function crosses 0, which need not be one place; an end of the stretch when it crosses nowhere in it. Stops
 * on the near side. Kayenta's may stop on the far one, 1e-4 beyond, and so sees rises in samples that are mostly zero
 * (facts §4a, "inverted"): it is spared these false alarms.
 */
function solve(f: (x: number) => number, from: number, to: number): number {
  if (f(from) <= 0) return from
  if (f(to) >= 0) return to
  let [above, below] = [from, to]
  while (below - above > SOLVER_TOLERANCE) {
    const middle = (above + below) / 2
    const value = f(middle)
    if (value === 0) return middle
    if (value > 0) above = middle
    else below = middle
  }
  return above
}

function isSame(x: readonly number[], y: readonly number[]): boolean {
  return x.length === y.length && x.every((value, index) => value === y[index])
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}
