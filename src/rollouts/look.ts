import { blindVerdict, judgeLimit, splitAlpha } from '../judge/evaluate-gate.ts'
import { providerFor } from '../mesh/registry.ts'
import type { ClusterDocument, ServiceDocument } from '../model/documents.ts'
import { type BuiltInGate, type GateSpec, type QueryGate, sourceOf, type ValueGate } from '../model/gate.ts'
import type { GateSource } from '../model/metrics.ts'
import { durationMs, timestamp } from '../model/names.ts'
import type { Counts, GateProgress, Rollout, RolloutTarget } from '../model/rollout.ts'
import { presentStep } from '../model/waves.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import { isPortError } from '../ports/port-error.ts'
import { type Blind, countByQueries, openQueries, type QueryCase } from './ask-queries.ts'
import { countRemotely } from './count-remotely.ts'
import { type CountedWindow, type WindowCounts, windowCounter } from './count-window.ts'
import { type GateTimings, timingOf, type WindowTiming } from './gate-timing.ts'
import { lookAtValue } from './look-at-value.ts'
import { addCounts, NO_COUNTS, total } from './observations.ts'
import { versionLabels } from './version-label.ts'

export interface LookInput {
  readonly service: ServiceDocument
  readonly rollout: Rollout
  readonly target: RolloutTarget
  readonly cluster: ClusterDocument
  /** Epoch milliseconds: the weight is live on this cluster since then. Nothing from before is counted. */
  readonly since: number
  readonly timings: GateTimings
  readonly now: number
}

/** What decides when a gate is due. */
type DueInput = Pick<LookInput, 'rollout' | 'since' | 'now'> & WindowTiming

export interface LookOutcome {
  readonly progress: readonly GateProgress[]
  readonly observedWeight: number | null
}

/** After a pause or an outage no more than this is counted: an answer has its limits, and a source its memory. */
const LONGEST_WINDOW_MS = 3_600_000
const SHORTEST_WINDOW_MS = 1000

/**
 * The window that a gate has yet to count on a cluster: from where its last one ended to what has surely arrived by now;
 * undefined when no look is due.
 */
export function dueWindow(input: DueInput, progress: GateProgress): CountedWindow | undefined {
  const { now, delayMs, everyMs, since, grainMs = 1, leastMs = 0 } = input
  const toMs = Math.floor((now - delayMs) / grainMs) * grainMs
  const begin = Math.max(progress.cursorMs ?? since, since, toMs - LONGEST_WINDOW_MS)
  const fromMs = Math.ceil(begin / grainMs) * grainMs
  if (toMs - fromMs < Math.max(SHORTEST_WINDOW_MS, grainMs, leastMs)) return undefined
  const sinceLook = progress.lookedAt === undefined ? everyMs : now - Date.parse(progress.lookedAt)
  const isLast = sinceLook >= SHORTEST_WINDOW_MS && endsWithin(input.rollout, fromMs, toMs)
  return sinceLook >= everyMs || isLast ? { fromMs, toMs, nowMs: now, notBeforeMs: toMs - everyMs } : undefined
}

/** Does the step, or the bake, end in this window? Then it is looked at though `every` is not over. */
function endsWithin(rollout: Rollout, fromMs: number, toMs: number): boolean {
  const end = rollout.phase === 'baking' ? bakeEnd(rollout) : stepEnd(rollout)
  return fromMs < end && toMs >= end
}

function bakeEnd({ bakeUntil }: Rollout): number {
  return bakeUntil === undefined ? Number.NaN : Date.parse(bakeUntil)
}

function stepEnd(rollout: Rollout): number {
  const { liveAt } = rollout
  const length = presentStep(rollout)?.for
  return length === undefined || liveAt === undefined ? Number.NaN : Date.parse(liveAt) + durationMs(length)
}

/** Counts what is new for every gate on one cluster and judges it. Undefined when no look is due. */
export async function look(metrics: MetricsSources, input: LookInput): Promise<LookOutcome | undefined> {
  const { rollout, target } = input
  const gates = rollout.gates.map((gate, index) => {
    const known = progressOf(rollout, index, target.cluster)
    return { gate, known, window: dueWindow({ ...input, ...timingOf(input.timings, gate) }, known) }
  })
  if (gates.every(({ window }) => window === undefined)) return undefined
  const alpha = splitAlpha(rollout.alpha, alphaParts(rollout))
  const sources = openedOnce(metrics, input)
  const looks = await Promise.all(
    gates.map(async ({ gate, known, window }) => {
      if (!window) return { progress: known }
      if (gate.kind === 'value') {
        return { progress: await lookAtValue(await sources.queries(gate), gate, known, { window, target }) }
      }
      const counts = await countFor(sources, gate, window)
      const progress = judge(known, gate, counts, { input, window, alpha })
      return gate.kind === 'counts' ? { progress } : { progress, counts }
    }),
  )
  return {
    progress: looks.map(({ progress }) => progress),
    observedWeight: observedWeight(
      looks.flatMap(({ counts }) => counts ?? []),
      target,
    ),
  }
}

interface OpenedOnce {
  counter(from: GateSource): Promise<Counter>
  queries(gate: QueryGate): Promise<QueryCase | Blind>
}

/** The sources of one cluster, each opened at most once a look. */
function openedOnce(metrics: MetricsSources, input: LookInput): OpenedOnce {
  const counters = new Map<GateSource, Promise<Counter>>()
  const cases = new Map<GateSource, Promise<QueryCase | Blind>>()
  const kept = <T>(all: Map<GateSource, Promise<T>>, from: GateSource, open: () => Promise<T>) => {
    const known = all.get(from) ?? open()
    all.set(from, known)
    return known
  }
  return {
    counter: (from) => kept(counters, from, () => openCounter(metrics, input, from)),
    queries: (gate) => kept(cases, sourceOf(gate), () => openQueries(metrics, input, gate.from ?? 'mesh')),
  }
}

/** What a gate counts in a window. The counts of one with queries may be of anything, so they tell nothing of weights. */
async function countFor(
  sources: OpenedOnce,
  gate: Exclude<GateSpec, ValueGate>,
  window: CountedWindow,
): Promise<WindowCounts> {
  if (gate.kind !== 'counts') return (await sources.counter(sourceOf(gate)))(gate, window)
  const asked = await sources.queries(gate)
  return 'ok' in asked ? asked : countByQueries(asked, gate, window)
}

/**
 * Every gate is tested anew in each step and in the bake: a harm that comes with more traffic is not thinned by the good
 * requests before it. The rollout's alpha is shared by all these tests; a gate on a value tests nothing.
 */
function alphaParts(rollout: Rollout): number {
  const tests = rollout.gates.filter((gate) => gate.kind !== 'value').length
  return Math.max(1, tests * rollout.targets.length) * (rollout.steps.length + 1)
}

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

type Counter = (gate: BuiltInGate, window: CountedWindow) => Promise<WindowCounts>

async function openCounter(
  metrics: MetricsSources,
  { service, target, cluster }: Pick<LookInput, 'service' | 'target' | 'cluster'>,
  from: GateSource,
): Promise<Counter> {
  const blind = (why: string, reason: 'NoData' | 'QueryFailed' = 'NoData'): Counter => {
    return async () => ({ ok: false, reason, why })
  }
  const provider = providerFor(cluster.mesh?.provider ?? 'istio')
  const labels = versionLabels(service.spec.versions, [target.stable, target.candidate])
  if (from === 'mesh' && !provider) return blind(`the mesh of ${cluster.name} has no gates`)
  if (!labels) return blind('no Pod label "version" and no workload name tells the versions apart in metrics')
  try {
    if (from !== 'mesh') {
      const counts = await metrics.openCounts(cluster, from)
      if (!counts) return blind(`cluster ${cluster.name} names no metrics.${from}`)
      return (gate, window) => countRemotely(counts, service, labels.values, gate, window)
    }
    const source = await metrics.open(cluster)
    if (!source || !provider) return blind(`cluster ${cluster.name} names no metrics source`)
    const count = windowCounter(source, provider, service)
    return (gate, window) => count(gate, labels, window)
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

/** One gate's progress after a look. A blind look keeps the cursor: what it missed is counted once it sees again. */
function judge(
  known: GateProgress,
  gate: Exclude<GateSpec, ValueGate>,
  counts: WindowCounts,
  { input, window, alpha }: JudgeContext,
): GateProgress {
  const { target, rollout, now } = input
  const lookedAt = timestamp(now)
  const badMeans = badMeansOf(gate)
  const ask = ({ stepCandidate, stepStable }: GateProgress) => ({
    candidate: stepCandidate,
    stable: stepStable,
    limitPercent: gate.limitPercent,
    alpha,
    minEvents: rollout.minEvents,
    previousMaxE: known.maxE,
    badMeans,
  })
  if (!counts.ok) return { ...known, lookedAt, last: blindVerdict(ask(known), counts.reason, counts.why) }
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
  if (isSilent(next, target, rollout.minEvents)) {
    const why = `stable answered ${total(next.stepStable)} requests in this step, the candidate is not seen at all`
    return { ...next, last: blindVerdict(ask(next), 'NoData', why) }
  }
  const verdict = judgeLimit(ask(next))
  return { ...next, maxE: verdict.maxE, last: verdict }
}

function badMeansOf(gate: Exclude<GateSpec, ValueGate>): string {
  if (gate.kind === 'latency') return `took longer than ${gate.overMs} ms`
  return gate.kind === 'counts' ? 'were bad' : 'failed'
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
