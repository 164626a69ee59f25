import type { ClusterDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import type { RolloutTarget } from '../model/rollout.ts'
import type { StrategySpec } from '../model/strategy.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import type { QueriedCluster } from './ask-queries.ts'
import { checkGateSources } from './check-gate-sources.ts'
import { checkLatencyGates } from './check-latency-gates.ts'
import { checkQueryGates } from './check-query-gates.ts'
import { warnAtStart } from './start-warnings.ts'

export interface GateCheck {
  /** As the rollout makes it: with the candidate among its versions. */
  readonly service: QueriedCluster['service']
  readonly targets: readonly RolloutTarget[]
  readonly clusters: readonly ClusterDocument[]
  readonly strategy: StrategySpec
  /** The gates are the request's own, not the strategy's. */
  readonly own: boolean
}

/** Can the gates of a rollout see on every cluster? The value is warnings for its caller. */
export async function checkGates(
  deps: { readonly clock: Clock; readonly metrics: MetricsSources },
  check: GateCheck,
): Promise<Result<readonly string[]>> {
  const { clusters, strategy } = check
  const { gates, steps } = strategy
  const sources = checkGateSources(deps.metrics, check)
  if (!sources.ok) return sources
  const latency = await checkLatencyGates(deps, { ...check, gates })
  if (!latency.ok) return latency
  const ahead = await warnAtStart(deps.metrics, strategy, clusters)
  const queries = await checkQueryGates(deps, { ...check, gates, steps })
  if (!queries.ok) return queries
  return succeed([...ahead, ...sources.value, ...latency.value, ...queries.value])
}
