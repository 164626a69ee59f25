import type { Rollout } from '../../model/rollout.ts'
import { wavesOf } from '../../model/waves.ts'
import type { Recorded, RecordedDecision, RecordedLook } from '../../rollouts/evidence/recorded.ts'
import { thin } from './thin.ts'

export interface WeightPoint {
  readonly at: number
  /** Per cents. */
  readonly weight: number
}

/** The weights of one cluster over time. */
export interface WeightLane {
  readonly cluster: string
  readonly wave: number
  /** When its wave was the present one, in epoch milliseconds; absent: it never was. */
  readonly active?: readonly [fromMs: number, toMs: number]
  /** What was asked; each holds until the next. */
  readonly asked: readonly WeightPoint[]
  /** What was seen, at the middle of each window that was counted. */
  readonly observed: readonly WeightPoint[]
}

/** What each cluster was asked and what was seen there, in the order of waves. `toMs` is where the picture ends. */
export function weightLanes(
  rollout: Rollout,
  recorded: Recorded,
  toMs: number,
  mostPoints: number,
): readonly WeightLane[] {
  return wavesOf(rollout).flatMap(({ clusters }, wave) => {
    const active = activeTime(recorded.decisions, wave, toMs)
    return clusters.map((cluster) => ({
      cluster,
      wave,
      ...(active ? { active } : {}),
      asked: askedOn(cluster, wave, recorded.decisions),
      observed: thin(observedOn(cluster, rollout, recorded.looks), mostPoints, ({ weight }) => weight),
    }))
  })
}

function activeTime(
  decisions: readonly RecordedDecision[],
  wave: number,
  toMs: number,
): readonly [number, number] | undefined {
  const waveOf = ({ transition }: RecordedDecision) => transition.wave ?? 0
  const first = decisions.find((decision) => waveOf(decision) === wave)
  if (!first) return undefined
  const next = decisions.find((decision) => decision.at >= first.at && waveOf(decision) > wave)
  return [first.at, next?.at ?? toMs]
}

/** Where a transition does not tell all weights, its own is that of its wave, and a way back takes all from everywhere. */
function askedOn(cluster: string, wave: number, decisions: readonly RecordedDecision[]): readonly WeightPoint[] {
  const points: WeightPoint[] = []
  for (const { at, transition, weights } of decisions) {
    const before = points.at(-1)?.weight ?? 0
    const ofWave = (transition.wave ?? 0) === wave ? transition.weight : before
    const weight = weights?.[cluster] ?? (transition.to === 'rolling-back' ? 0 : ofWave)
    if (points.length === 0 || weight !== before) points.push({ at, weight })
  }
  return points
}

/** The share that one gate counted: the first that counts all requests. */
function observedOn(cluster: string, { gates }: Rollout, looks: readonly RecordedLook[]): readonly WeightPoint[] {
  const gate = gates.findIndex(({ kind }) => kind === 'errors' || kind === 'latency')
  return looks.flatMap((look) => {
    if (look.gate !== gate || look.cluster !== cluster || !look.counted) return []
    const { fromMs, toMs, candidate, stable } = look.counted
    if (!candidate || !stable) return []
    const part = candidate.good + candidate.bad
    const all = part + stable.good + stable.bad
    return all < 1 ? [] : [{ at: ((fromMs ?? toMs) + toMs) / 2, weight: (part / all) * 100 }]
  })
}
