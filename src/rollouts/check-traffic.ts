import { BUILT_PROVIDERS, refusalOfFeatures } from '../mesh/capabilities.ts'
import { rolloutFeatures } from '../mesh/features.ts'
import type { ClusterDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import type { RolloutRequest } from '../model/rollout.ts'
import type { StrategySpec } from '../model/strategy.ts'

/**
 * Can the mesh of every cluster carry what the steps, the affinity and the gates ask for? The failure names the fields, or the strategy
 * that they come from. What the mesh of a cluster is may not be known yet: its placement says so then.
 */
export function checkTraffic(
  clusters: readonly ClusterDocument[],
  strategy: Pick<StrategySpec, 'steps' | 'waves' | 'affinity' | 'gates'>,
  request: RolloutRequest,
): Result<undefined> {
  const features = rolloutFeatures(strategy).map(({ feature, pointer }) => {
    const field = pointer.split('/')[1] as 'steps' | 'waves' | 'affinity' | 'gates'
    return { feature, pointer: request[field] === undefined ? '/strategy' : pointer }
  })
  for (const { name, spec, mesh } of clusters) {
    const provider = spec.mesh?.provider ?? mesh?.provider
    // Nothing can be counted where nothing is written yet.
    const isBuilt = provider !== undefined && BUILT_PROVIDERS.includes(provider)
    const asked = features.filter(({ feature }) => isBuilt || !feature.startsWith('gates.'))
    const failure = provider && refusalOfFeatures(provider, asked)
    if (failure) return { ok: false, failure: { ...failure, detail: `Cluster ${name}: ${failure.detail}` } }
  }
  return succeed(undefined)
}
