import type { KubernetesObject } from '../emulators/kubernetes/json.ts'
import type { KubernetesEmulator } from '../emulators/kubernetes/kubernetes-emulator.ts'
import { WORLD_ANNOTATION } from './cluster-objects.ts'
import { worldPodsOf } from './connect-cluster.ts'
import { findVersion, replicasOf } from './deployed-version.ts'
import { isCurrent, showStatus } from './workload-pods.ts'
import type { World } from './world.ts'

const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' }
/** From the write of a Deployment until its Pods are ready. */
const START_MS = 1500

type Kubernetes = Pick<KubernetesEmulator, 'seed' | 'list' | 'get' | 'onWrite'>

/** Stands for the controllers and kubelets that turn Deployments into Pods. */
export interface DeploymentRunner {
  /** Does what is due by now. Nothing runs by itself. */
  advance(): void
}

/**
 * Gives Deployments that others than the world write their Pods: as a version of the service of the world whose Kubernetes
 * Service selects them; and takes over the number of Pods that others set in the world's own Deployments. An image whose tag
 * ends in `errors-N` fails N per cent of its requests.
 */
export function runDeployments(
  world: World,
  cluster: string,
  kubernetes: Kubernetes,
  now: () => number,
): DeploymentRunner {
  /** Since when each was written, in epoch milliseconds; those that are as they should be are not here. */
  const pending = new Map<string, number>()
  const keyOf = ({ metadata }: KubernetesObject) => `${metadata.namespace}/${metadata.name}`
  const isDeployment = ({ apiVersion, kind }: KubernetesObject) => {
    return apiVersion === DEPLOYMENT.apiVersion && kind === DEPLOYMENT.kind
  }
  kubernetes.onWrite(({ verb, object, previous }) => {
    if (!isDeployment(object)) return
    const isStatusOnly = previous?.metadata.generation === object.metadata.generation
    if (verb === 'delete' || !isStatusOnly) pending.set(keyOf(object), now())
  })
  for (const object of kubernetes.list(DEPLOYMENT.apiVersion, DEPLOYMENT.kind)) pending.set(keyOf(object), now())
  return {
    advance() {
      for (const [key, sinceMs] of [...pending]) {
        const [namespace = '', name = ''] = key.split('/')
        const deployment = kubernetes.get(DEPLOYMENT.apiVersion, DEPLOYMENT.kind, namespace, name)
        const isDone = deployment
          ? follow(world, cluster, kubernetes, { deployment, isDue: now() - sinceMs >= START_MS })
          : dropPods(world, cluster, { namespace, name })
        // What was written meanwhile is a new start.
        if (isDone && pending.get(key) === sinceMs) pending.delete(key)
      }
    },
  }
}

/** Brings Pods and status to what a Deployment wants, as far as it is time; true when they are there. */
function follow(
  world: World,
  cluster: string,
  kubernetes: Kubernetes,
  { deployment, isDue }: { readonly deployment: KubernetesObject; readonly isDue: boolean },
): boolean {
  const found = findVersion(world, cluster, kubernetes, deployment)
  if (!found) return true
  const replicas = replicasOf(deployment)
  const isOwn = deployment.metadata.annotations?.[WORLD_ANNOTATION] !== undefined
  if (isOwn && found.pods === replicas) return true
  if (!isDue && replicas > found.pods) {
    if (!isOwn) show(world, cluster, kubernetes, deployment)
    return false
  }
  const { ref, version, spec } = found
  const service = world.cluster(cluster)?.services[`${ref.namespace}/${ref.service}`]
  if (service) world.putService(ref, { ...service, versions: { ...service.versions, [version]: spec } })
  if (!isOwn) show(world, cluster, kubernetes, deployment)
  return true
}

/** Pods that are still to start count as there, and as made by its template. */
function show(world: World, cluster: string, kubernetes: Kubernetes, deployment: KubernetesObject): void {
  const wanted = replicasOf(deployment)
  const pods = worldPodsOf(world, cluster, kubernetes, deployment)
  const stale = pods.filter((pod) => !isCurrent(deployment, pod)).length
  const ready = Math.min(pods.length, wanted)
  showStatus(kubernetes, deployment, { wanted, total: wanted, updated: Math.max(0, wanted - stale), ready })
}

/** Without its Deployment a version has no Pods. */
function dropPods(
  world: World,
  cluster: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): boolean {
  for (const [key, service] of Object.entries(world.cluster(cluster)?.services ?? {})) {
    const [space = '', serviceName = ''] = key.split('/')
    const gone = Object.entries(service.versions).find(([, { image, workload }]) => image && workload === name)
    if (space !== namespace || !gone) continue
    const { [gone[0]]: _, ...versions } = service.versions
    world.putService({ cluster, namespace, service: serviceName }, { ...service, versions })
  }
  return true
}
