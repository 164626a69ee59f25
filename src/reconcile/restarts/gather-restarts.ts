import { RUNNING_PODS } from '../../mesh/istio/trust.ts'
import { isHeld } from '../../mesh/marks.ts'
import type { ProxyPods } from '../../mesh/trust/proxy-pods.ts'
import type { KindRef, KubeMetadata, KubeObject } from '../../model/kube.ts'
import { RESTARTABLE } from '../../model/restarts.ts'
import type { ClusterApi, ListOptions, MetadataObject } from '../../ports/cluster-api.ts'
import { isPortError } from '../../ports/port-error.ts'

const POD = { apiVersion: 'v1', kind: 'Pod' }
const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace' }
const BUDGET = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' }
const PAGE = 500

/** What a cluster tells of Pods with a proxy and of what makes them. */
export interface Gathered {
  readonly pods: readonly KubeMetadata[]
  /** Deployments, StatefulSets and DaemonSets. */
  readonly controllers: readonly KubeObject[]
  readonly budgets: readonly KubeObject[]
  /** Namespaces that bear meshwright.io/hold. */
  readonly heldNamespaces: ReadonlySet<string>
}

/**
 * Reads them from the whole cluster, or from the named namespaces alone: of Pods and namespaces the metadata.
 * Throws PortError.
 */
export async function gatherRestarts(
  api: ClusterApi,
  { selectors, counts }: ProxyPods,
  namespaces?: readonly string[],
): Promise<Gathered> {
  const places = namespaces?.map((namespace) => ({ namespace })) ?? [{}]
  const all = async <T>(ask: (place: ListOptions) => Promise<readonly T[]>) => {
    return (await Promise.all(places.map((place) => ask({ ...place, pageSize: PAGE })))).flat()
  }
  const list = (kind: KindRef) => all((place) => unlessUnknown(api.list(kind, place)))
  const metadata = (kind: KindRef, options: ListOptions = {}) =>
    all((place) => api.listMetadata(kind, { ...place, ...options }))
  const [spaces, budgets, controllers, pods] = await Promise.all([
    api.listMetadata(NAMESPACE),
    list(BUDGET),
    Promise.all(RESTARTABLE.map((kind) => list({ apiVersion: 'apps/v1', kind }))),
    Promise.all(selectors.map((labelSelector) => metadata(POD, { labelSelector, fieldSelector: RUNNING_PODS }))),
  ])
  const counted = new Set(spaces.filter((one) => counts(one.metadata)).map((one) => one.metadata.name))
  return {
    pods: onlyOnce(pods.flat()).filter(({ namespace = '' }) => counted.has(namespace)),
    controllers: controllers.flat(),
    budgets,
    heldNamespaces: new Set(spaces.filter((one) => isHeld(one.metadata)).map((one) => one.metadata.name)),
  }
}

function onlyOnce(pods: readonly MetadataObject[]): readonly KubeMetadata[] {
  return [...new Map(pods.map(({ metadata }) => [`${metadata.namespace}/${metadata.name}`, metadata])).values()]
}

/** A kind that the server does not serve has no objects. */
async function unlessUnknown(asked: Promise<readonly KubeObject[]>): Promise<readonly KubeObject[]> {
  try {
    return await asked
  } catch (error) {
    if (isPortError(error, 'not-found')) return []
    throw error
  }
}
