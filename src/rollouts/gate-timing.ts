import type { ClusterDocument } from '../model/documents.ts'
import { type GateSpec, sourceOf } from '../model/gate.ts'
import type { GateSource } from '../model/metrics.ts'
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

/** The timing of one gate's source. */
export function timingOf(timings: GateTimings, gate: GateSpec): GateTiming {
  return timings[sourceOf(gate)] ?? MESH_TIMING
}

/**
 * One timing for a whole rollout: a step waits for the slowest source, with the window that it may not have cut yet, and
 * the next look is due as soon as the fastest is.
 */
export function overallTiming(timings: GateTimings): { delayMs: number; everyMs: number } {
  const all = Object.values(timings)
  return {
    delayMs: Math.max(...all.map(({ delayMs, grainMs = 0 }) => delayMs + grainMs)),
    everyMs: Math.min(...all.map(({ everyMs }) => everyMs)),
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
