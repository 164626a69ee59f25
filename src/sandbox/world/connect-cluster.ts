import type { Emulator } from '../emulators/emulator.ts'
import { isObject, type KubernetesObject, valueAt } from '../emulators/kubernetes/json.ts'
import type { KubernetesEmulator } from '../emulators/kubernetes/kubernetes-emulator.ts'
import type { SeedObject } from '../emulators/kubernetes/seed.ts'
import { prometheusEmulator } from '../emulators/prometheus/prometheus-emulator.ts'
import { clusterObjects, WORLD_ANNOTATION, WORLD_KINDS } from './cluster-objects.ts'
import { type Injector, istioInjector } from './injector.ts'
import { isCurrent, marksOf, showStatus } from './workload-pods.ts'
import type { World } from './world.ts'

/** What the world needs of a cluster's Kubernetes emulator. */
export type ClusterObjects = Pick<KubernetesEmulator, 'seed' | 'remove' | 'list' | 'get' | 'onWrite'>

/** Ties a cluster of the world to its Kubernetes emulator: pods and services over there, written routes back here. */
export function connectCluster(
  world: World,
  cluster: string,
  kubernetes: ClusterObjects,
  injector: Injector = istioInjector,
): void {
  mirrorCluster(world, cluster, kubernetes, injector)
  world.onChange((changed) => {
    if (changed === cluster) mirrorCluster(world, cluster, kubernetes, injector)
  })
  kubernetes.onWrite(({ object }) => {
    if (object.apiVersion.startsWith('networking.istio.io/')) world.routesChanged(cluster)
  })
}

/** The Pods that the world keeps for a Deployment, as they are on the cluster. */
export function worldPodsOf(
  world: World,
  cluster: string,
  kubernetes: Pick<ClusterObjects, 'get'>,
  { metadata }: KubernetesObject,
): readonly KubernetesObject[] {
  const { namespace = '', name } = metadata
  const all = world.cluster(cluster)?.pods ?? []
  return all
    .filter((pod) => pod.namespace === namespace && pod.workload === name)
    .flatMap((pod) => kubernetes.get('v1', 'Pod', namespace, pod.name) ?? [])
}

/** Writes the world's objects to the cluster and takes away those it wrote earlier and has no more. */
function mirrorCluster(world: World, cluster: string, kubernetes: ClusterObjects, injector: Injector): void {
  const record = world.cluster(cluster)
  const wanted = record === undefined ? [] : clusterObjects(record)
  const workloads = new Map(record?.pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod.workload]))
  for (const object of wanted) {
    const { namespace = '', name = '' } = object.metadata
    if (object.kind === 'Deployment') kubernetes.seed([withNotes(object, kubernetes)])
    else if (object.kind === 'Pod') {
      const workload = kubernetes.get('apps/v1', 'Deployment', namespace, workloads.get(`${namespace}/${name}`) ?? '')
      kubernetes.seed([asMade(object, workload, kubernetes, injector)])
    } else kubernetes.seed([object])
  }
  const kept = new Set(wanted.map((object) => idOf(object.kind, object.metadata)))
  for (const { apiVersion, kind } of WORLD_KINDS) {
    const ours = kubernetes.list(apiVersion, kind).map((object) => object.metadata)
    const left = ours.filter((metadata) => metadata.annotations?.[WORLD_ANNOTATION] && !kept.has(idOf(kind, metadata)))
    for (const { namespace = '', name = '' } of left) kubernetes.remove(apiVersion, kind, namespace, name)
  }
  for (const deployment of kubernetes.list('apps/v1', 'Deployment')) {
    if (deployment.metadata.annotations?.[WORLD_ANNOTATION] === undefined) continue
    const pods = worldPodsOf(world, cluster, kubernetes, deployment)
    const updated = pods.filter((pod) => isCurrent(deployment, pod)).length
    showStatus(kubernetes, deployment, { wanted: pods.length, total: pods.length, updated, ready: pods.length })
  }
}

function idOf(kind: string, { namespace, name }: { readonly namespace?: string; readonly name?: string }): string {
  return `${kind} ${namespace}/${name}`
}

/** Deployments keep the annotations that others gave them and their template. */
function withNotes(wanted: SeedObject, kubernetes: Pick<ClusterObjects, 'get'>): SeedObject {
  const { apiVersion, kind, metadata } = wanted
  const live = kubernetes.get(apiVersion, kind, metadata.namespace ?? '', metadata.name ?? '')
  if (!live) return wanted
  const annotations = { ...live.metadata.annotations, ...(metadata.annotations as Record<string, string> | undefined) }
  const noted = valueAt(live, ['spec', 'template', 'metadata', 'annotations'])
  const spec = wanted.spec as { readonly template: { readonly metadata: object } }
  const template = isObject(noted)
    ? { ...spec.template, metadata: { ...spec.template.metadata, annotations: noted } }
    : spec.template
  return { ...wanted, metadata: { ...metadata, annotations }, spec: { ...spec, template } }
}

/** A Pod as its Deployment and the mesh's injector make it; they do nothing to one that is there. */
function asMade(
  wanted: SeedObject,
  workload: KubernetesObject | undefined,
  kubernetes: Pick<ClusterObjects, 'get'>,
  injector: Injector,
): SeedObject {
  const { metadata } = wanted
  const marks = workload && marksOf(workload)
  const labels = { ...(metadata.labels as object | undefined), ...marks?.labels }
  const annotations = { ...marks?.annotations, ...(metadata.annotations as object | undefined) }
  const ownerReferences = marks?.ownerReferences
  const made = injector.inject({
    ...wanted,
    metadata: { ...metadata, labels, annotations, ...(ownerReferences ? { ownerReferences } : {}) },
  })
  const live = kubernetes.get('v1', 'Pod', metadata.namespace ?? '', metadata.name ?? '')?.metadata
  if (!live) return made
  const kept = Object.fromEntries(
    Object.entries({ ...live }).filter(([field]) => ['labels', 'annotations', 'ownerReferences'].includes(field)),
  )
  return { ...made, metadata: { ...made.metadata, ...kept } }
}

/** The Prometheus that scrapes a cluster of the world. */
export function clusterPrometheus(world: World, cluster: string, now: () => number): Emulator {
  return prometheusEmulator({
    source: world.metrics(cluster),
    now,
    available: () => world.cluster(cluster)?.spec.metrics !== 'unavailable',
  })
}
