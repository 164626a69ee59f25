import type { KubernetesObject } from '../emulators/kubernetes/json.ts'
import type { KubernetesEmulator } from '../emulators/kubernetes/kubernetes-emulator.ts'
import { worldPodsOf } from './connect-cluster.ts'
import { replicasOf } from './deployed-version.ts'
import type { DeploymentRunner } from './deployment-runner.ts'
import type { Injector } from './injector.ts'
import { dropPlainPods, followPlain, isPlain } from './plain-workloads.ts'
import { isCurrent, showStatus } from './workload-pods.ts'
import type { World } from './world.ts'

const APPS = 'apps/v1'
const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet']
/** From the start of a Pod until it is ready. */
const START_MS = 1500

type Kubernetes = Pick<KubernetesEmulator, 'seed' | 'remove' | 'list' | 'get' | 'onWrite'>

export interface RestartOptions {
  readonly world: World
  readonly cluster: string
  readonly kubernetes: Kubernetes
  readonly injector: Injector
  readonly now: () => number
}

/**
 * Replaces Pods, one after the other, once the template of their workload has another `kubectl.kubernetes.io/restartedAt`
 * than they; and runs, whatever changes in their template, the Pods of StatefulSets, DaemonSets and marked Deployments, of which the world knows nothing.
 */
export function runRestarts(options: RestartOptions): DeploymentRunner {
  const { kubernetes, now } = options
  /** Since when each is on its way, in epoch milliseconds; those that are as they should be are not here. */
  const pending = new Map<string, number>()
  const awaitPods = ({ kind, metadata }: KubernetesObject) =>
    pending.set(`${kind}/${metadata.namespace}/${metadata.name}`, now())
  kubernetes.onWrite(({ verb, object, previous }) => {
    if (object.apiVersion === 'v1' && object.kind === 'Pod' && verb === 'delete') {
      for (const workload of workloads(kubernetes, object.metadata.namespace))
        if (isPlain(workload)) awaitPods(workload)
    }
    if (object.apiVersion !== APPS || !KINDS.includes(object.kind)) return
    if (verb !== 'update' || previous?.metadata.generation !== object.metadata.generation) awaitPods(object)
  })
  for (const workload of workloads(kubernetes)) awaitPods(workload)
  return {
    advance() {
      for (const [key, sinceMs] of [...pending]) {
        const [kind = '', namespace = '', name = ''] = key.split('/')
        const workload = kubernetes.get(APPS, kind, namespace, name)
        const isDue = now() - sinceMs >= START_MS
        const outcome = workload ? follow(options, workload, isDue) : 'done'
        if (!workload) dropPlainPods(kubernetes, kind, namespace, name)
        if (outcome === 'stepped') pending.set(key, now())
        else if (outcome === 'done') pending.delete(key)
      }
    },
  }
}

function workloads(kubernetes: Kubernetes, namespace?: string): KubernetesObject[] {
  return KINDS.flatMap((kind) => kubernetes.list(APPS, kind, namespace))
}

function follow(
  { world, cluster, kubernetes, injector, now }: RestartOptions,
  workload: KubernetesObject,
  isDue: boolean,
): 'done' | 'waiting' | 'stepped' {
  if (isPlain(workload)) return followPlain(kubernetes, workload, { injector, isDue, now: now() })
  const read = () => worldPodsOf(world, cluster, kubernetes, workload)
  const stale = read().filter((pod) => !isCurrent(workload, pod))
  const [next] = stale
  const { namespace = '', name = '' } = next?.metadata ?? {}
  if (next && isDue) world.replacePod(cluster, { namespace, name })
  const pods = read()
  if (pods.length > 0) {
    const updated = pods.filter((pod) => isCurrent(workload, pod)).length
    const live = kubernetes.get(APPS, workload.kind, workload.metadata.namespace ?? '', workload.metadata.name ?? '')
    const counts = { wanted: replicasOf(workload), total: pods.length, updated, ready: pods.length }
    if (live && stale.length > 0) showStatus(kubernetes, live, counts)
  }
  if (!next) return 'done'
  return isDue ? 'stepped' : 'waiting'
}
