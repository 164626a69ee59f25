import { READ_KINDS, type ReadKind } from '../mesh/osm/migration/kinds.ts'
import type { OsmObjects } from '../mesh/osm/migration/objects.ts'
import type { KubeObject } from '../model/kube.ts'
import type { ClusterApi } from '../ports/cluster-api.ts'
import { isPortError } from '../ports/port-error.ts'

/**
 * Reads what a cluster of Open Service Mesh enforces, one list a kind. A kind that the server does not know is empty; one that
 * may not be read is told. Throws other PortErrors.
 */
export async function readOsm(api: ClusterApi): Promise<OsmObjects> {
  const unseen: string[] = []
  const read = async (kind: ReadKind): Promise<readonly KubeObject[]> => {
    try {
      return await api.list(READ_KINDS[kind])
    } catch (error) {
      if (isPortError(error, 'not-found')) return []
      if (!isPortError(error, 'denied')) throw error
      unseen.push(`${READ_KINDS[kind].kind} may not be listed: ${error.message}`)
      return []
    }
  }
  const kinds = Object.keys(READ_KINDS) as ReadKind[]
  const lists = await Promise.all(kinds.map(async (kind) => [kind, await read(kind)] as const))
  return { ...(Object.fromEntries(lists) as Record<ReadKind, readonly KubeObject[]>), unseen: unseen.sort() }
}

/** Is the controller of Open Service Mesh still on the cluster? Not where that may not be seen. */
export async function hasOsmController(api: ClusterApi): Promise<boolean> {
  const deployments = await api
    .list({ apiVersion: 'apps/v1', kind: 'Deployment' }, { labelSelector: 'app=osm-controller' })
    .catch((error: unknown) => {
      if (isPortError(error, 'denied', 'not-found')) return []
      throw error
    })
  return deployments.length > 0
}
