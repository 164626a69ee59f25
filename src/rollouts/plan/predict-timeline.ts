import type { Rollout, RolloutTarget, RolloutWave } from '../../model/rollout.ts'
import { wavesOf } from '../../model/waves.ts'
import { type Hold, type HoldAt, passHolds } from './holds.ts'
import { type Place, predictStep, SHIFT_MS, type StepContext } from './predict-step.ts'
import type { StepForecast, Timeline, WaveForecast } from './timeline.ts'
import type { ServiceTraffic } from './traffic.ts'

export interface TimelineInput {
  readonly now: number
  /** At its beginning, or wherever it is; not over, nor on its way back. */
  readonly rollout: Rollout
  readonly traffic: ServiceTraffic
  /** How late samples come, by the slowest of the sources. */
  readonly delayMs: number
  readonly holdAt: HoldAt
}

/**
 * When each wave and step of a rollout begins and ends at the earliest, if its traffic stays what it is, nothing shows harm
 * and everybody answers at once; and what its gates can tell by then. Pure.
 */
export function predictTimeline(input: TimelineInput): Timeline {
  const { rollout, now } = input
  const present = rollout.wave ?? 0
  const waves: WaveForecast[] = []
  let ms = now
  for (const [index, wave] of wavesOf(rollout).entries()) {
    if (index < present) continue
    const forecast = predictWave(input, wave, { index, ms, isPresent: index === present })
    waves.push(forecast)
    ms = forecast.bakedMs
  }
  return { waves, endMs: ms }
}

const MOST_OUTLOOKS = 150

interface WaveStart {
  readonly index: number
  readonly ms: number
  readonly isPresent: boolean
}

function predictWave(input: TimelineInput, wave: RolloutWave, start: WaveStart): WaveForecast {
  const { rollout } = input
  const targets = rollout.targets.filter(({ cluster, out }) => out === undefined && wave.clusters.includes(cluster))
  const clusters = targets.map(({ cluster }) => cluster)
  const phase = start.isPresent ? phaseOf(rollout) : 'preflight'
  const steps: StepForecast[] = []
  const context: StepContext = { ...input, wave, targets, outlookOn: weakest(input, wave, targets) }
  let place: Place = { ms: start.ms, progress: rollout.progress }
  const first = phase === 'progressing' ? Math.max(0, rollout.step) : 0
  const isLeft = targets.length > 0 && !isPromoted(phase)
  for (let index = first; index < wave.steps.length && isLeft; index += 1) {
    const begun = phase === 'progressing' && index === rollout.step
    const { forecast, next } = predictStep(context, index, place, begun)
    steps.push(forecast)
    place = next
  }
  const end = predictEnd(input, {
    wave: start.index,
    bakeMs: wave.bakeMs,
    isPromoted: isPromoted(phase),
    ms: place.ms,
    clusters,
  })
  return { wave: start.index, name: wave.name, clusters, steps, ...end }
}

/**
 * The judge takes some milliseconds for each gate, step and cluster: where there are many, the clusters with the fewest
 * requests tell whether gates can decide.
 */
function weakest({ rollout, traffic }: TimelineInput, wave: RolloutWave, targets: readonly RolloutTarget[]) {
  const waves = wavesOf(rollout).length
  const each = rollout.gates.length * wave.steps.length * waves
  const requests = ({ cluster }: RolloutTarget) => traffic[cluster]?.perMinute ?? 0
  const ordered = targets
    .toSorted((a, b) => requests(a) - requests(b))
    .slice(0, Math.max(1, Math.floor(MOST_OUTLOOKS / Math.max(1, each))))
  return targets.filter((target) => ordered.includes(target))
}

/** The phase that it is in, or comes back to. */
function phaseOf({ phase, resumeTo }: Rollout): Rollout['phase'] {
  return phase === 'paused' || phase === 'blind' || phase === 'awaiting-approval' ? (resumeTo ?? 'progressing') : phase
}

function isPromoted(phase: Rollout['phase']): boolean {
  return phase === 'promoting' || phase === 'baking'
}

/**
 * All requests to the candidate, and the bake after it: the wave's own, or that of the whole after the last wave. A wave
 * without clusters has none.
 */
function predictEnd(
  { rollout, delayMs, holdAt, now }: TimelineInput,
  end: {
    readonly wave: number
    readonly bakeMs: number
    readonly isPromoted: boolean
    readonly ms: number
    readonly clusters: readonly string[]
  },
): Pick<WaveForecast, 'promoteMs' | 'bakedMs' | 'holds'> {
  const isLast = end.wave === wavesOf(rollout).length - 1
  const bakeMs = isLast ? rollout.bakeMs : end.bakeMs
  const late = rollout.gates.length > 0 ? delayMs : 0
  if (end.clusters.length === 0 && !isLast) return { promoteMs: end.ms, bakedMs: end.ms, holds: [] }
  if (end.isPromoted) {
    const liveMs = rollout.liveAt === undefined ? now + SHIFT_MS : Date.parse(rollout.liveAt)
    const bakeUntil = rollout.bakeUntil === undefined ? liveMs + bakeMs : Date.parse(rollout.bakeUntil)
    return { promoteMs: Date.parse(rollout.weightSince), bakedMs: Math.max(now, bakeUntil + late), holds: [] }
  }
  const { ms: promoteMs, holds } = passHolds(holdAt, end.ms, end.clusters)
  return { promoteMs, bakedMs: promoteMs + SHIFT_MS + bakeMs + late, holds }
}

/** Everything that holds anything in a timeline, each once. */
export function allHolds({ waves }: Timeline): readonly Hold[] {
  const all = waves.flatMap(({ steps, holds }) => [...steps.flatMap((step) => step.holds), ...holds])
  return all.filter((hold, index) => all.findIndex(({ message }) => message === hold.message) === index)
}
