/**
 * At most about `most` of the points, spread over their time: of each stretch its last and, where it is another, the one
 * that weighs most. The first point stays.
 */
export function thin<T extends { readonly at: number }>(
  points: readonly T[],
  most: number,
  weigh: (point: T) => number,
): readonly T[] {
  const [first] = points
  const last = points.at(-1)
  if (!first || !last || points.length <= most) return points
  const stretches = Math.max(1, Math.floor((most - 1) / 2))
  const length = (last.at - first.at) / stretches || 1
  const kept = new Set<T>([first])
  let stretch: T[] = []
  const keep = () => {
    const end = stretch.at(-1)
    if (end === undefined) return
    kept.add(stretch.reduce((heaviest, point) => (weigh(point) > weigh(heaviest) ? point : heaviest)))
    kept.add(end)
    stretch = []
  }
  let number = 0
  for (const point of points) {
    const next = Math.min(stretches - 1, Math.floor((point.at - first.at) / length))
    if (next !== number) keep()
    number = next
    stretch.push(point)
  }
  keep()
  return points.filter((point) => kept.has(point))
}
