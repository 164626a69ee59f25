import { ALL_CLUSTERS } from '../../model/rollout.ts'
import { drawValues } from './draw-values.ts'
import { type GatePanel, type GatePoint, type SharePoint, stretchesOf } from './gate-panels.ts'
import { drawFrame, LEFT, type Part, RIGHT, toneOfVerdict } from './layout.ts'
import { heightOf, logHeightOf, niceAbove, type TimeScale, timeWords, xOf } from './scale.ts'
import { areaPath, element, linePath, shorten, text, title } from './svg.ts'

const SHARE = { top: 6, bottom: 96 }
const VERDICTS = { top: 103, height: 8 }
const EVIDENCE = { top: 118, bottom: 178 }
const HEIGHT = 192
const MOST_WORDS = 300

/**
 * One gate on one cluster: bad shares of both versions, or a value with its bounds, what was said of them, and the
 * evidence for harm.
 */
export function drawGatePanel(scale: TimeScale, panel: GatePanel): Part {
  const isValue = panel.limit === undefined
  return {
    height: isValue ? EVIDENCE.top : HEIGHT,
    markup: [
      text(8, 20, shorten(panel.gate, 25), 'name'),
      text(8, 36, shorten(panel.cluster === ALL_CLUSTERS ? 'all clusters together' : panel.cluster, 26), 'soft'),
      ...(isValue ? drawValues(scale, panel.points, SHARE) : drawShares(scale, panel)),
      ...drawVerdicts(scale, panel),
      ...(isValue ? [] : drawEvidence(scale, panel)),
    ].join(''),
  }
}

function drawShares(scale: TimeScale, { points, limit }: GatePanel): readonly string[] {
  const shares = points.flatMap(({ candidate, stable }) => [candidate?.share ?? 0, stable?.share ?? 0])
  const most = Math.min(1, niceAbove(Math.max(0.001, (limit ?? 0) * 2, ...shares.map((share) => share * 1.15))))
  const y = (share: number) => heightOf(share, most, SHARE)
  const arm = (pick: (point: GatePoint) => SharePoint | undefined, name: string) => {
    const stretches = stretchesOf(points.filter((point) => pick(point) !== undefined))
    const places = (stretch: readonly GatePoint[], of: (share: SharePoint) => number) =>
      stretch.map((point) => [xOf(scale, point.at), y(of(pick(point) ?? NO_SHARE))] as const)
    const areas = stretches.map((stretch) =>
      areaPath(
        places(stretch, ({ high }) => high),
        places(stretch, ({ low }) => low),
      ),
    )
    const lines = stretches.map((stretch) => linePath(places(stretch, ({ share }) => share)))
    return [
      element('path', { d: areas.join(''), class: `band f-${name}` }),
      element('path', { d: lines.join(''), class: `line s-${name}` }),
    ]
  }
  const line =
    limit === undefined
      ? ''
      : element(
          'path',
          {
            d: linePath([
              [LEFT, y(limit)],
              [RIGHT, y(limit)],
            ]),
            class: 'limit',
          },
          title(`Limit ${percent(limit)}`),
        )
  return [
    drawFrame(scale, SHARE, [y(most / 2)]),
    text(LEFT - 6, SHARE.top + 9, `${percent(most)} bad`, 'small soft', 'end'),
    ...(limit !== undefined && y(limit) > SHARE.bottom - 14
      ? []
      : [text(LEFT - 6, SHARE.bottom, '0', 'small soft', 'end')]),
    ...(limit === undefined ? [] : [text(LEFT - 6, y(limit) + 4, `limit ${percent(limit)}`, 'small soft', 'end')]),
    ...arm(({ stable }) => stable, 'stable'),
    ...arm(({ candidate }) => candidate, 'candidate'),
    line,
  ]
}

const NO_SHARE = { share: 0, low: 0, high: 0 }

function drawVerdicts(scale: TimeScale, { verdicts }: GatePanel): readonly string[] {
  const said = text(LEFT - 6, VERDICTS.top + 8, 'gate says', 'small soft', 'end')
  return [
    said,
    ...verdicts.map(({ fromMs, toMs, verdict, words }) => {
      const x = xOf(scale, fromMs)
      const width = Math.max(1.5, xOf(scale, toMs) - x)
      const told = `${verdict}, ${timeWords(fromMs)} to ${timeWords(toMs)}: ${shorten(words, MOST_WORDS)}`
      const shape = { x, y: VERDICTS.top, width, height: VERDICTS.height, class: `f-${toneOfVerdict(verdict)}` }
      return element('rect', shape, title(told))
    }),
  ]
}

function drawEvidence(scale: TimeScale, { points }: GatePanel): readonly string[] {
  const bars = points.map(({ bar }) => bar).filter(Number.isFinite)
  const top = Math.min(1e15, 10 * Math.max(10, ...bars, ...points.map(({ eValue }) => eValue)))
  const y = (value: number) => logHeightOf(value, [0.1, top], EVIDENCE)
  const bar = bars.at(-1)
  const at = ({ at, eValue }: GatePoint) => [xOf(scale, at), y(eValue)] as const
  const lines = stretchesOf(points).map((stretch) => linePath(stretch.map(at)))
  const barLine = linePath(
    points.filter(({ bar }) => Number.isFinite(bar)).map((point) => [xOf(scale, point.at), y(point.bar)]),
  )
  return [
    drawFrame(scale, EVIDENCE, [y(1)]),
    text(LEFT - 6, y(1) + 4, 'evidence 1', 'small soft', 'end'),
    ...(bar === undefined ? [] : [text(LEFT - 6, y(bar) + 4, `harm at ${written(bar)}`, 'small soft', 'end')]),
    element('path', { d: lines.join(''), class: 'line s-candidate' }),
    element('path', { d: barLine, class: 'bar' }, title('Harm is called at 1/alpha')),
  ]
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`
}

function written(value: number): string {
  return value < 1e6 ? Math.round(value).toLocaleString('en-US') : value.toExponential(0)
}
