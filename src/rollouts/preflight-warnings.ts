import { providerFor } from '../mesh/registry.ts'
import { type ClusterDocument, keyOf, type PlacementDocument, type ServiceDocument } from '../model/documents.ts'
import { formatDuration } from '../model/names.ts'
import type { Rollout, RolloutTarget } from '../model/rollout.ts'
import type { MetricsSource, MetricsSources } from '../ports/metrics.ts'
import { isPortError } from '../ports/port-error.ts'
import { increasesOf } from './count-window.ts'

/** What is known of one target of a rollout. */
export interface TargetPart {
  readonly target: RolloutTarget
  readonly placement: PlacementDocument | undefined
  readonly cluster: ClusterDocument | undefined
}

/** Requests of this time before the first step tell who calls. */
const RECENT_MS = 300_000

/**
 * What people should know before the first step, of each cluster that could take it now: what reconcile saw of selectors,
 * and callers outside the mesh. Nothing here stops a rollout: a metrics source that does not answer is a warning too.
 */
export async function preflightWarnings(
  metrics: MetricsSources,
  service: ServiceDocument,
  rollout: Rollout,
  parts: readonly TargetPart[],
  now: number,
): Promise<readonly string[]> {
  if (rollout.phase !== 'pending' && rollout.phase !== 'preflight') return []
  const warnings = await Promise.all(
    parts.map(async ({ target, placement, cluster }) => {
      if (!cluster || !placement || placement.liveRevision < rollout.revision) return []
      if ((placement.versions[target.candidate]?.ready ?? 0) === 0) return []
      const seen = (placement.preflight?.warnings ?? []).map((warning) => `${cluster.name}: ${warning}`)
      const outside = await warnOfOutsideCallers(metrics, service, cluster, now)
      return outside === undefined ? seen : [...seen, outside]
    }),
  )
  return warnings.flat()
}

/** Callers outside the mesh know no weights: they get any Pod of the Service, of the candidate too. */
async function warnOfOutsideCallers(
  metrics: MetricsSources,
  service: ServiceDocument,
  cluster: ClusterDocument,
  now: number,
): Promise<string | undefined> {
  const provider = providerFor(cluster.mesh?.provider ?? 'istio')
  if (!provider?.outsideCounts || !provider.requestCounts) return undefined
  try {
    const source = await metrics.open(cluster)
    if (!source) return undefined
    const query = provider.outsideCounts?.(service)
    if (!query)
      return `${cluster.name}: requests that come past the mesh are counted by nobody; they reach any Pod of the Service`
    const outside = await recentRequests(source, query.selector, now)
    if (outside <= 0) return undefined
    const all = await recentRequests(source, provider.requestCounts(service).selector, now)
    const share = `${percent(outside, all)} of the requests to ${keyOf(service)} in the last ${formatDuration(RECENT_MS)}`
    return `${cluster.name}: ${share} came from outside the mesh; they reach the candidate at any weight`
  } catch (error) {
    if (!isPortError(error)) throw error
    return `${cluster.name}: whether callers outside the mesh reach the candidate is not known: ${error.message}`
  }
}

async function recentRequests(source: MetricsSource, selector: string, now: number): Promise<number> {
  const window = { fromMs: now - RECENT_MS, toMs: now, nowMs: now, notBeforeMs: now - RECENT_MS }
  const { series } = await increasesOf(source, selector, window)
  return series.reduce((sum, { increase }) => sum + increase, 0)
}

/** The second question is asked a moment later, so the part may seem more than the whole. */
function percent(part: number, whole: number): string {
  const share = Math.min(1, part / Math.max(part, whole)) * 100
  return share < 0.1 ? 'less than 0.1 %' : `${Math.round(share * 10) / 10} %`
}
