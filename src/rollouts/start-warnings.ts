import { findCondition } from '../model/condition.ts'
import type { ClusterDocument } from '../model/documents.ts'
import { sourceOf } from '../model/gate.ts'
import { durationMs, formatDuration } from '../model/names.ts'
import { stepText } from '../model/step.ts'
import type { StrategySpec } from '../model/strategy.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import { isPortError } from '../ports/port-error.ts'

/** What the caller should know at the start: gates that will be blind, steps too short for their source, clusters out of reach. */
export async function warnAtStart(
  metrics: MetricsSources,
  strategy: StrategySpec,
  clusters: readonly ClusterDocument[],
): Promise<readonly string[]> {
  const warnings = await Promise.all(clusters.map((cluster) => warnAbout(metrics, strategy, cluster)))
  return warnings.flat()
}

async function warnAbout(
  metrics: MetricsSources,
  strategy: StrategySpec,
  cluster: ClusterDocument,
): Promise<readonly string[]> {
  const { name } = cluster
  const warnings: string[] = []
  if (findCondition(cluster.conditions, 'Reachable')?.status === 'False') {
    warnings.push(`cluster ${name} cannot be reached now`)
  }
  // Gates on other sources have a check of their own.
  if (!strategy.gates.some((gate) => sourceOf(gate) === 'mesh')) return warnings
  const blind = await whyBlind(metrics, cluster)
  if (blind) warnings.push(`the gates on ${name} are blind: ${blind}`)
  const { delayMs, everyMs } = metrics.timing(cluster.spec)
  const short = strategy.steps.find((step) => step.for !== undefined && durationMs(step.for) < everyMs)
  if (short) {
    const source = `every ${formatDuration(everyMs)}, ${formatDuration(delayMs)} late`
    warnings.push(`step ${stepText(short)} is shorter than a look at the metrics of ${name} (${source})`)
  }
  return warnings
}

async function whyBlind(metrics: MetricsSources, cluster: ClusterDocument): Promise<string | undefined> {
  try {
    return (await metrics.open(cluster)) ? undefined : 'the cluster names no metrics source'
  } catch (error) {
    if (!isPortError(error)) throw error
    return error.message
  }
}
