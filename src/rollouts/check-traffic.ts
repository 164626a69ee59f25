import { refusalOfFeatures } from '../mesh/capabilities.ts'
import { rolloutFeatures } from '../mesh/features.ts'
import type { ClusterDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import type { RolloutRequest } from '../model/rollout.ts'
import type { StrategySpec } from '../model/strategy.ts'

/**
 * Can the mesh of every cluster carry what the steps and the affinity ask for? The failure names the fields, or the strategy
 * that they come from. What the mesh of a cluster is may not be known yet: its placement says so then.
 */
export function checkTraffic(
  clusters: readonly ClusterDocument[],
  strategy: Pick<StrategySpec, 'steps' | 'waves' | 'affinity'>,
  request: RolloutRequest,
): Result<undefined> {
  const features = rolloutFeatures(strategy).map(({ feature, pointer }) => {
    const field = pointer.split('/')[1] as 'steps' | 'waves' | 'affinity'
    return { feature, pointer: request[field] === undefined ? '/strategy' : pointer }
  })
  for (const { name, spec, mesh } of clusters) {
    const provider = spec.mesh?.provider ?? mesh?.provider
    const failure = provider && refusalOfFeatures(provider, features)
    if (failure) return { ok: false, failure: { ...failure, detail: `Cluster ${name}: ${failure.detail}` } }
  }
  return succeed(undefined)
}
