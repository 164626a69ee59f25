import { desiredWeights, liveRolloutOn, type WeightsSource } from './desired-weights.ts'
import type { Rollout, RolloutTarget } from './rollout.ts'
import type { RouteMatch } from './route-match.ts'

/** Who once got the candidate is told by this cookie, and gets it again. */
export interface Affinity {
  readonly cookie: string
  /** The rollout's id, so that cookies of an earlier rollout tell nothing. */
  readonly value: string
  readonly maxAgeMs: number
}

/** What reaches a candidate besides its weight. At least one of the parts is there. */
export interface CandidateRoutes {
  readonly version: string
  /** All requests that one of these fits. */
  readonly match?: readonly RouteMatch[]
  /** Whole per cents of the other requests, as copies whose answers nobody gets. */
  readonly mirror?: number
  readonly affinity?: Affinity
}

/** What a service document asks for on a cluster. */
export interface DesiredTraffic {
  /** As `desiredWeights` says. */
  readonly weights: Readonly<Record<string, number>>
  readonly candidate?: CandidateRoutes
}

/** Weights by version, and what else goes to the candidate of a live rollout; undefined when the service is not to be there. */
export function desiredTraffic(source: WeightsSource, cluster: string): DesiredTraffic | undefined {
  const weights = desiredWeights(source, cluster)
  if (!weights) return undefined
  const live = liveRolloutOn(source, cluster)
  const candidate = live && candidateRoutes(live.rollout, live.target)
  return { weights, ...(candidate ? { candidate } : {}) }
}

function candidateRoutes(rollout: Rollout, target: RolloutTarget): CandidateRoutes | undefined {
  if (rollout.phase === 'rolling-back') return undefined
  const { candidate: version, match, mirror } = target
  const affinity = affinityOf(rollout, target)
  if (!match && mirror === undefined && !affinity) return undefined
  return {
    version,
    ...(match ? { match } : {}),
    ...(mirror === undefined ? {} : { mirror }),
    ...(affinity ? { affinity } : {}),
  }
}

/** While everyone gets the same version there is nothing to remember. */
function affinityOf({ id, affinity }: Rollout, { weight }: RolloutTarget): Affinity | undefined {
  if (!affinity || weight < 1 || weight > 99) return undefined
  return { cookie: affinity.cookie, value: id, maxAgeMs: affinity.maxAgeMs }
}
