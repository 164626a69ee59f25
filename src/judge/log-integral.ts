/** The logarithm of an integrand, with its derivative. It must be strictly concave, so that it has one peak. */
export interface LogConcave {
  readonly value: (x: number) => number
  readonly slope: (x: number) => number
}

/** How far below its peak the integrand is cut: e^-45 is beyond the digits of a double. */
const NEGLIGIBLE = 45

/** The finest step of the double exponential rule is 2^-FINEST. */
const FINEST = 9

/**
 * ln of the integral of e^value from `from` (a number, or -Infinity) to infinity. The peak and the stretch around it
 * that matters are sought first, however narrow it is, then the rule is refined until its last step changes no more than
 * `precision` of the whole.
 */
export function logIntegral(f: LogConcave, from: number, precision: number): number {
  const peak = peakOf(f.slope, from)
  const top = f.value(peak)
  const right = peak + reach((distance) => f.value(peak + distance) - top)
  const left = peak - reach((distance) => f.value(peak - distance) - top, peak - from)
  const weigh = (x: number) => Math.exp(f.value(x) - top)
  const half = (right - left) / 2
  let step = 1 / 4
  let sum = sumOf(rule(2), weigh, left, right)
  for (let level = 3; ; level++) {
    const before = step * sum
    step /= 2
    sum += sumOf(rule(level), weigh, left, right)
    if (Math.abs(step * sum - before) <= precision * step * sum || level >= FINEST)
      return top + Math.log(step * sum * half)
  }
}

/** Where the slope turns from up to down; `from` itself when it falls from there on. */
function peakOf(slope: (x: number) => number, from: number): number {
  const origin = Number.isFinite(from) ? from : 0
  const direction = slope(origin) > 0 ? 1 : -1
  if (direction < 0 && origin === from) return from
  const beyond = (distance: number) => slope(origin + direction * distance) * direction <= 0
  return origin + direction * firstDistance(beyond, 1e-6)
}

/** The distance from the peak, at most `most`, at which the integrand no longer counts. */
function reach(fall: (distance: number) => number, most = Number.POSITIVE_INFINITY): number {
  if (most === 0 || fall(Math.min(most, 1e300)) > -NEGLIGIBLE) return most
  return firstDistance((distance) => fall(distance) <= -NEGLIGIBLE, 0.05)
}

/** About the least distance for which `holds` is true (to `precision` of it); it is true from some distance on. */
function firstDistance(holds: (distance: number) => boolean, precision: number): number {
  let far = 1
  while (!holds(far)) far *= 2
  let near = far / 2
  while (near > 1e-12 && holds(near)) {
    far = near
    near /= 2
  }
  while (far - near > precision * far) {
    const middle = (near + far) / 2
    if (holds(middle)) far = middle
    else near = middle
  }
  return far
}

/** A node of the rule: how far it lies from each end of the stretch, in its half lengths, and its weight. */
type Node = readonly [fromLeft: number, fromRight: number, weight: number]

const rules: Node[][] = []

/**
 * The nodes that a level adds to those before: Takahasi and Mori's double exponential rule, x = tanh(π/2 sinh t) at
 * multiples of 2^-level. It converges as fast for integrands that do not vanish at an end of the stretch.
 */
function rule(level: number): readonly Node[] {
  const known = rules[level]
  if (known) return known
  const step = 2 ** -level
  const nodes: Node[] = []
  for (let k = level === 2 ? 0 : 1; k * step < 3.2; k += level === 2 ? 1 : 2) {
    const t = k * step
    const outer = 2 / (1 + Math.exp(Math.PI * Math.sinh(t)))
    const weight = ((Math.PI / 2) * Math.cosh(t)) / Math.cosh((Math.PI / 2) * Math.sinh(t)) ** 2
    nodes.push([2 - outer, outer, weight])
    if (k > 0) nodes.push([outer, 2 - outer, weight])
  }
  rules[level] = nodes
  return nodes
}

function sumOf(nodes: readonly Node[], f: (x: number) => number, left: number, right: number): number {
  const half = (right - left) / 2
  let sum = 0
  for (const [fromLeft, fromRight, weight] of nodes) {
    sum += weight * f(fromLeft < fromRight ? left + fromLeft * half : right - fromRight * half)
  }
  return sum
}
