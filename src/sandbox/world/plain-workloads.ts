import { isObject, type KubernetesObject, valueAt } from '../emulators/kubernetes/json.ts'
import type { KubernetesEmulator } from '../emulators/kubernetes/kubernetes-emulator.ts'
import type { SeedObject } from '../emulators/kubernetes/seed.ts'
import { replicasOf } from './deployed-version.ts'
import type { Injector } from './injector.ts'
import { digest, isReady, marksOf, showStatus, templateHash } from './workload-pods.ts'

/** On a Deployment of no service of the world: it has Pods all the same. */
export const PODS_ANNOTATION = 'sandbox.meshwright.io/pods'
/** On such Pods: whose they are. */
const OWNER = 'sandbox.meshwright.io/workload'
/** Every cluster has so many nodes. */
const NODES = 2

type Kubernetes = Pick<KubernetesEmulator, 'seed' | 'remove' | 'list' | 'get'>

/** Whether a workload has Pods that no service of the world knows of. */
export function isPlain({ kind, metadata }: KubernetesObject): boolean {
  return kind === 'Deployment' ? metadata.annotations?.[PODS_ANNOTATION] !== undefined : true
}

/** The Pods of a workload that is gone go, too. */
export function dropPlainPods(kubernetes: Kubernetes, kind: string, namespace: string, name: string): void {
  for (const { metadata } of plainPods(kubernetes, kind, namespace, name))
    kubernetes.remove('v1', 'Pod', namespace, metadata.name ?? '')
}

/**
 * Takes the Pods of a workload one step on: what was started is ready once it `isDue`; then Pods are made or replaced, one
 * after the other. True when all are as it wants them. A Deployment starts the new one first, the others stop the old one.
 */
export function followPlain(
  kubernetes: Kubernetes,
  workload: KubernetesObject,
  { injector, isDue, now }: { readonly injector: Injector; readonly isDue: boolean; readonly now: number },
): 'done' | 'waiting' | 'stepped' {
  const { kind, metadata } = workload
  const { namespace = '', name = '' } = metadata
  const wanted = kind === 'DaemonSet' ? NODES : replicasOf(workload)
  const read = () => plainPods(kubernetes, kind, namespace, name)
  const starting = read().filter((pod) => !isReady(pod))
  const make = (names: readonly string[]) =>
    kubernetes.seed(names.map((podName) => newPod(kubernetes, workload, podName, injector)))
  const step = (): 'done' | 'waiting' | 'stepped' => {
    if (starting.length > 0 && !isDue) return 'waiting'
    kubernetes.seed(starting.map(readyPod))
    const pods = read()
    const stale = pods.filter((pod) => !isOfTemplate(workload, pod))
    const surplus = pods.length - wanted
    if (surplus > 0) {
      const leave = [...stale, ...pods.filter((pod) => !stale.includes(pod)).reverse()].slice(0, surplus)
      for (const pod of leave) kubernetes.remove('v1', 'Pod', namespace, pod.metadata.name ?? '')
    } else if (surplus < 0) make(missingNames(workload, pods, wanted, now))
    else if (stale.length > 0 && kind === 'Deployment') make(missingNames(workload, pods, wanted + 1, now))
    else if (stale.length > 0) {
      const last = stale.at(-1)?.metadata.name ?? ''
      kubernetes.remove('v1', 'Pod', namespace, last)
      make([kind === 'StatefulSet' ? last : podName(workload, `${last} ${now}`)])
    } else return 'done'
    return 'stepped'
  }
  const outcome = step()
  const pods = read()
  const ready = pods.filter(isReady).length
  const updated = pods.filter((pod) => isOfTemplate(workload, pod)).length
  showStatus(kubernetes, workload, { wanted, total: pods.length, updated, ready })
  return outcome
}

function isOfTemplate(workload: KubernetesObject, { metadata }: KubernetesObject): boolean {
  const { labels } = marksOf(workload, templateHash(workload))
  return Object.entries(labels).every(([label, value]) => metadata.labels?.[label] === value)
}

function plainPods(kubernetes: Kubernetes, kind: string, namespace: string, name: string): KubernetesObject[] {
  const owner = `${kind}/${name}`
  return kubernetes.list('v1', 'Pod', namespace).filter(({ metadata }) => metadata.annotations?.[OWNER] === owner)
}

function missingNames(
  workload: KubernetesObject,
  pods: readonly KubernetesObject[],
  wanted: number,
  now: number,
): readonly string[] {
  if (workload.kind === 'StatefulSet') {
    const there = new Set(pods.map(({ metadata }) => metadata.name))
    return Array.from({ length: wanted }, (_, at) => `${workload.metadata.name}-${at}`).filter((one) => !there.has(one))
  }
  return Array.from({ length: wanted - pods.length }, (_, at) => podName(workload, `${now} ${at}`))
}

function podName(workload: KubernetesObject, seed: string): string {
  const { metadata, kind } = workload
  const [hash = ''] = Object.values(marksOf(workload, templateHash(workload)).labels)
  const suffix = digest(`${metadata.uid} ${seed}`).slice(0, 5)
  return kind === 'Deployment' ? `${metadata.name}-${hash}-${suffix}` : `${metadata.name}-${suffix}`
}

function newPod(kubernetes: Kubernetes, workload: KubernetesObject, name: string, injector: Injector): SeedObject {
  const { kind, metadata } = workload
  const { namespace = '' } = metadata
  const marks = marksOf(workload, templateHash(workload))
  const labels = valueAt(workload, ['spec', 'template', 'metadata', 'labels'])
  const spec = valueAt(workload, ['spec', 'template', 'spec'])
  const pod: SeedObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: { ...(isObject(labels) ? labels : {}), ...marks.labels },
      annotations: { ...marks.annotations, [OWNER]: `${kind}/${metadata.name}` },
      ownerReferences: marks.ownerReferences,
    },
    spec: isObject(spec) ? spec : {},
    status: { phase: 'Pending', conditions: [{ type: 'Ready', status: 'False' }] },
  }
  return injector.wants(pod, kubernetes.get('v1', 'Namespace', '', namespace)) ? injector.inject(pod) : pod
}

function readyPod(pod: KubernetesObject): SeedObject {
  const bytes = Buffer.from(digest(pod.metadata.uid ?? ''), 'hex')
  const ip = `10.246.${bytes[0]}.${bytes[1]}`
  const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions: [{ type: 'Ready', status: 'True' }] }
  return { ...pod, status } as SeedObject
}
