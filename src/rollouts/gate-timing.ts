import type { ClusterDocument } from '../model/documents.ts'
import { type GateSpec, hasQueries, queryEvery, sourceOf } from '../model/gate.ts'
import type { GateSource } from '../model/metrics.ts'
import { durationMs } from '../model/names.ts'
import type { GateTiming, MetricsSources } from '../ports/metrics.ts'

const MESH_TIMING: GateTiming = { delayMs: 30_000, everyMs: 10_000 }

/** How late and how often, by the sources that a rollout's gates use: of each source, its slowest cluster. */
export type GateTimings = Readonly<Partial<Record<GateSource, GateTiming>>>

/** No gates: the mesh's, for what is asked of it without gates. */
export function gateTimings(
  metrics: MetricsSources,
  gates: readonly GateSpec[],
  clusters: readonly ClusterDocument[],
): GateTimings {
  const sources = new Set<GateSource>(gates.length === 0 ? ['mesh'] : gates.map(sourceOf))
  return Object.fromEntries([...sources].map((source) => [source, slowest(metrics, clusters, source)]))
}

/** How late and how often one gate looks, and how long its windows are at least (absent: as its source has it). */
export interface WindowTiming extends GateTiming {
  readonly leastMs?: number
}

/**
 * The timing of one gate: its source's; one with queries looks as often as it says, no oftener than its source, and at
 * windows of that length: counters that are asked for what they rose by want some samples in each.
 */
export function timingOf(timings: GateTimings, gate: GateSpec): WindowTiming {
  const source = timings[sourceOf(gate)] ?? MESH_TIMING
  if (!hasQueries(gate)) return source
  const everyMs = Math.max(source.everyMs, durationMs(queryEvery(gate)))
  return { ...source, everyMs, leastMs: everyMs }
}

/**
 * One timing for a whole rollout: a step waits for the slowest source, with the window that it may not have cut yet, and
 * the next look is due as soon as the fastest gate is.
 */
export function overallTiming(timings: GateTimings, gates: readonly GateSpec[]): { delayMs: number; everyMs: number } {
  const all = Object.values(timings)
  const every = gates.length === 0 ? all : gates.map((gate) => timingOf(timings, gate))
  return {
    delayMs: Math.max(...all.map(({ delayMs, grainMs = 0 }) => delayMs + grainMs)),
    everyMs: Math.min(...every.map(({ everyMs }) => everyMs)),
  }
}

function slowest(metrics: MetricsSources, clusters: readonly ClusterDocument[], source: GateSource): GateTiming {
  const timings = clusters.map(({ spec }) => metrics.timing(spec, source))
  if (timings.length === 0) return MESH_TIMING
  const grainMs = Math.max(...timings.map((timing) => timing.grainMs ?? 0))
  return {
    delayMs: Math.max(...timings.map(({ delayMs }) => delayMs)),
    everyMs: Math.max(...timings.map(({ everyMs }) => everyMs)),
    ...(grainMs === 0 ? {} : { grainMs }),
  }
}
