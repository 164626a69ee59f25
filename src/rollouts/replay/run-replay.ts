import type { ClusterDocument, ServiceDocument } from '../../model/documents.ts'
import { timestamp } from '../../model/names.ts'
import type { GateProgress, Rollout } from '../../model/rollout.ts'
import { NO_TRAFFIC } from '../../model/step.ts'
import { presentStep, waveTargets } from '../../model/waves.ts'
import type { Clock } from '../../ports/clock.ts'
import type { MetricsSources } from '../../ports/metrics.ts'
import { evidenceLacking } from '../decide-step-end.ts'
import type { GateTimings } from '../gate-timing.ts'
import { harmedClusters } from '../harmed-clusters.ts'
import { lookTogether } from '../look-together.ts'
import type { Observations } from '../observations.ts'
import { askTraffic } from '../transition.ts'
import { blindGate, gateName, placeOf } from '../weight-rules.ts'
import type { ReplayStage } from './replay-stages.ts'

export interface ReplayInput {
  readonly metrics: MetricsSources
  readonly clock: Clock
  readonly service: ServiceDocument
  /** With the gates that are to judge. */
  readonly rollout: Rollout
  readonly clusters: readonly ClusterDocument[]
  readonly stages: readonly ReplayStage[]
  readonly timings: GateTimings
  readonly everyMs: number
}

/** What one gate would have said at a cluster (`*`: at all together). */
export interface ReplayLook {
  readonly wave: number
  readonly step: number
  /** What was counted, in epoch milliseconds; absent: blind, or of all clusters together. */
  readonly counted?: { readonly fromMs: number; readonly toMs: number }
  readonly progress: GateProgress
}

/** Where the rollout would have come to something else. */
export interface ReplayPoint {
  readonly at: string
  readonly wave: number
  readonly step: number
  readonly reason: string
  readonly message: string
}

export interface ReplayRun {
  readonly looks: readonly ReplayLook[]
  /** Harm would have been called then. */
  readonly harm?: ReplayPoint & { readonly gate: number; readonly cluster: string }
  /** It would have been told on which clusters the harm is, and not on all. */
  readonly isPlaced?: boolean
  /** Ends of steps that would not have passed yet. */
  readonly held: readonly ReplayPoint[]
  /** Why it was stopped before its end. */
  readonly stopped?: string
}

/** A call of the API ends within 200 s. */
const LONGEST_RUN_MS = 150_000

/**
 * Judges the stages of the past in order, by the same looks and with the same evidence as a live rollout, up to the first
 * harm. Sources are asked for the past: what they have forgotten is blind.
 */
export async function runReplay(input: ReplayInput): Promise<ReplayRun> {
  const begin = input.clock.now()
  const looks: ReplayLook[] = []
  const held: ReplayPoint[] = []
  let rollout: Rollout = { ...input.rollout, progress: [], targets: input.rollout.targets.map(withoutEnd) }
  let before: ReplayStage | undefined
  for (const stage of input.stages) {
    rollout = enterStage(rollout, stage, before)
    before = stage
    for (const ms of lookTimes(stage, input.everyMs)) {
      if (input.clock.now() - begin > LONGEST_RUN_MS) {
        return { looks, held, stopped: `the metrics sources took longer than ${LONGEST_RUN_MS / 1000} s` }
      }
      const known = rollout.progress
      rollout = { ...rollout, progress: await progressAt(input, rollout, stage, ms) }
      looks.push(...newLooks(rollout, known, stage))
      const harm = harmIn(rollout, stage, ms)
      if (harm) return { looks, held, harm, isPlaced: harmedClusters(rollout).size > 0 }
    }
    const lack = stage.passed ? lacking(rollout, stage.toMs) : undefined
    if (lack) held.push({ at: timestamp(stage.toMs), wave: stage.wave, step: stage.step, ...lack })
  }
  return { looks, held }
}

/** In the past every cluster was still in it. */
function withoutEnd({
  out: _out,
  revision: _revision,
  match: _match,
  mirror: _mirror,
  ...target
}: Rollout['targets'][number]) {
  return { ...target, ...NO_TRAFFIC }
}

/** The rollout as it was then: counting begins anew where traffic changed, as it does when a live one asks for it. */
function enterStage(rollout: Rollout, stage: ReplayStage, before: ReplayStage | undefined): Rollout {
  let next = rollout
  for (const { cluster } of rollout.targets) {
    const now = stage.targets.find((target) => target.cluster === cluster)
    const then = before?.targets.find((target) => target.cluster === cluster)
    if (now?.sinceMs === then?.sinceMs) continue
    next = askTraffic(next, now?.traffic ?? NO_TRAFFIC, stage.fromMs, (other) => other === cluster)
  }
  const { wave, step, phase } = stage
  const placed = { ...next, ...(next.waves ? { wave } : {}), step, phase }
  const inWave = new Set(waveTargets(placed).map(({ cluster }) => cluster))
  const since = stage.targets.flatMap(({ cluster, sinceMs }) => (inWave.has(cluster) ? [sinceMs] : []))
  const { bakeUntil: _bake, resumeTo: _resume, ...rest } = placed
  return { ...rest, liveAt: timestamp(since.length === 0 ? stage.fromMs : Math.max(...since)) }
}

/** Every so often, and at the stage's end. */
export function lookTimes({ fromMs, toMs }: Pick<ReplayStage, 'fromMs' | 'toMs'>, everyMs: number): readonly number[] {
  const count = Math.max(0, Math.ceil((toMs - fromMs) / everyMs) - 1)
  return [...Array.from({ length: count }, (_, index) => fromMs + (index + 1) * everyMs), toMs]
}

async function progressAt(
  { metrics, service, clusters, timings }: ReplayInput,
  rollout: Rollout,
  stage: ReplayStage,
  now: number,
): Promise<readonly GateProgress[]> {
  const due = stage.targets.flatMap(({ cluster: name, sinceMs: since }) => {
    const cluster = clusters.find((one) => one.name === name)
    const target = rollout.targets.find((one) => one.cluster === name)
    return cluster && target ? [{ service, rollout, target, cluster, since, timings, now }] : []
  })
  return (await lookTogether(metrics, rollout, due)).progress
}

function newLooks(
  { progress }: Rollout,
  known: readonly GateProgress[],
  { wave, step, targets }: ReplayStage,
): readonly ReplayLook[] {
  return progress.flatMap((one) => {
    const old = known.find(({ gate, cluster }) => gate === one.gate && cluster === one.cluster)
    if (one === old || !one.last || one.lookedAt === old?.lookedAt) return []
    const since = targets.find(({ cluster }) => cluster === one.cluster)?.sinceMs ?? 0
    const window = one.cursorMs !== undefined && one.cursorMs !== old?.cursorMs
    const counted = window && { fromMs: Math.max(old?.cursorMs ?? 0, since), toMs: one.cursorMs }
    return [{ wave, step, progress: one, ...(counted ? { counted } : {}) }]
  })
}

function harmIn(rollout: Rollout, { wave, step }: ReplayStage, ms: number): ReplayRun['harm'] {
  const harm = rollout.progress.find(({ last }) => last?.verdict === 'harm')
  if (!harm?.last) return undefined
  const { gate, cluster, last } = harm
  const message = `${gateName(rollout, gate)} on ${placeOf(harm)}: ${last.explanation}`
  return { at: timestamp(ms), wave, step, reason: last.reason, message, gate, cluster }
}

/** Why the step would not have passed: a gate that cannot see, or knows too little. */
function lacking(rollout: Rollout, now: number): { readonly reason: string; readonly message: string } | undefined {
  const blind = blindGate(rollout)
  if (blind !== undefined) return { reason: 'Blind', message: blind }
  const step = rollout.phase === 'progressing' ? presentStep(rollout) : undefined
  return step && evidenceLacking(rollout, allReached(rollout, now), step)
}

/** Nothing tells of the past which clusters could be reached then: those that were not have no windows of their own. */
function allReached({ targets, progress }: Rollout, now: number): Observations {
  const there = { liveRevision: 0, reachable: true, stableReady: 1, candidateReady: 1, weightChanged: false }
  const seen = Object.fromEntries(targets.map(({ cluster }) => [cluster, there]))
  return { now, targets: seen, slot: true, delayMs: 0, everyMs: 0, progress, observedWeights: {} }
}
