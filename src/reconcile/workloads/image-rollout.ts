import { liveRolloutOn } from '../../model/desired-weights.ts'
import type { PlacementDocument, ServiceDocument } from '../../model/documents.ts'
import { type RetiredVersion, retiredOn } from '../../model/retired.ts'
import type { Rollout, RolloutTarget } from '../../model/rollout.ts'
import { wavesOf } from '../../model/waves.ts'
import type { PlannedService } from '../situation.ts'

/** A live rollout whose candidate is made from an image, on one cluster. */
export interface ImageRollout {
  readonly rollout: Rollout
  readonly target: RolloutTarget
  readonly image: NonNullable<Rollout['image']>
  /** Name of the candidate's Deployment. */
  readonly name: string
}

/**
 * The rollout by `image` that wants Pods of its candidate on a cluster: from preflight of the cluster's wave until the end
 * or the way back. Undefined when there is none.
 */
export function imageRolloutOn(
  service: Pick<PlannedService, 'rollouts' | 'spec'>,
  cluster: string,
): ImageRollout | undefined {
  const live = liveRolloutOn(service, cluster)
  const image = live?.rollout.image
  if (!live || !image) return undefined
  const { rollout, target } = live
  const name = service.spec.versions[target.candidate]?.workload
  const phase = rollout.phase === 'paused' ? rollout.resumeTo : rollout.phase
  if (name === undefined || phase === 'pending' || phase === 'rolling-back' || !isReached(rollout, target))
    return undefined
  return { rollout, target, image, name }
}

/** Is the cluster in the present wave or an earlier one, and does the rollout go on there? */
function isReached(rollout: Rollout, { cluster, out }: RolloutTarget): boolean {
  const reached = wavesOf(rollout).slice(0, (rollout.wave ?? 0) + 1)
  return out === undefined && reached.some(({ clusters }) => clusters.includes(cluster))
}

/** Retired versions of which the placement does not tell yet what became of them. */
export function pendingRetired(
  service: Pick<ServiceDocument, 'spec' | 'targets' | 'rollouts' | 'retired'>,
  placement: Pick<PlacementDocument, 'scaledDown'> | undefined,
  cluster: string,
): readonly RetiredVersion[] {
  const known = placement?.scaledDown ?? []
  return retiredOn(service, cluster).filter(
    ({ version, rollout }) => !known.some((other) => other.version === version && other.rollout === rollout),
  )
}
