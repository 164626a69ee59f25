import { desiredWeights, type WeightsSource } from './desired-weights.ts'
import type { ServiceDocument } from './documents.ts'

/** A version that a rollout by `image` left without requests on a cluster: its Deployment is to be scaled to 0. */
export interface RetiredVersion {
  readonly version: string
  /** By which its Pods were known when the rollout ended. */
  readonly labels: Readonly<Record<string, string>>
  /** Id of the rollout that ended. */
  readonly rollout: string
  /** The Deployment that the rollout made. */
  readonly made: string
  /** Whose Deployment that is: the one that was made, or the one that it was copied from. */
  readonly loser: 'made' | 'source'
}

/** What became of a retired version. */
export interface ScaledDown {
  readonly version: string
  readonly rollout: string
  /** `kept`: it was left as it is, and why is for people to read; it is not tried again. */
  readonly status: 'done' | 'kept'
  readonly reason: string
  readonly message: string
}

/** So many are remembered on a cluster: versions come and go. */
export const MOST_RETIRED = 16

/** Retired versions of a cluster that no route is to name: what a route names again is left alone. */
export function retiredOn(
  service: WeightsSource & Pick<ServiceDocument, 'retired'>,
  cluster: string,
): readonly RetiredVersion[] {
  const named = desiredWeights(service, cluster)
  if (!named) return []
  return (service.retired?.[cluster] ?? []).filter(({ version }) => !Object.hasOwn(named, version))
}
