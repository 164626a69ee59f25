import { isHeld, MANAGED_BY_US } from '../mesh/marks.ts'
import { findCondition } from '../model/condition.ts'
import { shortId } from '../model/digest.ts'
import { type ClusterDocument, keyOf, type PlacementDocument, type ServiceDocument } from '../model/documents.ts'
import { succeed } from '../model/failure.ts'
import { MESHWRIGHT } from '../model/identity.ts'
import { describeRef, type KindRef, type KubeRef } from '../model/kube.ts'
import { timestamp } from '../model/names.ts'
import { changeDocument } from '../ports/change-document.ts'
import type { ClusterApi, MetadataObject } from '../ports/cluster-api.ts'
import { isPortError } from '../ports/port-error.ts'
import { resyncDeliveries } from './certificates/resync-deliveries.ts'
import { refKey } from './content.ts'
import type { ReconcileDeps } from './deps.ts'
import { includesKind, pruningProvider } from './gather.ts'
import { hostAsService, namespaceOfPlacement } from './hosts/host-as-service.ts'
import { findOrphans, pruneOrphans } from './orphans.ts'
import { reconcilePlacement } from './reconcile-placement.ts'
import { isWanted } from './situation.ts'
import { isWorkload } from './workloads/deployment.ts'

export interface ResyncOptions {
  /** Remove orphans: objects that bear our marks and stand in no inventory. */
  readonly confirm?: boolean
  /** Session token of the write that asks for this, so that it is seen. */
  readonly session?: string
}

export interface ResyncResult {
  /** Services whose placement on the cluster departs from what is there: each will be reconciled. */
  readonly reconcile: readonly string[]
  /** Objects of ours that no service wants, removed now. What they refer to goes in the next resync. */
  readonly pruned: readonly KubeRef[]
  /** Such objects that were left for want of `confirm`: another Meshwright may have written them. */
  readonly unconfirmed: readonly KubeRef[]
}

const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace' }

/**
 * Compares uid and generation of all our objects on a cluster with the inventories, by metadata-only lists, and asks for
 * a reconcile where they differ (through the placement's outbox). Finds holds that came or went, objects whose service or
 * placement is gone, and services whose work for the cluster was lost. A cluster that is known not to answer is left alone: its next good probe asks again.
 * Throws PortError.
 */
export async function resyncCluster(
  deps: ReconcileDeps,
  name: string,
  options: ResyncOptions = {},
): Promise<ResyncResult> {
  const cluster = (await deps.store.read('cluster', name, options.session))?.value
  const provider = cluster && pruningProvider(cluster)
  if (!cluster || !provider || isAway(cluster)) return { reconcile: [], pruned: [], unconfirmed: [] }
  const api = await deps.clusters.connect(cluster)
  const { kinds, rareKinds = [] } = provider
  const usual = kinds.filter((kind) => !includesKind(rareKinds, kind))
  const [placements, services, hosts] = await Promise.all([
    deps.store.all('placement', { where: { cluster: name } }),
    deps.store.all('service'),
    deps.store.all('host'),
  ])
  const owners = [...services, ...hosts.map((host) => hostAsService(host, undefined))]
  const [, namespaces, ...lists] = await Promise.all([
    resyncDeliveries(deps, api, name),
    api.listMetadata(NAMESPACE),
    ...usual.map((kind) => api.listMetadata(kind, { labelSelector: MANAGED_BY_US })),
  ])
  // An object that stands in no inventory is found once orphans are to be removed; its service writes it again until then.
  const held = placements.flatMap(({ objects }) => objects)
  const rare = rareKinds.filter((kind) => options.confirm || includesKind(held, kind))
  const objects = [...lists, ...(await Promise.all(rare.map((kind) => listKnown(api, kind))))].flat()
  const differing = departing(placements, objects, namespaces)
  const { orphans, unrecorded } = await findOrphans(deps.store, name, placements, objects)
  const reconcile = [...new Set([...differing, ...unrecorded, ...forgotten(owners, placements, name)])].sort()
  for (const service of reconcile) await askForReconcile(deps, service, name)
  if (orphans.length === 0) return { reconcile, pruned: [], unconfirmed: [] }
  if (!options.confirm) {
    const unconfirmed = orphans.map(refOfMetadata)
    await tellUnconfirmed(deps, cluster, unconfirmed)
    return { reconcile, pruned: [], unconfirmed }
  }
  const pruned = await prune(deps, api, { cluster, provider, orphans, namespaces })
  return { reconcile, pruned, unconfirmed: [] }
}

/** None where the cluster does not know the kind. */
async function listKnown(api: ClusterApi, kind: KindRef): Promise<readonly MetadataObject[]> {
  try {
    return await api.listMetadata(kind, { labelSelector: MANAGED_BY_US })
  } catch (error) {
    if (isPortError(error, 'not-found')) return []
    throw error
  }
}

async function prune(
  deps: ReconcileDeps,
  api: ClusterApi,
  found: Omit<Parameters<typeof pruneOrphans>[1], 'freezes' | 'now'>,
): Promise<readonly KubeRef[]> {
  const freezes = await deps.store.all('freeze')
  return pruneOrphans(api, { ...found, freezes, now: deps.clock.now() })
}

/** Puts the work into the placement's outbox; without a placement it is done at once. */
async function askForReconcile(deps: ReconcileDeps, service: string, cluster: string): Promise<void> {
  const asked = await changeDocument(deps.store, 'placement', `${service}/${cluster}`, (stored) => {
    if (!stored) return succeed({ kind: 'leave' as const, value: undefined })
    const id = shortId(20, service, cluster, 'resync', stored.tag)
    const message = { kind: 'reconcile' as const, service, cluster }
    const outbox = [...stored.value.outbox, { id, kind: 'work' as const, queue: 'work' as const, message }]
    const document = { ...stored.value, outbox, updatedAt: timestamp(deps.clock.now()) }
    return succeed({ kind: 'write' as const, document, value: undefined })
  })
  if (asked.ok && asked.value.stored === undefined) await reconcilePlacement(deps, { service, cluster })
}

/** Services whose objects or holds are not as their placement says, or that could not be reached when it was written. */
export function departing(
  placements: readonly PlacementDocument[],
  objects: readonly MetadataObject[],
  namespaces: readonly MetadataObject[],
): readonly string[] {
  const live = new Map(objects.map((object) => [refKey(refOfMetadata(object)), object.metadata]))
  const heldNamespaces = new Set(
    namespaces.filter(({ metadata }) => isHeld(metadata)).map(({ metadata }) => metadata.name),
  )
  return placements
    .filter((placement) => {
      if (placement.pruned) return false
      // How many Pods a Deployment has is for others to change, and none of them are listed here.
      const routes = placement.objects.filter((entry) => !isWorkload(entry))
      const seen = routes.map((entry) => live.get(refKey(entry)))
      const changed = routes.some((entry, index) => {
        return seen[index]?.uid !== entry.uid || seen[index]?.generation !== entry.generation
      })
      const namespace = namespaceOfPlacement(placement)
      const held = heldNamespaces.has(namespace) || seen.some(isHeld)
      // It may be waiting for a time that was set while the cluster did not answer.
      return changed || isAway(placement) || held !== knownAsHeld(placement)
    })
    .map((placement) => placement.service)
}

/**
 * Services that ask for more on a cluster than was done, while nothing is planned that would do it: a message that a
 * worker failed on too often is given up.
 */
export function forgotten(
  services: readonly ServiceDocument[],
  placements: readonly PlacementDocument[],
  cluster: string,
): readonly string[] {
  const known = new Map(placements.map((placement) => [placement.service, placement]))
  return services
    .filter((service) => {
      const placement = known.get(keyOf(service))
      if (placement?.dueAt !== undefined) return false
      if (!isWanted(service, cluster)) return service.leaving.includes(cluster)
      return placement?.appliedRevision !== service.renderRevision
    })
    .map(keyOf)
}

function isAway({ conditions }: Pick<PlacementDocument | ClusterDocument, 'conditions'>): boolean {
  return findCondition(conditions, 'Reachable')?.status === 'False'
}

function knownAsHeld(placement: PlacementDocument): boolean {
  const held = findCondition(placement.conditions, 'Held')
  return held?.status === 'True' && (held.reason === 'NamespaceHeld' || held.reason === 'ObjectHeld')
}

export function refOfMetadata({ apiVersion, kind, metadata }: MetadataObject): KubeRef {
  const { name, namespace } = metadata
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) }
}

async function tellUnconfirmed(deps: ReconcileDeps, cluster: ClusterDocument, refs: readonly KubeRef[]): Promise<void> {
  const names = refs.map(describeRef).sort()
  const message =
    `${refs.length} objects on ${cluster.name} bear Meshwright's marks and belong to no service that is registered here: ` +
    `${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}. They are left alone: another Meshwright may own them.`
  await deps.store.appendEvent({
    id: shortId(20, cluster.name, 'cluster.orphans', names),
    type: 'cluster.orphans',
    time: timestamp(deps.clock.now()),
    subject: `clusters/${cluster.name}`,
    actor: MESHWRIGHT,
    reason: 'NeedsConfirm',
    message,
    data: { count: refs.length },
  })
}
