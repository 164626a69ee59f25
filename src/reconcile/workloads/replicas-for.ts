import type { CandidateTraffic } from '../../model/step.ts'
import type { ImageRollout } from './image-rollout.ts'

/**
 * How many Pods the candidate needs for what it gets, out of those that stable has (or had at the start); one at least, for
 * it is about to get something. How many requests a match takes is not known, so that counts as all of them.
 */
export function replicasFor({ image, target }: Pick<ImageRollout, 'image' | 'target'>, stable: number): number {
  const share = image.replicas === 'equal' ? 100 : shareOf(target)
  return Math.max(1, Math.ceil((stable * share) / 100))
}

/** Per cent. */
function shareOf({ weight, match, mirror = 0 }: CandidateTraffic): number {
  return match ? 100 : Math.max(weight, mirror)
}
