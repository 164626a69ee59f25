import type { ServiceDocument } from './documents.ts'
import { isTerminal, type Rollout, type RolloutTarget } from './rollout.ts'

/** The part of a service document that decides weights. */
export type WeightsSource = Pick<ServiceDocument, 'spec' | 'targets' | 'rollouts'>

/** The live rollout of a service on a cluster, with its target there. There is one at most: their clusters never overlap. */
export function liveRolloutOn(
  service: Pick<ServiceDocument, 'rollouts'>,
  cluster: string,
): { readonly rollout: Rollout; readonly target: RolloutTarget } | undefined {
  for (const rollout of service.rollouts) {
    const target = rollout.targets.find((target) => target.cluster === cluster)
    if (target && !isTerminal(rollout.phase)) return { rollout, target }
  }
  return undefined
}

/**
 * Whole per cents by version that a service document asks for on a cluster, with the sum 100; undefined when the service
 * is not to be there. A live rollout decides alone: its candidate is named even at 0, so that a step changes weights and
 * nothing else, and rolling back takes all from it. Else the pinned weights of the spec, else all to stable.
 */
export function desiredWeights(source: WeightsSource, cluster: string): Readonly<Record<string, number>> | undefined {
  const placed = source.targets[cluster]
  if (!placed) return undefined
  const live = liveRolloutOn(source, cluster)
  if (live) {
    const { stable, candidate } = live.target
    const weight = live.rollout.phase === 'rolling-back' ? 0 : live.target.weight
    return { [stable]: 100 - weight, [candidate]: weight }
  }
  return source.spec.traffic?.weights ?? { [placed.stable]: 100 }
}
