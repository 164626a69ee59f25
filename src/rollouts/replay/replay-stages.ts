import type { Rollout } from '../../model/rollout.ts'
import { ALL_TRAFFIC, type CandidateTraffic, NO_TRAFFIC, trafficAt } from '../../model/step.ts'
import { isExposed, wavesOf } from '../../model/waves.ts'
import type { Recorded, RecordedDecision, RecordedLook } from '../evidence/recorded.ts'

/** A stretch of a rollout's past between two decisions. Times are epoch milliseconds. */
export interface ReplayStage {
  readonly fromMs: number
  readonly toMs: number
  readonly wave: number
  readonly step: number
  readonly phase: 'progressing' | 'promoting' | 'baking'
  /** The clusters that gave the candidate something then. */
  readonly targets: readonly StageTarget[]
  /** The rollout let the step, the wave or the bake pass at its end. */
  readonly passed: boolean
}

export interface StageTarget {
  readonly cluster: string
  readonly traffic: CandidateTraffic
  /** Its traffic was live there since then. */
  readonly sinceMs: number
}

/** From a change of traffic to its being live, where no look tells. */
const SHIFT_MS = 10_000

const PASSED: readonly string[] = ['StepPassed', 'StepsPassed', 'WavePassed', 'Baked', 'NextRollout']

/**
 * The stages of a rollout's past in which the candidate got something, from what is recorded of it. `toMs` ends the last one
 * of a rollout that is live.
 */
export function replayStages(rollout: Rollout, recorded: Recorded, toMs: number): readonly ReplayStage[] {
  const stages: ReplayStage[] = []
  let targets: readonly StageTarget[] = []
  for (const [index, decision] of recorded.decisions.entries()) {
    const next = recorded.decisions[index + 1]
    targets = targetsAfter(rollout, decision, targets, recorded.looks, next?.at ?? toMs)
    const { wave = 0, step, to } = decision.transition
    const endMs = next?.at ?? toMs
    if (targets.length === 0 || endMs <= decision.at || isOver(to)) continue
    const passed = next !== undefined && PASSED.includes(next.transition.reason)
    const phase = to === 'baking' || to === 'promoting' ? to : 'progressing'
    stages.push({ fromMs: decision.at, toMs: endMs, wave, step, phase, targets, passed })
  }
  return stages
}

function isOver(phase: Rollout['phase']): boolean {
  return phase === 'rolling-back' || ['succeeded', 'rolled-back', 'aborted', 'superseded', 'failed'].includes(phase)
}

/** What each cluster has after a decision; one whose traffic did not change keeps it. */
function targetsAfter(
  rollout: Rollout,
  decision: RecordedDecision,
  before: readonly StageTarget[],
  looks: readonly RecordedLook[],
  untilMs: number,
): readonly StageTarget[] {
  return rollout.targets.flatMap(({ cluster }) => {
    const known = before.find((target) => target.cluster === cluster)
    const traffic = trafficOn(rollout, cluster, decision, known?.traffic ?? NO_TRAFFIC)
    if (!isExposed(traffic)) return []
    if (known && JSON.stringify(known.traffic) === JSON.stringify(traffic)) return [known]
    return [{ cluster, traffic, sinceMs: liveSince(cluster, decision.at, looks, untilMs) }]
  })
}

/** Weights are told by the decision, else they are those of its wave; matches and copies are told by the step. */
function trafficOn(
  rollout: Rollout,
  cluster: string,
  { transition, weights }: RecordedDecision,
  before: CandidateTraffic,
): CandidateTraffic {
  const index = transition.wave ?? 0
  const wave = wavesOf(rollout)[index]
  const inWave = wave?.clusters.includes(cluster) === true
  if (transition.to === 'rolling-back') return NO_TRAFFIC
  const weight = weights?.[cluster] ?? (inWave ? transition.weight : before.weight)
  if (!wave || !inWave) return weight === before.weight ? before : { weight }
  const asked = transition.step < 0 ? NO_TRAFFIC : trafficAt(wave.steps, transition.step)
  if (weight === asked.weight) return asked
  return weight >= 100 ? ALL_TRAFFIC : { weight }
}

/** The first window that was counted there tells since when the traffic was live. */
function liveSince(cluster: string, fromMs: number, looks: readonly RecordedLook[], untilMs: number): number {
  const begins = looks.flatMap(({ cluster: own, counted }) => {
    const begin = counted?.fromMs
    return own === cluster && begin !== undefined && begin >= fromMs && begin < untilMs ? [begin] : []
  })
  return begins.length === 0 ? fromMs + SHIFT_MS : Math.min(...begins)
}
