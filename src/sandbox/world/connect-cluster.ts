import type { Emulator } from '../emulators/emulator.ts'
import type { KubernetesEmulator } from '../emulators/kubernetes/kubernetes-emulator.ts'
import type { SeedObject } from '../emulators/kubernetes/seed.ts'
import { prometheusEmulator } from '../emulators/prometheus/prometheus-emulator.ts'
import { clusterObjects, WORLD_ANNOTATION, WORLD_KINDS } from './cluster-objects.ts'
import type { World } from './world.ts'

/** What the world needs of a cluster's Kubernetes emulator. */
export type ClusterObjects = Pick<KubernetesEmulator, 'seed' | 'remove' | 'list' | 'onWrite'>

/** Ties a cluster of the world to its Kubernetes emulator: pods and services over there, written routes back here. */
export function connectCluster(world: World, cluster: string, kubernetes: ClusterObjects): void {
  mirrorCluster(world, cluster, kubernetes)
  world.onChange((changed) => {
    if (changed === cluster) mirrorCluster(world, cluster, kubernetes)
  })
  kubernetes.onWrite(({ object }) => {
    if (object.apiVersion.startsWith('networking.istio.io/')) world.routesChanged(cluster)
  })
}

/** Writes the world's objects to the cluster and takes away those it wrote earlier and has no more. */
function mirrorCluster(world: World, cluster: string, kubernetes: ClusterObjects): void {
  const record = world.cluster(cluster)
  const wanted = record === undefined ? [] : clusterObjects(record)
  kubernetes.seed(withNotes(wanted, kubernetes))
  const kept = new Set(wanted.map((object) => idOf(object.kind, object.metadata)))
  for (const { apiVersion, kind } of WORLD_KINDS) {
    const ours = kubernetes.list(apiVersion, kind).map((object) => object.metadata)
    const left = ours.filter((metadata) => metadata.annotations?.[WORLD_ANNOTATION] && !kept.has(idOf(kind, metadata)))
    for (const { namespace = '', name = '' } of left) kubernetes.remove(apiVersion, kind, namespace, name)
  }
}

function idOf(kind: string, { namespace, name }: { readonly namespace?: string; readonly name?: string }): string {
  return `${kind} ${namespace}/${name}`
}

/** Deployments keep the annotations that others gave them. */
function withNotes(wanted: readonly SeedObject[], kubernetes: ClusterObjects): SeedObject[] {
  const deployments = kubernetes.list('apps/v1', 'Deployment')
  const notes = new Map(deployments.map(({ kind, metadata }) => [idOf(kind, metadata), metadata.annotations]))
  return wanted.map((object) => {
    const noted = object.kind === 'Deployment' ? notes.get(idOf(object.kind, object.metadata)) : undefined
    const annotations = { ...noted, ...(object.metadata.annotations as Record<string, string> | undefined) }
    return { ...object, metadata: { ...object.metadata, annotations } }
  })
}

/** The Prometheus that scrapes a cluster of the world. */
export function clusterPrometheus(world: World, cluster: string, now: () => number): Emulator {
  return prometheusEmulator({
    source: world.metrics(cluster),
    now,
    available: () => world.cluster(cluster)?.spec.metrics !== 'unavailable',
  })
}
