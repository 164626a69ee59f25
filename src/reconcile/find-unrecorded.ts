import { bearsMarks } from '../mesh/marks.ts'
import { type ClusterDocument, keyOf, type PlacementDocument, type ServiceDocument } from '../model/documents.ts'
import { refOf } from '../model/kube.ts'
import { timestamp } from '../model/names.ts'
import type { InventoryEntry } from '../model/placement.ts'
import { isPortError } from '../ports/port-error.ts'
import { refKey } from './content.ts'
import type { ReconcileDeps } from './deps.ts'
import { prepare } from './gather.ts'
import { recordedAs } from './inventory.ts'

/**
 * What stands on a cluster under the names of a service's render, bears its marks and is in no inventory: whoever created it
 * had no answer, or died before it was written down. Where the inventory is whole nothing is asked. None where the cluster
 * does not answer, or the service cannot be rendered any more. Throws what is no error of a port.
 */
export async function findUnrecorded(
  deps: ReconcileDeps,
  service: ServiceDocument,
  cluster: ClusterDocument,
  placement: PlacementDocument | undefined,
): Promise<readonly InventoryEntry[]> {
  const prepared = prepare(service, cluster)
  if (!prepared.ok) return []
  const known = new Set((placement?.objects ?? []).map(refKey))
  const missing = prepared.value.rendered.map(({ object }) => refOf(object)).filter((ref) => !known.has(refKey(ref)))
  if (missing.length === 0) return []
  try {
    const api = await deps.clusters.connect(cluster)
    const found = await Promise.all(missing.map((ref) => api.get(ref)))
    const at = timestamp(deps.clock.now())
    const key = keyOf(service)
    return found.flatMap((live) => (live && bearsMarks(live.metadata, key) ? [recordedAs(live, at)] : []))
  } catch (error) {
    if (isPortError(error)) return []
    throw error
  }
}
