import { providerFor } from '../mesh/registry.ts'
import type { ClusterDocument, ServiceDocument } from '../model/documents.ts'
import { type BuiltInGate, type GateSpec, type QueryGate, sourceOf, type ValueGate } from '../model/gate.ts'
import type { GateSource } from '../model/metrics.ts'
import { durationMs } from '../model/names.ts'
import type { Counts, GateProgress, Rollout, RolloutTarget } from '../model/rollout.ts'
import { presentStep } from '../model/waves.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import { isPortError } from '../ports/port-error.ts'
import { type Blind, countByQueries, openQueries, type QueryCase } from './ask-queries.ts'
import { countRemotely } from './count-remotely.ts'
import { type CountedWindow, type WindowCounts, windowCounter } from './count-window.ts'
import { afterLook, progressOf } from './gate-progress.ts'
import { type GateTimings, timingOf, type WindowTiming } from './gate-timing.ts'
import { lookAtValue } from './look-at-value.ts'
import { NO_COUNTS, total } from './observations.ts'
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
  const end = rollout.bakeUntil === undefined ? stepEnd(rollout) : bakeEnd(rollout)
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
  const sources = openedOnce(metrics, input)
  const looks = await Promise.all(
    gates.map(async ({ gate, known, window }) => {
      if (!window) return { progress: known }
      if (gate.kind === 'value') {
        return { progress: await lookAtValue(await sources.queries(gate), gate, known, { window, target }) }
      }
      const counts = await countFor(sources, gate, window)
      const progress = afterLook(known, counts, { rollout, target, gate, window, now: input.now })
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
  const names = [target.stable, target.candidate]
  const own = from === 'mesh' ? provider?.versionLabels?.(service, names) : undefined
  const labels = own ?? versionLabels(service.spec.versions, names)
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

function observedWeight(counts: readonly WindowCounts[], target: RolloutTarget): number | null {
  const seen = counts.find((window) => window.ok)
  if (!seen?.ok) return null
  const part = (version: string): Counts => seen.byVersion[version] ?? NO_COUNTS
  const candidate = total(part(target.candidate))
  const all = candidate + total(part(target.stable))
  return all < 1 ? null : Math.round((candidate / all) * 1000) / 10
}
