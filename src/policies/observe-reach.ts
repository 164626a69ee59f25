import { refusalOn } from '../mesh/refusal-on.ts'
import { findCondition } from '../model/condition.ts'
import {
  type ClusterDocument,
  keyOf,
  type PlacementDocument,
  type PolicyDocument,
  type ServiceDocument,
} from '../model/documents.ts'
import type { SpreadPlacement } from '../model/policy/decide-spread.ts'
import { hasReached, holdsFor, withPolicy } from '../model/policy/layers.ts'
import { railProblems } from '../model/policy/rail-problems.ts'
import { isObserved } from '../model/service.ts'
import type { Store } from '../ports/store.ts'

/** More placements than this are read with all others, in pages. */
const MOST_POINT_READS = 50

/** What is known of everything that a policy could reach. */
export interface Fleet {
  readonly services: readonly ServiceDocument[]
  readonly clusters: readonly ClusterDocument[]
}

export interface Reach {
  readonly placements: readonly SpreadPlacement[]
  /** Services that the policy holds for. */
  readonly services: readonly ServiceDocument[]
  /** `shop/web on east: security.mtls …`: guard rails of the policy that are not kept. */
  readonly broken: readonly string[]
}

export async function readFleet(store: Store): Promise<Fleet> {
  const [services, clusters] = await Promise.all([store.all('service'), store.all('cluster')])
  return { services, clusters }
}

/** Services that a policy holds for, or that still carry it. */
export function membersOf(policy: PolicyDocument, services: readonly ServiceDocument[]): readonly ServiceDocument[] {
  return services.filter((service) => {
    if (service.deletingAt !== undefined) return false
    return holdsFor(policy, service) || (service.layers ?? []).some(({ name }) => name === policy.name)
  })
}

/** Is there a placement that the policy, as it is now, has yet to reach? */
export function isBehind(policy: PolicyDocument, { services, clusters }: Fleet): boolean {
  return membersOf(policy, services).some((service) =>
    placesOf(service, clusters).some((cluster) => !hasReached(service.layers, policy, service, cluster)),
  )
}

/** Every placement that a policy holds for, or has to be taken from. Throws PortError. */
export async function observeReach(store: Store, policy: PolicyDocument, fleet: Fleet): Promise<Reach> {
  const members = membersOf(policy, fleet.services)
  const pairs = members.flatMap((service) => placesOf(service, fleet.clusters).map((cluster) => ({ service, cluster })))
  const known = await readPlacements(
    store,
    pairs.map(({ service, cluster }) => `${keyOf(service)}/${cluster.name}`),
  )
  const services = members.filter((service) => holdsFor(policy, service))
  return {
    placements: pairs.map(({ service, cluster }) =>
      stateOf(policy, service, cluster, known.get(`${keyOf(service)}/${cluster.name}`)),
    ),
    services,
    broken: brokenBy(policy, services, fleet.clusters),
  }
}

/** The placements of the wave that is out, and nothing else: enough to know what it waits for. Throws PortError. */
export async function observeWave(
  store: Store,
  policy: PolicyDocument,
): Promise<readonly SpreadPlacement[] | undefined> {
  const { spread } = policy
  if (spread?.generation !== policy.generation || spread.released.length > MOST_POINT_READS) return undefined
  const states = spread.released.map(async ({ service: key, cluster: name }) => {
    const [service, cluster, placement] = await Promise.all([
      store.read('service', key),
      store.read('cluster', name),
      store.read('placement', `${key}/${name}`),
    ])
    if (!service || !cluster || !Object.hasOwn(service.value.targets, name)) return []
    return [stateOf(policy, service.value, cluster.value, placement?.value)]
  })
  return (await Promise.all(states)).flat()
}

function stateOf(
  policy: PolicyDocument,
  service: ServiceDocument,
  cluster: ClusterDocument,
  placement: PlacementDocument | undefined,
): SpreadPlacement {
  const ready = findCondition(placement?.conditions ?? [], 'Ready')
  const written = !isObserved(service, cluster)
  const live = !written || (placement?.liveRevision ?? 0) >= (service.policyRevision?.[cluster.name] ?? 0)
  const common = {
    service: keyOf(service),
    cluster: cluster.name,
    live,
    ready: written && live && ready?.status === 'True',
    ...(placement?.liveAt === undefined ? {} : { liveAt: Date.parse(placement.liveAt) }),
  }
  const trouble = ready && ready.status !== 'True' && ready.reason !== 'Settling' ? { trouble: ready.message } : {}
  if (hasReached(service.layers, policy, service, cluster)) return { ...common, ...trouble, state: 'reached' }
  const layers = withPolicy(service.layers, policy, service, [cluster])
  const refusal = refusalOn({ ...service, layers }, cluster)
  if (refusal && !refusalOn(service, cluster)) return { ...common, state: 'refused', trouble: refusal.detail }
  return { ...common, ...trouble, state: 'pending' }
}

function placesOf(service: ServiceDocument, clusters: readonly ClusterDocument[]): readonly ClusterDocument[] {
  return clusters.filter(({ name }) => Object.hasOwn(service.targets, name))
}

function brokenBy(
  policy: PolicyDocument,
  services: readonly ServiceDocument[],
  clusters: readonly ClusterDocument[],
): readonly string[] {
  if (!policy.spec.guardRails) return []
  // What a service is to say everywhere counts, also while a change of it goes from cluster to cluster.
  return services.flatMap(({ spread: _, ...service }) => {
    // On the way to it, it does not yet carry what the policy itself says.
    const places = placesOf(service, clusters).filter((one) => hasReached(service.layers, policy, service, one))
    return railProblems(service, places, [policy]).map(
      ({ cluster, pointer, reason }) => `${keyOf(service)} on ${cluster}: ${pointer} ${reason}`,
    )
  })
}

async function readPlacements(store: Store, keys: readonly string[]): Promise<ReadonlyMap<string, PlacementDocument>> {
  const found =
    keys.length > MOST_POINT_READS
      ? await store.all('placement')
      : (await Promise.all(keys.map((key) => store.read('placement', key)))).flatMap((one) => (one ? [one.value] : []))
  return new Map(found.map((placement) => [keyOf(placement), placement]))
}
