import { drawFrame, LEFT, type Part, RIGHT } from './layout.ts'
import { heightOf, type TimeScale, timeWords, xOf } from './scale.ts'
import { element, linePath, shorten, stairsPath, text, title } from './svg.ts'
import type { WeightLane } from './weight-lanes.ts'

const HEIGHT = 46
const HEIGHTS = { top: 4, bottom: 42 }

/** One cluster's weights: what was asked as stairs, what was seen as dots. The time of its wave is shaded. */
export function drawLane(scale: TimeScale, lane: WeightLane, waveName: string | undefined): Part {
  const y = (weight: number) => heightOf(weight, 100, HEIGHTS)
  const stairs = lane.asked.map(({ at, weight }) => [xOf(scale, at), y(weight)] as const)
  const last = stairs.at(-1)
  const asked = last ? [...stairs, [RIGHT, last[1]] as const] : []
  const dots = lane.observed.map(({ at, weight }) => linePath([[xOf(scale, at), y(weight)]])).join('')
  return {
    height: HEIGHT,
    markup: [
      text(8, 20, shorten(lane.cluster, 24), 'name'),
      ...(waveName === undefined ? [] : [text(8, 35, shorten(waveName, 26), 'small soft')]),
      text(LEFT - 6, HEIGHTS.top + 8, '100 %', 'small soft', 'end'),
      text(LEFT - 6, HEIGHTS.bottom, '0', 'small soft', 'end'),
      drawActive(scale, lane),
      drawFrame(scale, HEIGHTS),
      element('path', { d: stairsPath(asked), class: 'asked s-candidate' }),
      dots === '' ? '' : element('path', { d: dots, class: 'line dots s-stable' }, title(`Seen on ${lane.cluster}`)),
      ...drawWeights(scale, lane, y),
    ].join(''),
  }
}

function drawActive(scale: TimeScale, { active, cluster }: WeightLane): string {
  if (!active) return ''
  const [from, to] = active.map((ms) => xOf(scale, ms)) as [number, number]
  const words = `The wave of ${cluster} from ${timeWords(active[0])} to ${timeWords(active[1])}`
  const shape = { x: from, y: HEIGHTS.top, width: to - from, height: HEIGHTS.bottom - HEIGHTS.top, class: 'wave' }
  return element('rect', shape, title(words))
}

/** What is asked, in numbers where there is room. */
function drawWeights(scale: TimeScale, { asked }: WeightLane, y: (weight: number) => number): readonly string[] {
  return asked.flatMap(({ at, weight }, index) => {
    const next = asked[index + 1]
    const room = (next ? xOf(scale, next.at) : RIGHT) - xOf(scale, at)
    if (room < 34 || weight === 0) return []
    const below = weight > 60
    return [text(xOf(scale, at) + 4, y(weight) + (below ? 12 : -4), `${weight} %`, 'small on-line')]
  })
}
