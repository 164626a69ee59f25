/**
 * `increase()` and `rate()` of one counter as Prometheus computes them (promql/functions.go, extrapolatedRate): the
 * difference of the last and first sample with resets added back, stretched to the window's edges where the samples
 * come near enough to them, and never below the time at which the counter would have been zero.
 *
 * `samples` are those of the left-open window that ends at `endMs`; fewer than two give undefined.
 */
export function increaseOf(
  samples: readonly (readonly [timeMs: number, value: number])[],
  endMs: number,
  rangeMs: number,
): number | undefined {
  const first = samples[0]
  const last = samples.at(-1)
  if (samples.length < 2 || first === undefined || last === undefined) return undefined
  const growth = growthOf(samples)
  const sampledMs = last[0] - first[0]
  const averageMs = sampledMs / (samples.length - 1)
  const near = averageMs * 1.1
  let toStartMs = first[0] - (endMs - rangeMs)
  if (toStartMs >= near) toStartMs = averageMs / 2
  if (growth > 0 && first[1] >= 0) toStartMs = Math.min(toStartMs, sampledMs * (first[1] / growth))
  let toEndMs = endMs - last[0]
  if (toEndMs >= near) toEndMs = averageMs / 2
  return growth * ((sampledMs + toStartMs + toEndMs) / sampledMs)
}

function growthOf(samples: readonly (readonly [number, number])[]): number {
  let growth = 0
  let previous: number | undefined
  for (const [, value] of samples) {
    if (previous !== undefined) growth += value < previous ? value : value - previous
    previous = value
  }
  return growth
}
