import { liveRolloutOn } from '../../model/desired-weights.ts'
import type { PlacementDocument } from '../../model/documents.ts'
import type { KindRef, KubeObject } from '../../model/kube.ts'
import type { ClusterApi, ListOptions, ReadOptions } from '../../ports/cluster-api.ts'
import { isPortError } from '../../ports/port-error.ts'
import type { Store } from '../../ports/store.ts'
import { findOverlaps, type Overlaps } from '../find-overlaps.ts'
import { isBeforeShift, type PlannedService } from '../situation.ts'
import { DEPLOYMENT } from './deployment.ts'
import { gatherNeighbours, getSelector } from './gather-neighbours.ts'
import { imageRolloutOn, pendingRetired } from './image-rollout.ts'
import type { WorkloadsSeen } from './workloads.ts'

const AUTOSCALER: KindRef = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' }
const BUDGET: KindRef = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' }

/** What a look at the Deployments of a service's namespace came to. */
export interface Gathered {
  /** Selectors that mix up the versions of a rollout whose candidate has got nothing yet. */
  readonly overlaps?: Overlaps
  /** For a rollout by `image`, and for what one left behind. */
  readonly workloads?: WorkloadsSeen
}

interface Where {
  readonly cluster: string
  readonly placement: PlacementDocument | undefined
  /** How old what is seen may be; left out: it is asked for anew. */
  readonly age?: ReadOptions
}

/**
 * Looks at Deployments, autoscalers and budgets where something depends on them: before the first step of a rollout, and as
 * long as a rollout by `image` or what it left behind is to be looked after. Else nothing is asked: a weight step costs no
 * such lists. Throws PortError.
 */
export async function gatherWorkloads(
  api: ClusterApi,
  store: Store,
  service: PlannedService,
  { cluster, placement, age = {} }: Where,
): Promise<Gathered> {
  const { namespace } = service
  const before = isBeforeShift(service, cluster)
  const image = imageRolloutOn(service, cluster) !== undefined
  const retired = pendingRetired(service, placement, cluster).length > 0
  if (!before && !image && !retired) return {}
  const within = { namespace, ...age }
  const [deployments, autoscalers, budgets, selector] = await Promise.all([
    // Some are written next, so they are read anew.
    listIfAllowed(api, DEPLOYMENT, image || retired ? { namespace } : within),
    listIfAllowed(api, AUTOSCALER, within),
    before ? listIfAllowed(api, BUDGET, within) : { objects: [] },
    image ? getSelector(api, namespace, service.name, age) : undefined,
  ])
  const overlaps = before ? lookForOverlaps(service, cluster, { deployments, autoscalers, budgets }) : undefined
  const workloads: WorkloadsSeen = {
    deployments: deployments.unseen === undefined ? deployments.objects : undefined,
    autoscalers: autoscalers.unseen === undefined ? autoscalers.objects : undefined,
    selector,
    neighbours: retired ? await gatherNeighbours(api, store, { service, cluster }, deployments.objects) : [],
  }
  return { ...(overlaps ? { overlaps } : {}), ...(image || retired ? { workloads } : {}) }
}

interface Listed {
  readonly objects: readonly KubeObject[]
  readonly unseen?: string
}

function lookForOverlaps(
  service: PlannedService,
  cluster: string,
  { deployments, autoscalers, budgets }: Readonly<Record<'deployments' | 'autoscalers' | 'budgets', Listed>>,
): Overlaps | undefined {
  const live = liveRolloutOn(service, cluster)
  if (!live) return undefined
  const unseen = [deployments, autoscalers, budgets].flatMap((listed) => listed.unseen ?? [])
  const workloads = {
    deployments: deployments.objects,
    autoscalers: autoscalers.objects,
    budgets: budgets.objects,
    unseen,
  }
  const version = (name: string) => ({ name, labels: service.spec.versions[name]?.labels ?? {} })
  return findOverlaps(workloads, version(live.target.stable), version(live.target.candidate))
}

/** Objects of a kind; a right that is missing, or a kind that the server does not know, is no error but words. */
async function listIfAllowed(api: ClusterApi, kind: KindRef, within: ListOptions): Promise<Listed> {
  try {
    return { objects: await api.list(kind, within) }
  } catch (error) {
    if (!isPortError(error, 'denied', 'not-found')) throw error
    const why = error.kind === 'denied' ? 'the right to list them is missing' : 'the cluster does not know them'
    return { objects: [], unseen: `whether selectors of ${kind.kind}s overlap is not known: ${why}` }
  }
}
