import { liveRolloutOn } from '../model/desired-weights.ts'
import type { KindRef, KubeObject } from '../model/kube.ts'
import type { ClusterApi } from '../ports/cluster-api.ts'
import { isPortError } from '../ports/port-error.ts'
import { findOverlaps, type Overlaps } from './find-overlaps.ts'
import { isBeforeShift, type PlannedService } from './situation.ts'

const DEPLOYMENT: KindRef = { apiVersion: 'apps/v1', kind: 'Deployment' }
const AUTOSCALER: KindRef = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' }
const BUDGET: KindRef = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' }

/**
 * Looks for selectors that catch Pods of both versions of the rollout on a cluster, as long as its candidate has got
 * nothing there; undefined later, and without one: a weight step costs no such lists. Throws PortError.
 */
export async function gatherOverlaps(
  api: ClusterApi,
  service: PlannedService,
  cluster: string,
): Promise<Overlaps | undefined> {
  const live = liveRolloutOn(service, cluster)
  if (!live || !isBeforeShift(service, cluster)) return undefined
  const [deployments, autoscalers, budgets] = await Promise.all(
    [DEPLOYMENT, AUTOSCALER, BUDGET].map((kind) => listIfAllowed(api, kind, service.namespace)),
  )
  const found = (listed: Listed | undefined) => listed?.objects ?? []
  const unseen = [deployments, autoscalers, budgets].flatMap((listed) => listed?.unseen ?? [])
  const workloads = {
    deployments: found(deployments),
    autoscalers: found(autoscalers),
    budgets: found(budgets),
    unseen,
  }
  const version = (name: string) => ({ name, labels: service.spec.versions[name]?.labels ?? {} })
  return findOverlaps(workloads, version(live.target.stable), version(live.target.candidate))
}

interface Listed {
  readonly objects: readonly KubeObject[]
  readonly unseen?: string
}

/** Objects of a kind; a right that is missing, or a kind that the server does not know, is no error but words. */
async function listIfAllowed(api: ClusterApi, kind: KindRef, namespace: string): Promise<Listed> {
  try {
    return { objects: await api.list(kind, { namespace }) }
  } catch (error) {
    if (!isPortError(error, 'denied', 'not-found')) throw error
    const why = error.kind === 'denied' ? 'the right to list them is missing' : 'the cluster does not know them'
    return { objects: [], unseen: `whether selectors of ${kind.kind}s overlap is not known: ${why}` }
  }
}
