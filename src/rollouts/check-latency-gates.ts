import { edgeOf, nearestEdges } from '../judge/count-events.ts'
import { providerFor } from '../mesh/registry.ts'
import type { ClusterDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { type GateSpec, sourceOf } from '../model/gate.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import { isPortError } from '../ports/port-error.ts'

/** Buckets that were written in this time tell the edges. */
const RECENT_MS = 300_000

export interface LatencyCheck {
  readonly service: { readonly namespace: string; readonly name: string }
  readonly clusters: readonly ClusterDocument[]
  readonly gates: readonly GateSpec[]
  /** The gates are the request's own, not the strategy's. */
  readonly own: boolean
}

/**
 * Is `overMs` of every latency gate an edge of the histogram of every cluster? A gate between two edges could only guess.
 * The edges are those of the service's last buckets, else the mesh's default. The value is warnings: a source that does
 * not answer refuses nothing.
 */
export async function checkLatencyGates(
  deps: { readonly clock: Clock; readonly metrics: MetricsSources },
  { service, clusters, gates, own }: LatencyCheck,
): Promise<Result<readonly string[]>> {
  if (!gates.some(needsEdge)) return succeed([])
  const warnings: string[] = []
  for (const cluster of clusters) {
    const edges = await edgesOn(deps, service, cluster)
    if (typeof edges === 'string') {
      warnings.push(edges)
      continue
    }
    for (const [index, gate] of gates.entries()) {
      if (!needsEdge(gate) || edges.includes(gate.overMs)) continue
      const nearest = nearestEdges(edges, gate.overMs)
      const reason = `${gate.overMs} is no edge of the latency histogram on ${cluster.name}; the nearest are ${nearest.join(' and ')}`
      return fail('InvalidCombination', `Latency over ${gate.overMs} ms cannot be counted on ${cluster.name}.`, {
        errors: [{ pointer: own ? `/gates/${index}/overMs` : '/strategy', reason }],
        hint: `Use ${nearest.join(' or ')}.`,
      })
    }
  }
  return succeed(warnings)
}

/** Logs keep every duration; a histogram has but its edges. */
function needsEdge(gate: GateSpec): gate is Extract<GateSpec, { kind: 'latency' }> {
  return gate.kind === 'latency' && sourceOf(gate) === 'mesh'
}

/** Edges in milliseconds, or a warning that says why they are not known. */
async function edgesOn(
  { clock, metrics }: { readonly clock: Clock; readonly metrics: MetricsSources },
  service: LatencyCheck['service'],
  cluster: ClusterDocument,
): Promise<readonly number[] | string> {
  const provider = providerFor(cluster.mesh?.provider ?? 'istio')
  if (!provider?.latencyCounts) return `the mesh of ${cluster.name} has no latency gates`
  try {
    const source = await metrics.open(cluster)
    const { selector, unitMs = 1 } = provider.latencyCounts(service)
    const series = (await source?.samples(selector, clock.now(), RECENT_MS)) ?? []
    const all = series.map(({ labels }) => edgeOf(labels.le ?? '') * unitMs)
    const edges = new Set(all.filter((edge) => Number.isFinite(edge)))
    return edges.size === 0 ? (provider.latencyEdgesMs ?? []) : [...edges]
  } catch (error) {
    if (!isPortError(error)) throw error
    return `whether the latency gates fit the histogram of ${cluster.name} is not known: ${error.message}`
  }
}
