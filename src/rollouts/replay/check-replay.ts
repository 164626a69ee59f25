import type { ClusterDocument, ServiceDocument } from '../../model/documents.ts'
import { fail, type Result, succeed } from '../../model/failure.ts'
import type { ReplayRequest } from '../../model/replay.ts'
import type { Rollout } from '../../model/rollout.ts'
import type { Clock } from '../../ports/clock.ts'
import type { MetricsSources } from '../../ports/metrics.ts'
import type { Store } from '../../ports/store.ts'
import { checkGateSources } from '../check-gate-sources.ts'
import { checkLatencyGates } from '../check-latency-gates.ts'
import { checkQueryGates } from '../check-query-gates.ts'
import { resolveGates } from '../ready-gates.ts'

export interface ReplayCheck {
  readonly rollout: Rollout
  readonly service: ServiceDocument
  readonly request: ReplayRequest
}

export interface CheckedReplay {
  /** With what is to judge it. */
  readonly rollout: Rollout
  /** Those that are asked for and registered still. */
  readonly clusters: readonly ClusterDocument[]
}

/** Can the past of a rollout be judged so? Gates are refused for what a start would refuse them for. */
export async function checkReplay(
  deps: { readonly store: Store; readonly clock: Clock; readonly metrics: MetricsSources },
  { rollout, service, request }: ReplayCheck,
): Promise<Result<CheckedReplay>> {
  const own = request.gates !== undefined
  const gates = resolveGates(request.gates ?? rollout.gates, own)
  if (!gates.ok) return gates
  if (gates.value.length === 0) {
    return fail('InvalidCombination', 'The rollout had no gates and none are given.', {
      errors: [{ pointer: '/gates', reason: 'is required, for the rollout had none' }],
    })
  }
  const clusters = await clustersOf(deps.store, rollout, request.clusters)
  if (!clusters.ok) return clusters
  const { targets, steps } = rollout
  const check = { service, targets, clusters: clusters.value, gates: gates.value, steps, own }
  const sources = checkGateSources(deps.metrics, { ...check, strategy: { gates: [...gates.value], steps: [...steps] } })
  if (!sources.ok) return sources
  const latency = await checkLatencyGates(deps, check)
  if (!latency.ok) return latency
  const queries = await checkQueryGates(deps, check)
  if (!queries.ok) return queries
  const { alpha = rollout.alpha, minEvents = rollout.minEvents } = request
  return succeed({ rollout: { ...rollout, gates: gates.value, alpha, minEvents }, clusters: clusters.value })
}

async function clustersOf(
  store: Store,
  { targets }: Rollout,
  wanted: readonly string[] | undefined,
): Promise<Result<readonly ClusterDocument[]>> {
  const names = targets.map(({ cluster }) => cluster)
  const unknown = (wanted ?? []).filter((name) => !names.includes(name))
  if (unknown.length > 0) {
    const errors = unknown.map((name) => ({ pointer: '/clusters', reason: `the rollout was not on ${name}` }))
    return fail('UnknownReference', `The rollout was not on ${unknown.join(', ')}.`, { errors })
  }
  const found = await Promise.all((wanted ?? names).map((name) => store.read('cluster', name)))
  return succeed(found.flatMap((stored) => stored?.value ?? []))
}
