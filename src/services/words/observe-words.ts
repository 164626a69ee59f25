import { findCondition } from '../../model/condition.ts'
import { type ClusterDocument, keyOf, type PlacementDocument, type ServiceDocument } from '../../model/documents.ts'
import type { SpreadPlacement, SpreadSubject } from '../../model/policy/decide-spread.ts'
import { heldOn } from '../../model/policy/service-policy.ts'
import { isObserved } from '../../model/service.ts'

/** A change of a service's own words in the form in which waves are decided on; undefined: none is on its way. */
export function spreadSubject({ spec, spread }: ServiceDocument): SpreadSubject | undefined {
  if (!spread) return undefined
  const { goal, progress } = spread
  const waves = spec.waves === 'off' ? undefined : spec.waves
  return { generation: goal, spec: { waves }, ...(progress ? { spread: progress } : {}) }
}

/** The clusters that a change on its way has yet to reach, and those of its last wave. */
export function observeWords(
  service: ServiceDocument,
  clusters: readonly ClusterDocument[],
  placements: readonly PlacementDocument[],
): readonly SpreadPlacement[] {
  const released = new Set(service.spread?.progress?.released.map(({ cluster }) => cluster))
  return clusters
    .filter(({ name }) => Object.hasOwn(service.targets, name))
    .filter(({ name }) => released.has(name) || heldOn(service, name) !== undefined)
    .map((cluster) => {
      const placement = placements.find((one) => one.cluster === cluster.name)
      return stateOf(service, cluster, placement, released.has(cluster.name))
    })
}

function stateOf(
  service: ServiceDocument,
  cluster: ClusterDocument,
  placement: PlacementDocument | undefined,
  isReleased: boolean,
): SpreadPlacement {
  const ready = findCondition(placement?.conditions ?? [], 'Ready')
  const written = !isObserved(service, cluster)
  const revision = isReleased ? (service.spread?.progress?.revision ?? 0) : 0
  const live = !written || (placement?.liveRevision ?? 0) >= revision
  // What else a PUT changes is written everywhere at once, and settles while the first wave is chosen.
  const inOrder = ready?.status === 'True' || ready?.reason === 'Settling'
  return {
    service: keyOf(service),
    cluster: cluster.name,
    state: heldOn(service, cluster.name) ? 'pending' : 'reached',
    live,
    ready: written && live && inOrder,
    ...(placement?.liveAt === undefined ? {} : { liveAt: Date.parse(placement.liveAt) }),
    ...(ready && !inOrder ? { trouble: ready.message } : {}),
  }
}
