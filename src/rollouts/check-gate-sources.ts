import type { ClusterDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { type GateSpec, hasQueries, sourceOf } from '../model/gate.ts'
import { durationMs, formatDuration } from '../model/names.ts'
import { stepText } from '../model/step.ts'
import type { StrategySpec } from '../model/strategy.ts'
import type { MetricsSources } from '../ports/metrics.ts'

export interface SourceCheck {
  readonly clusters: readonly ClusterDocument[]
  readonly strategy: Pick<StrategySpec, 'gates' | 'steps'>
  /** The gates are the request's own, not the strategy's. */
  readonly own: boolean
}

/**
 * Does every cluster name the source of every gate? A gate on logs or on platform metrics that a cluster does not have
 * would be blind for ever. The value is warnings: of steps and looks too short for such a source.
 */
export function checkGateSources(
  metrics: MetricsSources,
  { clusters, strategy, own }: SourceCheck,
): Result<readonly string[]> {
  const warnings = new Set<string>()
  for (const [index, gate] of strategy.gates.entries()) {
    const from = sourceOf(gate)
    if (from === 'mesh') continue
    for (const { name, spec } of clusters) {
      if (spec.metrics?.[from] === undefined) return missing(gate, name, own ? `/gates/${index}/from` : '/strategy')
      const { delayMs, everyMs, grainMs = 0 } = metrics.timing(spec, from)
      const often = `every ${formatDuration(everyMs)}, ${formatDuration(delayMs)} late`
      if (everyMs < grainMs) {
        warnings.add(
          `gates from ${from} on ${name} look ${often}, but its numbers come by the ${formatDuration(grainMs)}: they look as often as these come`,
        )
      }
      const short = strategy.steps.find(
        (step) => step.for !== undefined && durationMs(step.for) < Math.max(everyMs, 2 * grainMs),
      )
      if (short) {
        warnings.add(`step ${stepText(short)} is short for gates from ${from} on ${name} (${often})`)
      }
    }
  }
  for (const twins of sameNumbers(strategy.gates, clusters)) warnings.add(twins)
  return succeed([...warnings])
}

/** Clusters that name the very same logs or metrics count one another's requests. */
function sameNumbers(gates: readonly GateSpec[], clusters: readonly ClusterDocument[]): readonly string[] {
  // Queries say for themselves whose requests they count.
  const counting = gates.filter((gate) => !hasQueries(gate))
  const sources = [...new Set(counting.map(sourceOf))].filter((from) => from !== 'mesh')
  return sources.flatMap((from) => {
    const told = clusters.map(({ name, spec }) => [name, JSON.stringify(spec.metrics?.[from])] as const)
    const twins = told.filter(([name, text]) => told.some((other) => other[0] !== name && other[1] === text))
    if (twins.length === 0) return []
    const names = twins.map(([name]) => name).join(' and ')
    return [`gates from ${from} count the same requests for ${names}: give each its own "where" in metrics.${from}`]
  })
}

function missing(gate: GateSpec, cluster: string, pointer: string) {
  const from = sourceOf(gate)
  return fail('InvalidCombination', `Cluster ${cluster} names no ${from} that a gate could count.`, {
    errors: [{ pointer, reason: `cluster ${cluster} has no metrics.${from}` }],
    hint: `Name metrics.${from} on cluster ${cluster}, or leave "from" out to count on the mesh.`,
  })
}
