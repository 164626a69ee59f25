import { findCondition } from '../model/condition.ts'
import { durationMs, formatDuration } from '../model/names.ts'
import type { RolloutTarget } from '../model/rollout.ts'
import type { StrategySpec } from '../model/strategy.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import type { Store } from '../ports/store.ts'

/** What the caller should know at the start: gates that will be blind, steps too short for their source, clusters out of reach. */
export async function warnAtStart(
  deps: { readonly store: Store; readonly metrics: MetricsSources },
  strategy: StrategySpec,
  plan: { readonly targets: readonly RolloutTarget[] },
): Promise<readonly string[]> {
  const warnings: string[] = []
  for (const { cluster: name } of plan.targets) {
    const cluster = (await deps.store.read('cluster', name))?.value
    if (!cluster) continue
    if (cluster.spec.mode === 'observe') warnings.push(`cluster ${name} is in observe: nothing is written there`)
    if (findCondition(cluster.conditions, 'Reachable')?.status === 'False')
      warnings.push(`cluster ${name} cannot be reached now`)
    if (strategy.gates.length === 0) continue
    if (!cluster.spec.metrics) warnings.push(`cluster ${name} names no metrics source: its gates are blind`)
    const { delayMs, everyMs } = deps.metrics.timing(cluster.spec)
    const short = strategy.steps.find((step) => durationMs(step.for) < everyMs)
    if (short)
      warnings.push(
        `step ${short.weight} % for ${short.for} is shorter than a look at the metrics of ${name} (every ${formatDuration(everyMs)}, ${formatDuration(delayMs)} late)`,
      )
  }
  return warnings
}
