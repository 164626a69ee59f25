import { isAmbient, RUNNING_PODS, WORKLOAD_ENTRY, ZTUNNEL_SELECTOR } from '../../mesh/istio/trust.ts'
import { isCaRotationOver } from '../../model/ca-rotation.ts'
import type { MeshCaDocument } from '../../model/documents.ts'
import type { OtherProxies } from '../../model/trust.ts'
import type { ClusterApi, MetadataObject } from '../../ports/cluster-api.ts'
import { isPortError } from '../../ports/port-error.ts'
import { unlessDenied } from '../../ports/unless-denied.ts'

const POD = { apiVersion: 'v1', kind: 'Pod' }

/** How many there are of what holds certificates without being a Pod with a proxy. */
interface Others {
  readonly ztunnels: number
  /** Undefined: they may not be listed. */
  readonly workloadEntries: number | undefined
}

/** Would restarts of Pods, or what they show, open the gate that the rotation is at? */
export function waitsForProxies({ rotation }: Pick<MeshCaDocument, 'rotation'>): boolean {
  if (!rotation || isCaRotationOver(rotation)) return false
  return rotation.phase === 'trusting' || rotation.phase === 'renewing'
}

/** Two lists of metadata. A kind that the server does not serve has no objects. Throws PortError. */
export async function gatherOthers(api: ClusterApi): Promise<Others> {
  const [ztunnels, workloadEntries] = await Promise.all([
    api.listMetadata(POD, { labelSelector: ZTUNNEL_SELECTOR, fieldSelector: RUNNING_PODS }),
    countEntries(api),
  ])
  return { ztunnels: ztunnels.length, workloadEntries }
}

/** Who else than Pods with a proxy holds certificates of the mesh; where that may not be seen, it is not taken for granted. */
export function otherProxies(
  { ztunnels, workloadEntries }: Others,
  namespaces: readonly Pick<MetadataObject, 'metadata'>[],
): OtherProxies {
  if (ztunnels > 0 || namespaces.some(({ metadata }) => isAmbient(metadata))) return 'ambient'
  if (workloadEntries === undefined) return 'unknown'
  return workloadEntries > 0 ? 'vms' : 'none'
}

async function countEntries(api: ClusterApi): Promise<number | undefined> {
  try {
    return (await unlessDenied(api.listMetadata(WORKLOAD_ENTRY)))?.length
  } catch (error) {
    if (isPortError(error, 'not-found')) return 0
    throw error
  }
}
