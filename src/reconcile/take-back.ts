import { bearsMarks } from '../mesh/marks.ts'
import { refOf } from '../model/kube.ts'
import { isPortError } from '../ports/port-error.ts'
import { type Written, withPreconditions } from './apply.ts'
import { refKey } from './content.ts'
import type { ReconcileDeps } from './deps.ts'
import { pruningProvider, type StoredState } from './gather.ts'
import { isWorkload } from './workloads/deployment.ts'

/**
 * Removes what this very call has created and could not record, because the service left the cluster meanwhile: no
 * inventory names it; a Deployment is scaled to 0. What another has changed since stays. A cluster that does not answer is left to the next resync.
 */
export async function takeBack(
  deps: ReconcileDeps,
  service: string,
  { cluster }: Pick<StoredState, 'cluster'>,
  unrecorded: readonly Written[],
): Promise<void> {
  const provider = cluster && pruningProvider(cluster)
  const created = unrecorded.filter(({ write, after }) => !write.live && bearsMarks(after.metadata, service))
  if (!cluster || !provider || created.length === 0) return
  const workloads = created.filter(({ write }) => isWorkload(write.object))
  const rest = created.filter(({ write }) => !isWorkload(write.object))
  const objects = new Map(rest.map(({ after }) => [refKey(refOf(after)), after]))
  try {
    const api = await deps.clusters.connect(cluster)
    for (const ref of provider.pruneOrder([...objects.values()].map(refOf))) {
      const { uid, resourceVersion } = objects.get(refKey(ref))?.metadata ?? {}
      if (uid !== undefined) await api.remove(ref, uid, resourceVersion)
    }
    // A Deployment is never deleted: it stays without Pods, and people find it by its marks.
    for (const { write, after } of workloads) {
      const stopped = { ...write.object, spec: { ...write.object.spec, replicas: 0 } }
      await api.apply(withPreconditions(stopped, after), { force: false })
    }
  } catch (error) {
    if (!isPortError(error)) throw error
  }
}
