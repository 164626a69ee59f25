import { matchesLabels } from '../model/active-freezes.ts'
import type { ClusterDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { durationMs } from '../model/names.ts'
import type { RolloutWave } from '../model/rollout.ts'
import type { StrategySpec, WaveSpec } from '../model/strategy.ts'

type Cluster = Pick<ClusterDocument, 'name' | 'spec'>

/**
 * The waves of a rollout over `clusters`; undefined when it has one for all. Each cluster goes with the first wave that it
 * fits; a wave that gets none is left out, and one with a `concurrency` becomes several that follow each other without a
 * bake. A cluster that no wave takes, or that is named and none of the service's (`known`), is a failure that names it; `own`:
 * the waves are the request's, not the strategy's.
 */
export function planWaves(
  { waves, steps }: Pick<StrategySpec, 'waves' | 'steps'>,
  clusters: readonly Cluster[],
  { known, own }: { readonly known: readonly string[]; readonly own: boolean },
): Result<readonly RolloutWave[] | undefined> {
  if (waves === undefined) return succeed(undefined)
  const unknown = waves.flatMap(({ clusters: wanted }, index) =>
    strangers(wanted, known, own ? `/waves/${index}/clusters` : '/strategy'),
  )
  if (unknown.length > 0) {
    const names = unknown.map(({ reason }) => reason).join('; ')
    return fail('UnknownReference', `A wave names a cluster that the service is not on: ${names}.`, { errors: unknown })
  }
  let left = clusters
  const planned: RolloutWave[] = []
  for (const [index, wave] of waves.entries()) {
    const chosen = left.filter((cluster) => fits(wave, cluster))
    left = left.filter((cluster) => !chosen.includes(cluster))
    const names = inOrder(wave, chosen)
    const plan = { name: wave.name ?? `wave-${index + 1}`, steps: wave.steps ?? steps, bake: wave.bake }
    planned.push(...batches(plan, names, wave.concurrency))
  }
  if (left.length === 0) return succeed(planned)
  const names = left.map(({ name }) => name).join(', ')
  return fail('InvalidCombination', `No wave takes ${names}.`, {
    errors: [{ pointer: own ? '/waves' : '/strategy', reason: `no wave takes ${names}` }],
    hint: 'Add a last wave without "clusters": it takes all that are left.',
  })
}

function strangers(wanted: WaveSpec['clusters'], known: readonly string[], pointer: string) {
  if (!Array.isArray(wanted)) return []
  return wanted
    .filter((name) => !known.includes(name))
    .map((name) => ({ pointer, reason: `the service is not on ${name}` }))
}

function fits({ clusters }: WaveSpec, cluster: Cluster): boolean {
  if (clusters === undefined) return true
  if (Array.isArray(clusters)) return clusters.includes(cluster.name)
  return matchesLabels(cluster.spec.labels, clusters.matchLabels)
}

/** As the wave names them, else as the rollout has them. */
function inOrder({ clusters }: WaveSpec, chosen: readonly Cluster[]): readonly string[] {
  const names = chosen.map(({ name }) => name)
  return Array.isArray(clusters) ? [...new Set(clusters)].filter((name) => names.includes(name)) : names
}

function batches(
  wave: { readonly name: string; readonly steps: RolloutWave['steps']; readonly bake: string | undefined },
  clusters: readonly string[],
  concurrency = clusters.length,
): readonly RolloutWave[] {
  const planned: RolloutWave[] = []
  for (let at = 0; at < clusters.length; at += concurrency) {
    const isLast = at + concurrency >= clusters.length
    const bakeMs = isLast && wave.bake !== undefined ? durationMs(wave.bake) : 0
    planned.push({ name: wave.name, clusters: clusters.slice(at, at + concurrency), steps: wave.steps, bakeMs })
  }
  return planned
}
