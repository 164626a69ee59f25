import { isObject, type KubernetesObject, valueAt } from '../emulators/kubernetes/json.ts'
import type { KubernetesEmulator } from '../emulators/kubernetes/kubernetes-emulator.ts'
import { WORLD_ANNOTATION } from './cluster-objects.ts'
import type { World } from './world.ts'
import { type ServiceRef, type VersionSpec, versionSpec } from './world-spec.ts'

const VERSION_LABELS = ['version', 'app.kubernetes.io/version']
const MOST_PODS = 100

/** The version of a service of the world that a Deployment makes Pods of. */
export interface DeployedVersion {
  readonly ref: ServiceRef
  readonly version: string
  /** Pods that are there. */
  readonly pods: number
  /** As the Deployment wants it. */
  readonly spec: VersionSpec
}

/** How many Pods a Deployment wants. */
export function replicasOf(deployment: KubernetesObject): number {
  const replicas = valueAt(deployment, ['spec', 'replicas'])
  return typeof replicas === 'number' ? Math.min(replicas, MOST_PODS) : 1
}

/** Undefined for a Deployment whose Pods are behind no service of the world, or whose version the world makes itself. */
export function findVersion(
  world: World,
  cluster: string,
  kubernetes: Pick<KubernetesEmulator, 'get'>,
  deployment: KubernetesObject,
): DeployedVersion | undefined {
  const { namespace = '', name = '', annotations } = deployment.metadata
  const isOwn = annotations?.[WORLD_ANNOTATION] !== undefined
  for (const [key, service] of Object.entries(world.cluster(cluster)?.services ?? {})) {
    const [space, serviceName = ''] = key.split('/')
    if (space !== namespace) continue
    const ref = { cluster, namespace, service: serviceName }
    if (isOwn) {
      const own = Object.entries(service.versions).find(
        ([version, { workload, image }]) => !image && (workload ?? `${serviceName}-${version}`) === name,
      )
      if (own) return { ref, version: own[0], pods: own[1].pods, spec: { ...own[1], pods: replicasOf(deployment) } }
      continue
    }
    const selector = labelsAt(kubernetes.get('v1', 'Service', namespace, serviceName), ['spec', 'selector'])
    const labels = labelsAt(deployment, ['spec', 'template', 'metadata', 'labels'])
    const wanted = Object.entries(selector)
    if (wanted.length === 0 || wanted.some(([label, value]) => labels[label] !== value)) continue
    const version = VERSION_LABELS.map((label) => labels[label]).find((value) => value) ?? name
    const known = service.versions[version]
    if (known && !known.image) continue
    return { ref, version, pods: known?.pods ?? 0, spec: specOf(deployment, labels, known) }
  }
  return undefined
}

/** How a version behaves is kept as long as its image stays the same. */
function specOf(
  deployment: KubernetesObject,
  labels: Readonly<Record<string, string>>,
  known: VersionSpec | undefined,
): VersionSpec {
  const image = imageOf(deployment)
  const errors = /errors-(\d{1,2}|100)$/.exec(image)?.[1]
  const base = known?.image === image ? known : versionSpec.parse({ errorPercent: Number(errors ?? 0) })
  return { ...base, image, labels: { ...labels }, workload: deployment.metadata.name, pods: replicasOf(deployment) }
}

function imageOf(deployment: KubernetesObject): string {
  const containers = valueAt(deployment, ['spec', 'template', 'spec', 'containers'])
  const [first] = Array.isArray(containers) ? containers : []
  return isObject(first) && typeof first.image === 'string' ? first.image : 'unknown'
}

function labelsAt(object: KubernetesObject | undefined, path: readonly string[]): Readonly<Record<string, string>> {
  const labels = valueAt(object, path)
  return isObject(labels) ? (labels as Record<string, string>) : {}
}
