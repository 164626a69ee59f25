import { ownerOf } from '../mesh/marks.ts'
import type { Provider } from '../mesh/provider.ts'
import type { ClusterDocument, FreezeDocument, PlacementDocument, ServiceDocument } from '../model/documents.ts'
import { isHostKey } from '../model/host.ts'
import type { KubeRef } from '../model/kube.ts'
import { splitServiceKey } from '../model/service.ts'
import type { ClusterApi, MetadataObject } from '../ports/cluster-api.ts'
import type { Store } from '../ports/store.ts'
import { refKey } from './content.ts'
import { hostAsService } from './hosts/host-as-service.ts'
import { forbids } from './permission.ts'
import { isWanted } from './situation.ts'

/**
 * Objects that bear our marks and are in no inventory: `orphans` belong to no service that is to be there; `unrecorded`
 * are services that are, and whose placement does not know the object (an answer was lost). Throws PortError.
 */
export async function findOrphans(
  store: Store,
  cluster: string,
  placements: readonly PlacementDocument[],
  objects: readonly MetadataObject[],
): Promise<{ readonly orphans: readonly MetadataObject[]; readonly unrecorded: readonly string[] }> {
  const known = new Map(placements.map((placement) => [placement.service, placement]))
  const services = new Map<string, ServiceDocument | undefined>()
  const orphans: MetadataObject[] = []
  const unrecorded = new Set<string>()
  for (const object of objects) {
    const key = ownerOf(object.metadata)
    if (key === undefined || isRecorded(known.get(key), object)) continue
    if (!services.has(key)) services.set(key, await readOwner(store, key))
    const service = services.get(key)
    const wanted = service !== undefined && isWanted(service, cluster)
    const complete = known.get(key)?.appliedRevision === service?.renderRevision
    if (wanted && !complete) unrecorded.add(key)
    else orphans.push(object)
  }
  return { orphans, unrecorded: [...unrecorded] }
}

async function readOwner(store: Store, key: string): Promise<ServiceDocument | undefined> {
  if (!isHostKey(key)) return (await store.read('service', key))?.value
  const host = (await store.read('host', key))?.value
  return host && hostAsService(host, undefined)
}

function isRecorded(placement: PlacementDocument | undefined, object: MetadataObject): boolean {
  const { apiVersion, kind, metadata } = object
  const key = refKey({
    apiVersion,
    kind,
    name: metadata.name,
    ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
  })
  return placement?.objects.some((entry) => refKey(entry) === key) ?? false
}

interface Found {
  readonly cluster: ClusterDocument
  readonly provider: Provider
  readonly orphans: readonly MetadataObject[]
  readonly namespaces: readonly MetadataObject[]
  readonly freezes: readonly FreezeDocument[]
  /** Epoch milliseconds. */
  readonly now: number
}

/** Removes orphans of the first kind in the provider's order, where nothing holds or freezes them. Throws PortError. */
export async function pruneOrphans(api: ClusterApi, found: Found): Promise<readonly KubeRef[]> {
  const refs = found.orphans.map(({ apiVersion, kind, metadata }) => {
    const { name, namespace, uid = '' } = metadata
    return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }), uid, metadata }
  })
  const first = found.provider.pruneOrder(refs)[0]
  const pruned: KubeRef[] = []
  for (const { uid, metadata, ...ref } of refs) {
    if (ref.kind !== first?.kind || uid === '' || isForbidden(found, { ...ref, metadata })) continue
    await api.remove(ref, uid, metadata.resourceVersion)
    pruned.push(ref)
  }
  return pruned
}

function isForbidden(found: Found, object: MetadataObject): boolean {
  const { cluster, freezes, now } = found
  const { namespace: own, name } = splitServiceKey(ownerOf(object.metadata) ?? '')
  const namespace = object.metadata.namespace ?? own
  const service = { namespace, name, generation: 0, renderRevision: 0, rollouts: [] }
  const space = found.namespaces.find(({ metadata }) => metadata.name === namespace)
  return (
    forbids({ service, cluster, freezes, now, observed: { namespace: space && { ...space } } }, 'removal', {
      ...object,
    }) !== undefined
  )
}
