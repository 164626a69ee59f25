import { revisionOf } from '../../mesh/marks.ts'
import { refOf } from '../../model/kube.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import type { Store } from '../../ports/store.ts'
import { keyOfService } from '../gather.ts'
import type { Situation } from '../situation.ts'
import type { ScaleDown } from './plan-scale-down.ts'

/**
 * Did the service or its route move on since a pass looked? A version that was without requests may get some again, and its
 * Deployment itself does not tell. Throws PortError.
 */
export async function isOvertaken(
  store: Store,
  api: ClusterApi,
  { service, cluster, rendered, provider }: Situation,
  scaleDowns: readonly ScaleDown[],
): Promise<boolean> {
  const { renderRevision } = service
  const routes = rendered.filter(({ object }) => provider.liveWeights(object) !== undefined)
  const [stored, live] = await Promise.all([
    store.read('service', keyOfService(service)),
    Promise.all(routes.map(({ object }) => api.get(refOf(object)))),
  ])
  if (!stored || stored.value.renderRevision > renderRevision) return true
  if (live.some((object) => object && (revisionOf(object) ?? 0) > renderRevision)) return true
  const listed = stored.value.retired?.[cluster.name] ?? []
  const isListed = ({ retired }: ScaleDown) =>
    listed.some(({ version, rollout }) => version === retired.version && rollout === retired.rollout)
  // A store that answers with an older document knows of nothing newer.
  return stored.value.renderRevision === renderRevision && !scaleDowns.every(isListed)
}
