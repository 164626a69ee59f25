import { blindVerdict, judgeLimit, splitAlpha } from '../judge/evaluate-gate.ts'
import { providerFor } from '../mesh/registry.ts'
import type { ClusterDocument, ServiceDocument } from '../model/documents.ts'
import { durationMs, timestamp } from '../model/names.ts'
import type { Counts, GateProgress, Rollout, RolloutTarget } from '../model/rollout.ts'
import type { GateSpec } from '../model/strategy.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import { isPortError } from '../ports/port-error.ts'
import { type CountedWindow, type WindowCounts, windowCounter } from './count-window.ts'
import { addCounts, NO_COUNTS, total } from './observations.ts'
import { versionLabels } from './version-label.ts'

export interface LookInput {
  readonly service: ServiceDocument
  readonly rollout: Rollout
  readonly target: RolloutTarget
  readonly cluster: ClusterDocument
  readonly delayMs: number
  readonly everyMs: number
  readonly now: number
}

export interface LookOutcome {
  readonly progress: readonly GateProgress[]
  readonly observedWeight: number | null
}

/**
 * The window that a gate has yet to count on a cluster: from where the last one ended to what has surely arrived by now;
 * undefined when no look is due. Nothing from before the weight was live is ever counted.
 */
export function dueWindow(input: LookInput, progress: GateProgress | undefined): CountedWindow | undefined {
  const { rollout, now, delayMs, everyMs } = input
  if (rollout.liveAt === undefined) return undefined
  const liveAt = Date.parse(rollout.liveAt)
  const fromMs = Math.max(progress?.cursorMs ?? liveAt, liveAt)
  const toMs = now - delayMs
  if (toMs - fromMs < 1000) return undefined
  const lookedAt = progress?.lookedAt === undefined ? 0 : Date.parse(progress.lookedAt)
  const isDue = now - lookedAt >= everyMs || isStepEnd(rollout, liveAt, toMs)
  return isDue ? { fromMs, toMs, notBeforeMs: toMs - everyMs } : undefined
}

function isStepEnd(rollout: Rollout, liveAt: number, toMs: number): boolean {
  if (rollout.phase === 'baking') return rollout.bakeUntil !== undefined && toMs >= Date.parse(rollout.bakeUntil)
  const step = rollout.steps[rollout.step]
  return step !== undefined && toMs >= liveAt + durationMs(step.for)
}

/** Counts what is new for every gate on one cluster and judges it. Undefined when no look is due. */
export async function look(metrics: MetricsSources, input: LookInput): Promise<LookOutcome | undefined> {
  const { rollout, target, cluster } = input
  const before = rollout.gates.map((_, gate) => progressOf(rollout, gate, target.cluster))
  const window = dueWindow(input, before[0])
  if (!window) return undefined
  const alpha = splitAlpha(rollout.alpha, alphaParts(rollout))
  const counts = await countGates(metrics, cluster, input, window)
  const progress = rollout.gates.map((gate, index) => {
    const known = before[index] ?? progressOf(rollout, index, target.cluster)
    return judge(known, gate, counts[index] ?? MISSING, { input, window, alpha })
  })
  return { progress, observedWeight: observedWeight(counts, target) }
}

/**
 * Every gate is tested anew in each step and in the bake: a harm that comes with more traffic is not thinned by the good
 * requests before it. The rollout's alpha is shared by all these tests.
 */
function alphaParts(rollout: Rollout): number {
  return Math.max(1, rollout.gates.length * rollout.targets.length) * (rollout.steps.length + 1)
}

const MISSING: WindowCounts = { ok: false, reason: 'NoData', why: 'no answer' }

function progressOf(rollout: Rollout, gate: number, cluster: string): GateProgress {
  const known = rollout.progress.find((progress) => progress.gate === gate && progress.cluster === cluster)
  return (
    known ?? {
      gate,
      cluster,
      candidate: NO_COUNTS,
      stable: NO_COUNTS,
      stepCandidate: NO_COUNTS,
      stepStable: NO_COUNTS,
      maxE: 0,
    }
  )
}

async function countGates(
  metrics: MetricsSources,
  cluster: ClusterDocument,
  { service, rollout, target }: LookInput,
  window: CountedWindow,
): Promise<readonly WindowCounts[]> {
  const blind = (why: string, reason: 'NoData' | 'QueryFailed' = 'NoData') =>
    rollout.gates.map((): WindowCounts => ({ ok: false, reason, why }))
  const provider = providerFor(cluster.mesh?.provider ?? 'istio')
  const labels = versionLabels(service.spec.versions, [target.stable, target.candidate])
  if (!provider) return blind(`the mesh of ${cluster.name} has no gates`)
  if (!labels) return blind('no Pod label "version" and no workload name tells the versions apart in metrics')
  try {
    const source = await metrics.open(cluster)
    if (!source) return blind(`cluster ${cluster.name} names no metrics source`)
    const count = windowCounter(source, provider, service, window)
    return await Promise.all(rollout.gates.map((gate) => count(gate, labels)))
  } catch (error) {
    if (!isPortError(error)) throw error
    return blind(error.message, 'QueryFailed')
  }
}

interface JudgeContext {
  readonly input: LookInput
  readonly window: CountedWindow
  readonly alpha: number
}

/** One gate's progress after a look. A blind look keeps the cursor: what it missed is counted when it can be seen again. */
function judge(
  known: GateProgress,
  gate: GateSpec,
  counts: WindowCounts,
  { input, window, alpha }: JudgeContext,
): GateProgress {
  const { target, rollout, now } = input
  const lookedAt = timestamp(now)
  const badMeans = gate.kind === 'latency' ? `took longer than ${gate.overMs} ms` : 'failed'
  const settings = {
    limitPercent: gate.limitPercent,
    alpha,
    minEvents: rollout.minEvents,
    previousMaxE: known.maxE,
    badMeans,
  }
  if (!counts.ok) {
    const question = {
      candidate: known.candidate,
      stable: known.stable,
      stepEvents: total(known.stepCandidate),
      ...settings,
    }
    return { ...known, lookedAt, last: blindVerdict(question, counts.reason, counts.why) }
  }
  const [candidate, stable] = [
    counts.byVersion[target.candidate] ?? NO_COUNTS,
    counts.byVersion[target.stable] ?? NO_COUNTS,
  ]
  const next: GateProgress = {
    ...known,
    cursorMs: window.toMs,
    lookedAt,
    candidate: addCounts(known.candidate, candidate),
    stable: addCounts(known.stable, stable),
    stepCandidate: addCounts(known.stepCandidate, candidate),
    stepStable: addCounts(known.stepStable, stable),
  }
  const question = {
    candidate: next.candidate,
    stable: next.stable,
    stepEvents: total(next.stepCandidate),
    ...settings,
  }
  if (isSilent(next, target, rollout.minEvents)) {
    const why = `stable answered ${total(next.stepStable)} requests in this step, the candidate is not seen at all`
    return { ...next, last: blindVerdict(question, 'NoData', why) }
  }
  const verdict = judgeLimit(question)
  return { ...next, maxE: verdict.maxE, last: verdict }
}

/** Stable saw so many requests that the candidate should have seen `minEvents`, yet it reports none: its metrics are missing. */
function isSilent(progress: GateProgress, target: RolloutTarget, minEvents: number): boolean {
  if (total(progress.stepCandidate) > 0 || target.weight === 0 || target.weight === 100) return false
  return (total(progress.stepStable) * target.weight) / (100 - target.weight) >= minEvents
}

function observedWeight(counts: readonly WindowCounts[], target: RolloutTarget): number | null {
  const seen = counts.find((window) => window.ok)
  if (!seen?.ok) return null
  const part = (version: string): Counts => seen.byVersion[version] ?? NO_COUNTS
  const candidate = total(part(target.candidate))
  const all = candidate + total(part(target.stable))
  return all < 1 ? null : Math.round((candidate / all) * 1000) / 10
}
