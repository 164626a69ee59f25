import { keyOf, type PlacementDocument, type ServiceDocument } from '../model/documents.ts'
import { heldOn } from '../model/policy/service-policy.ts'
import type { Store } from '../ports/store.ts'

/** The placements of a service, by cluster name, in the order of names. */
export async function readPlacements(store: Store, service: ServiceDocument): Promise<readonly PlacementDocument[]> {
  const page = await store.list('placement', { prefix: `${keyOf(service)}/`, limit: 1000 })
  return page.value.map((stored) => stored.value)
}

/** The generation that every cluster of the service has carried out; that of the service when it is on no cluster. */
export function observedGeneration(service: ServiceDocument, placements: readonly PlacementDocument[]): number {
  const observed = Object.keys(service.targets).map((cluster) => observedOn(service, cluster, placements))
  if (service.leaving.length > 0) return Math.min(service.generation - 1, ...observed)
  return Math.min(service.generation, ...observed)
}

/** The generation that a cluster has carried out; where a change has yet to come, none that is newer than the words there. */
export function observedOn(
  service: Pick<ServiceDocument, 'spread'>,
  cluster: string,
  placements: readonly PlacementDocument[],
): number {
  const observed = placements.find((placement) => placement.cluster === cluster)?.observedGeneration ?? 0
  return Math.min(observed, heldOn(service, cluster)?.generation ?? observed)
}
