import { bearsMarks, MANAGED_BY } from '../../mesh/marks.ts'
import { type KubeObject, type KubeRef, refOf } from '../../model/kube.ts'
import type { InventoryEntry } from '../../model/placement.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import { withPreconditions } from '../apply.ts'
import { refKey } from '../content.ts'
import type { Stop } from '../situation.ts'
import { DEPLOYMENT } from './deployment.ts'

/**
 * Lets Deployments go that Meshwright made, when their service leaves the cluster: they lose our marks and stay as they are,
 * for one of them may serve all requests. Returns those that are ours no more, and why the rest was left. Throws PortError.
 */
export async function releaseWorkloads(
  api: ClusterApi,
  { service, namespace }: { readonly service: string; readonly namespace: string },
  entries: readonly InventoryEntry[],
  forbidden: (live: KubeObject) => Stop | undefined,
): Promise<{ readonly gone: readonly KubeRef[]; readonly stop?: Stop }> {
  const live = new Map((await api.list(DEPLOYMENT, { namespace })).map((object) => [refKey(refOf(object)), object]))
  const gone: KubeRef[] = []
  for (const entry of entries) {
    const object = live.get(refKey(entry))
    if (object && object.metadata.uid === entry.uid && bearsMarks(object.metadata, service)) {
      const stop = forbidden(object)
      if (stop) return { gone, stop }
      await api.apply(withPreconditions(unmarked(object), object), { force: true })
    }
    gone.push(entry)
  }
  return { gone }
}

/** Its spec stays ours as a field manager: what nobody owns would be dropped. */
function unmarked({ apiVersion, kind, metadata, spec = {} }: KubeObject): KubeObject {
  const { name, namespace = '', labels = {} } = metadata
  const kept = Object.fromEntries(Object.entries(labels).filter(([key]) => key !== MANAGED_BY))
  return { apiVersion, kind, metadata: { name, namespace, labels: kept }, spec }
}
