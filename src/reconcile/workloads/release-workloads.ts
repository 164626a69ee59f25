import { bearsMarks, MANAGED_BY, MANAGER } from '../../mesh/marks.ts'
import { type KubeObject, type KubeRef, refOf } from '../../model/kube.ts'
import type { InventoryEntry } from '../../model/placement.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import { isPortError } from '../../ports/port-error.ts'
import { withPreconditions } from '../apply.ts'
import { refKey } from '../content.ts'
import type { Removal } from '../prune.ts'
import type { Stop } from '../situation.ts'
import { DEPLOYMENT } from './deployment.ts'
import { ownedFields } from './owned-fields.ts'

/**
 * Lets Deployments go that Meshwright made, when their service leaves the cluster: they lose our marks and stay as they are,
 * for one of them may serve all requests. Where the right to do so is gone they keep the marks: a service may leave all the
 * same. Returns those that are ours no more, and why the rest was left. Throws PortError.
 */
export async function releaseWorkloads(
  api: ClusterApi,
  { service, namespace }: { readonly service: string; readonly namespace: string },
  entries: readonly InventoryEntry[],
  forbidden: (live: KubeObject) => Stop | undefined,
): Promise<Removal> {
  const listed = await unlessDenied(api.list(DEPLOYMENT, { namespace }))
  if (listed === 'denied') return { gone: entries, removed: false, marked: entries }
  const live = new Map(listed.map((object) => [refKey(refOf(object)), object]))
  const gone: KubeRef[] = []
  const marked: KubeRef[] = []
  for (const entry of entries) {
    const object = live.get(refKey(entry))
    if (object && object.metadata.uid === entry.uid && bearsMarks(object.metadata, service)) {
      const stop = forbidden(object)
      if (stop) return { gone, removed: false, marked, stop }
      const applied = await unlessDenied(api.apply(withPreconditions(unmarked(object), object), { force: true }))
      if (applied === 'denied') marked.push(entry)
    }
    gone.push(entry)
  }
  return { gone, removed: false, marked }
}

async function unlessDenied<T>(request: Promise<T>): Promise<T | 'denied'> {
  try {
    return await request
  } catch (error) {
    if (isPortError(error, 'denied')) return 'denied'
    throw error
  }
}

/** What was ours of it but the marks stays ours as a field manager: what nobody owns would be dropped. */
function unmarked(live: KubeObject): KubeObject {
  const { apiVersion, kind, metadata } = live
  const { name, namespace = '' } = metadata
  const { labels = {}, ...rest } = ownedFields(live, MANAGER)
  const kept = Object.fromEntries(Object.entries(labels).filter(([key]) => key !== MANAGED_BY))
  return { apiVersion, kind, metadata: { name, namespace, labels: kept }, ...rest }
}
