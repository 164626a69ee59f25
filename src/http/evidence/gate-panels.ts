import { shareInterval } from '../../judge/limit-test.ts'
import { gateText } from '../../model/gate.ts'
import type { Counts, Rollout, ValueSeen, Verdict } from '../../model/rollout.ts'
import type { Recorded, RecordedLook } from '../../rollouts/evidence/recorded.ts'
import { thin } from './thin.ts'

/** A share of bad events in 0..1 and its confidence sequence. */
export interface SharePoint {
  readonly share: number
  readonly low: number
  readonly high: number
}

export interface GatePoint {
  readonly at: number
  /** Points of different stretches are not joined: counting began anew between them. */
  readonly stretch: string
  /** Absent: no requests yet. */
  readonly candidate?: SharePoint
  readonly stable?: SharePoint
  /** Of a gate on a value: in place of shares and evidence. */
  readonly value?: ValueSeen
  readonly eValue: number
  /** 1/alpha: harm is called there. */
  readonly bar: number
}

/** A time in which a gate said the same, with what it said last. */
export interface VerdictSpan {
  readonly fromMs: number
  readonly toMs: number
  readonly verdict: Verdict
  readonly words: string
}

/** What one gate saw on one cluster. */
export interface GatePanel {
  readonly gate: string
  readonly cluster: string
  /** In 0..1; absent: the gate is on a value, with bounds of its own. */
  readonly limit?: number
  readonly points: readonly GatePoint[]
  readonly verdicts: readonly VerdictSpan[]
}

export interface GatePanels {
  readonly panels: readonly GatePanel[]
  /** Panels of gates and clusters that told less, which were left out. */
  readonly left: number
  /** Looks were left out of a panel. */
  readonly thinned: boolean
}

/** What gates saw, a panel for each gate on each cluster; where there are too many, those with the most evidence for harm. */
export function gatePanels(
  rollout: Rollout,
  { looks }: Recorded,
  { mostPanels, mostPoints }: { readonly mostPanels: number; readonly mostPoints: number },
): GatePanels {
  const groups = [...grouped(looks).values()]
  const most = [...groups].sort((a, b) => weightOf(b) - weightOf(a)).slice(0, mostPanels)
  const drawn = groups.filter((group) => most.includes(group))
  return {
    panels: drawn.map((group) => panelOf(rollout, group, mostPoints)),
    left: groups.length - drawn.length,
    thinned: drawn.some((group) => group.length > mostPoints),
  }
}

function grouped(looks: readonly RecordedLook[]): ReadonlyMap<string, RecordedLook[]> {
  const groups = new Map<string, RecordedLook[]>()
  for (const look of looks) {
    const key = `${String(look.gate).padStart(3)} ${look.cluster}`
    const group = groups.get(key)
    if (group) group.push(look)
    else groups.set(key, [look])
  }
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Harm before all else, then the highest evidence. */
function weightOf(looks: readonly RecordedLook[]): number {
  return looks.reduce((most, { verdict }) => {
    const weight = verdict.verdict === 'harm' ? Number.POSITIVE_INFINITY : verdict.eValue * verdict.alpha
    return Math.max(most, weight)
  }, 0)
}

function panelOf(rollout: Rollout, looks: readonly RecordedLook[], mostPoints: number): GatePanel {
  const [first] = looks
  const spec = first && rollout.gates[first.gate]
  const limit = spec && 'limitPercent' in spec ? spec.limitPercent / 100 : undefined
  const kept = thin(looks, mostPoints, ({ verdict }) => (verdict.verdict === 'harm' ? 1e300 : verdict.eValue))
  return {
    gate: spec ? gateText(spec) : `gate ${first?.gate}`,
    cluster: first?.cluster ?? '',
    ...(limit === undefined ? {} : { limit }),
    points: kept.map(pointOf),
    verdicts: spansOf(looks),
  }
}

function pointOf(look: RecordedLook): GatePoint {
  const { at, verdict } = look
  const { candidate, stable, interval, alpha, eValue, dispersion = 1 } = verdict
  const own = shareOf(candidate, () => interval)
  const weighed = { good: stable.good / dispersion, bad: stable.bad / dispersion }
  const other = shareOf(stable, () => shareInterval(weighed, alpha))
  return {
    at,
    stretch: stretchOf(look),
    ...(own ? { candidate: own } : {}),
    ...(other ? { stable: other } : {}),
    ...(verdict.value ? { value: verdict.value } : {}),
    eValue,
    bar: alpha > 0 ? 1 / alpha : Number.POSITIVE_INFINITY,
  }
}

function shareOf({ good, bad }: Counts, interval: () => readonly [number, number]): SharePoint | undefined {
  if (good + bad === 0) return undefined
  const [low, high] = interval()
  return { share: bad / (good + bad), low, high }
}

/** Counting begins anew with each step, and with the traffic after the last one. */
function stretchOf({ wave, step, asked }: RecordedLook): string {
  return `${wave} ${step} ${asked}`
}

function spansOf(looks: readonly RecordedLook[]): readonly VerdictSpan[] {
  const spans: VerdictSpan[] = []
  let stretch = ''
  for (const look of looks) {
    const { at, counted, verdict } = look
    const last = spans.at(-1)
    const goesOn = last?.verdict === verdict.verdict && stretch === stretchOf(look)
    stretch = stretchOf(look)
    const span = { toMs: at, verdict: verdict.verdict, words: verdict.explanation }
    if (last && goesOn) spans[spans.length - 1] = { ...span, fromMs: last.fromMs }
    else spans.push({ ...span, fromMs: Math.max(counted?.fromMs ?? at, last?.toMs ?? 0) })
  }
  return spans
}

/** Points in the stretches in which they were counted together. */
export function stretchesOf(points: readonly GatePoint[]): readonly (readonly GatePoint[])[] {
  const stretches: GatePoint[][] = []
  for (const point of points) {
    const last = stretches.at(-1)
    if (last && last[0]?.stretch === point.stretch) last.push(point)
    else stretches.push([point])
  }
  return stretches
}
