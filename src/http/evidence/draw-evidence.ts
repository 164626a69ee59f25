import { type Rollout, serviceOfRollout } from '../../model/rollout.ts'
import { wavesOf } from '../../model/waves.ts'
import type { Recorded } from '../../rollouts/evidence/recorded.ts'
import { drawHairs, drawList, drawMarks, type NumberedDecision } from './draw-decisions.ts'
import { drawGatePanel } from './draw-gate-panel.ts'
import { drawHeader, drawLegend } from './draw-header.ts'
import { drawLane } from './draw-lane.ts'
import { gatePanels } from './gate-panels.ts'
import { drawTimes, LEFT, type Part, RIGHT, WIDTH } from './layout.ts'
import type { TimeScale } from './scale.ts'
import { EVIDENCE_STYLE } from './style.ts'
import { element, text, title } from './svg.ts'
import { weightLanes } from './weight-lanes.ts'

/** So much is drawn; the rest is left out, and the picture says so. */
const MOST_LANES = 20
const MOST_PANELS = 12
const MOST_POINTS = 160
const MOST_DECISIONS = 60
const GAP = 10

/**
 * The evidence of a rollout as an SVG that needs nothing from outside: weights over time by cluster, what each gate saw, and
 * every decision with its reason. `now` (epoch ms) is where the picture of a live one ends. Of bounded size, however long
 * the rollout was.
 */
export function drawEvidence(rollout: Rollout, recorded: Recorded, now: number): string {
  const toMs = Math.max(Date.parse(rollout.endedAt ?? '') || now, Date.parse(rollout.startedAt) + 1000)
  const scale: TimeScale = { fromMs: Date.parse(rollout.startedAt), toMs, left: LEFT, right: RIGHT }
  const waves = wavesOf(rollout)
  const lanes = weightLanes(rollout, recorded, toMs, MOST_POINTS)
  const gates = gatePanels(rollout, recorded, { mostPanels: MOST_PANELS, mostPoints: MOST_POINTS })
  const numbered = recorded.decisions.map((decision, index) => ({ ...decision, number: index + 1 }))
  const decisions = numbered.slice(-MOST_DECISIONS)
  const waveName = (wave: number) => (waves.length === 1 ? undefined : `wave ${wave + 1}: ${waves[wave]?.name}`)
  const charts = [
    drawMarks(scale, decisions),
    drawTimes(scale),
    ...lanes.slice(0, MOST_LANES).map((lane) => drawLane(scale, lane, waveName(lane.wave))),
    ...gates.panels.map((panel) => drawGatePanel(scale, panel)),
  ]
  const notes = notesOf({
    lanes: lanes.length - MOST_LANES,
    panels: gates.left,
    thinned: gates.thinned,
    decisions: numbered.length - decisions.length,
    cut: recorded.cut,
  })
  return document(rollout, [
    drawHeader(rollout),
    ...notes.map((note) => ({ height: 16, markup: text(8, 12, note, 'small soft') })),
    drawLegend(rollout.gates.length > 0),
    withHairs(scale, decisions, charts),
    drawList(decisions),
  ])
}

/** Below one another, with the decisions' lines through all but the marks themselves. */
function withHairs(scale: TimeScale, decisions: readonly NumberedDecision[], charts: readonly Part[]): Part {
  const [marks, ...rest] = charts
  const below = stack(rest)
  if (!marks) return below
  const hairs = drawHairs(scale, decisions, below.height)
  return stack([marks, { height: below.height, markup: hairs + below.markup }])
}

function notesOf(
  left: Readonly<Record<'lanes' | 'panels' | 'decisions', number>> & Readonly<Record<'thinned' | 'cut', boolean>>,
) {
  return [
    ...(left.cut
      ? ['This rollout has more events than are read for one picture: its newest looks are not drawn.']
      : []),
    ...(left.thinned
      ? [`Looks are thinned to ${MOST_POINTS} a gate and cluster; those with the most evidence are kept.`]
      : []),
    ...(left.lanes > 0 ? [`${left.lanes} more clusters are not drawn.`] : []),
    ...(left.panels > 0
      ? [`${left.panels} more panels of gates are not drawn: they showed less evidence for harm.`]
      : []),
    ...(left.decisions > 0 ? [`${left.decisions} earlier decisions are not drawn.`] : []),
  ]
}

function document(rollout: Rollout, parts: readonly Part[]): string {
  const { height, markup } = stack(parts, GAP)
  const whole = height + 2 * GAP
  const words = `Evidence of rollout ${rollout.id}: ${serviceOfRollout(rollout.id)} to ${rollout.candidate}, ${rollout.phase}`
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${WIDTH} ${Math.ceil(whole)}`,
    width: WIDTH,
    height: Math.ceil(whole),
    role: 'img',
  }
  const style = `<style>${EVIDENCE_STYLE}</style>`
  const back = element('rect', { width: WIDTH, height: Math.ceil(whole), class: 'back' })
  const inside = element('g', { transform: `translate(0 ${GAP})` }, markup)
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('svg', attributes, title(words), style, back, inside)}\n`
}

function stack(parts: readonly Part[], gap = 0): Part {
  let height = 0
  const markup = parts
    .filter((part) => part.height > 0)
    .map((part) => {
      const placed = element('g', { transform: `translate(0 ${height})` }, part.markup)
      height += part.height + gap
      return placed
    })
    .join('')
  return { height, markup }
}
