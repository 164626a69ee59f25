import { fail, type Result, succeed } from '../model/failure.ts'
import type { RolloutWave } from '../model/rollout.ts'
import type { StrategySpec } from '../model/strategy.ts'

/** What gates know takes about 3 KB each on a cluster, and a document may have 2 MB. */
const MOST_JUDGED = 400
const MOST_WAVES_BYTES = 256 * 1024

/**
 * Is there room for the rollout in its service's document, to its end? Waves stand there with their steps, and every gate
 * with what it knows of every cluster.
 */
export function checkSize(
  { gates }: Pick<StrategySpec, 'gates'>,
  waves: readonly RolloutWave[] | undefined,
  clusters: number,
): Result<undefined> {
  if (gates.length * clusters > MOST_JUDGED) {
    const count = `${gates.length} gates on ${clusters} clusters are ${gates.length * clusters}`
    return fail('InvalidCombination', `${count}; a rollout may have ${MOST_JUDGED}.`, {
      errors: [{ pointer: '/gates', reason: `times the clusters may be ${MOST_JUDGED} at most` }],
      hint: 'Use fewer gates, or a rollout for each part of the clusters.',
    })
  }
  const bytes = JSON.stringify(waves ?? []).length
  if (bytes <= MOST_WAVES_BYTES) return succeed(undefined)
  return fail('InvalidCombination', `The waves with their steps are ${bytes} characters; ${MOST_WAVES_BYTES} fit.`, {
    errors: [{ pointer: '/waves', reason: 'are too long with the steps of each' }],
    hint: 'Let more clusters go at once, or use fewer steps.',
  })
}
