import { MANAGED_BY, MANAGER } from '../../mesh/marks.ts'
import { type ImportFinding, importFinding } from '../../mesh/read/codes.ts'
import type { Reader, SeenObjects } from '../../mesh/read/reader.ts'
import type { MeshFacts } from '../../model/cluster.ts'
import type { ClusterDocument } from '../../model/documents.ts'
import type { KindRef, KubeObject } from '../../model/kube.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import { isPortError } from '../../ports/port-error.ts'

const SERVICE: KindRef = { apiVersion: 'v1', kind: 'Service' }

export interface Gathered {
  readonly seen: SeenObjects
  /** What could not be listed. */
  readonly findings: readonly ImportFinding[]
}

/**
 * Lists Services and all that a reader looks at, once each for the whole cluster: what lies in one namespace may be for another. What
 * Meshwright wrote is left out. Without the right to list Services there is nothing to tell of, and so it fails; PortError, as what else fails.
 */
export async function gatherSeen(
  api: ClusterApi,
  reader: Reader,
  cluster: ClusterDocument,
  mesh: MeshFacts,
): Promise<Gathered> {
  const findings: ImportFinding[] = []
  const list = async (kind: KindRef): Promise<readonly KubeObject[]> => {
    try {
      return (await api.list(kind)).map((object) => ({ ...object, ...kind }))
    } catch (error) {
      if (isPortError(error, 'not-found')) return []
      if (!isPortError(error, 'denied')) throw error
      findings.push(importFinding('NotSeen', `Meshwright may not list ${kind.kind}s (${kind.apiVersion}).`))
      return []
    }
  }
  const [services, ...lists] = await Promise.all([api.list(SERVICE), ...reader.kinds.map(list)])
  const objects = lists.flat().filter(({ metadata }) => metadata.labels?.[MANAGED_BY] !== MANAGER)
  const gateways = cluster.spec.mesh?.gateways
  return { seen: { services, objects, mesh, ...(gateways ? { gateways } : {}) }, findings }
}
