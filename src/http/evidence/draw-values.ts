import type { ValueSeen } from '../../model/rollout.ts'
import { type GatePoint, stretchesOf } from './gate-panels.ts'
import { drawFrame, LEFT, RIGHT } from './layout.ts'
import { type Heights, heightOf, type TimeScale, xOf } from './scale.ts'
import { element, linePath, text, title } from './svg.ts'

/** The values that a gate saw, and the bounds that it was given. */
export function drawValues(scale: TimeScale, points: readonly GatePoint[], heights: Heights): readonly string[] {
  const seen = points.flatMap(({ value }) => value ?? [])
  const bounds = [...new Set(seen.flatMap(({ min, max }) => [min ?? [], max ?? []].flat()))]
  const all = [...bounds, ...seen.flatMap(({ candidate, stable }) => [candidate, stable ?? candidate])]
  if (all.length === 0) return [drawFrame(scale, heights)]
  const [low, high] = [Math.min(...all), Math.max(...all)]
  const margin = (high - low) / 10 || Math.abs(high) || 1
  const y = (value: number) => heightOf(value - low + margin, high - low + 2 * margin, heights)
  const line = (of: (value: ValueSeen) => number | undefined, kind: string) => {
    const stretches = stretchesOf(points.filter(({ value }) => value !== undefined && of(value) !== undefined))
    const paths = stretches.map((stretch) =>
      linePath(stretch.flatMap(({ at, value }) => (value ? [[xOf(scale, at), y(of(value) ?? 0)] as const] : []))),
    )
    return element('path', { d: paths.join(''), class: kind })
  }
  return [
    drawFrame(scale, heights),
    ...bounds.map((bound) => text(LEFT - 6, y(bound) + 4, `bound ${written(bound)}`, 'small soft', 'end')),
    line(({ stable }) => stable, 'line s-stable'),
    line(({ candidate }) => candidate, 'line s-candidate'),
    ...bounds.map((bound) => {
      const d = linePath([
        [LEFT, y(bound)],
        [RIGHT, y(bound)],
      ])
      return element('path', { d, class: 'limit' }, title(`Bound ${written(bound)}`))
    }),
  ]
}

function written(value: number): string {
  return String(Number(value.toPrecision(4)))
}
