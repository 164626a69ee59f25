import { injectionOf } from '../mesh/lint/injection.ts'
import { READ_KINDS, type ReadKind } from '../mesh/osm/migration/kinds.ts'
import { bears, type OsmObjects, watchedNamespaces } from '../mesh/osm/migration/objects.ts'
import type { MeshFacts } from '../model/cluster.ts'
import type { ServiceDocument } from '../model/documents.ts'
import type { KubeObject } from '../model/kube.ts'
import type { ClusterApi } from '../ports/cluster-api.ts'
import { isPortError } from '../ports/port-error.ts'

/** Kinds of which a cluster has many, where the mesh watches a few namespaces. */
const BY_NAMESPACE: readonly ReadKind[] = ['services', 'pods', 'deployments', 'statefulSets', 'daemonSets']

/**
 * Reads what a cluster of Open Service Mesh enforces: a list a kind, and of what there may be much, a list a watched namespace. A kind that the
 * server does not know is empty; one that may not be read is told. Throws other PortErrors.
 */
export async function readOsm(api: ClusterApi): Promise<OsmObjects> {
  const unseen = new Set<string>()
  const list = async (kind: ReadKind, namespace?: string): Promise<readonly KubeObject[]> => {
    try {
      return await api.list(READ_KINDS[kind], namespace === undefined ? {} : { namespace })
    } catch (error) {
      if (isPortError(error, 'not-found')) return []
      if (!isPortError(error, 'denied')) throw error
      unseen.add(`${READ_KINDS[kind].kind} may not be listed: ${error.message}`)
      return []
    }
  }
  const namespaces = await list('namespaces')
  const watched = [...watchedNamespaces({ namespaces })].sort()
  const read = async (kind: ReadKind): Promise<readonly KubeObject[]> => {
    if (kind === 'namespaces') return namespaces
    if (!BY_NAMESPACE.includes(kind)) return list(kind)
    return (await Promise.all(watched.map((namespace) => list(kind, namespace)))).flat()
  }
  const kinds = Object.keys(READ_KINDS) as ReadKind[]
  const lists = await Promise.all(kinds.map(async (kind) => [kind, await read(kind)] as const))
  return { ...(Object.fromEntries(lists) as Record<ReadKind, readonly KubeObject[]>), unseen: [...unseen].sort() }
}

/** Is the controller of Open Service Mesh still on the cluster? Throws PortErrors other than those of rights. */
export async function findOsmController(api: ClusterApi): Promise<'there' | 'gone' | 'unseen'> {
  try {
    const deployments = await api.list(READ_KINDS.deployments, { labelSelector: 'app=osm-controller' })
    return deployments.length > 0 ? 'there' : 'gone'
  } catch (error) {
    if (isPortError(error, 'not-found')) return 'gone'
    if (isPortError(error, 'denied')) return 'unseen'
    throw error
  }
}

/** Pods of services that have no proxy of a cluster's mesh, `bookstore/bookstore-v1-7d…`. */
export async function podsWithoutProxy(
  api: ClusterApi,
  mesh: MeshFacts,
  services: readonly Pick<ServiceDocument, 'namespace' | 'spec'>[],
): Promise<readonly string[]> {
  const injection = injectionOf({ mesh })
  if (!injection) return []
  const namespaces = [...new Set(services.map(({ namespace }) => namespace))].sort()
  const lists = await Promise.all(
    namespaces.map(async (namespace) => {
      const pods = await api.listMetadata(READ_KINDS.pods, { namespace })
      return pods.filter(({ metadata }) =>
        services.some(
          (one) => one.namespace === namespace && bears(metadata.labels ?? {}, one.spec.workload?.labels ?? {}),
        ),
      )
    }),
  )
  const plain = lists
    .flat()
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined && !injection.has(metadata))
  return plain.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort()
}
