import type { KubeObject } from '../../model/kube.ts'

type Numbers = Readonly<Record<string, number | undefined>>

/** Has the controller made every Pod anew from the present template, and are all of them available? */
export function isRolledOut(workload: KubeObject): boolean {
  const { observedGeneration = 0 } = (workload.status ?? {}) as Numbers
  if (observedGeneration < (workload.metadata.generation ?? 0)) return false
  const { wanted, all, updated, available } = countsOf(workload)
  return all === wanted && updated === wanted && available === wanted
}

/** How many Pods it is to have, as it says itself. */
export function wantedPods(workload: KubeObject): number {
  return countsOf(workload).wanted
}

/** What is in the way of a restart at any time, by how the workload replaces its Pods; undefined when nothing is. */
export function restartRefusal(workload: KubeObject): string | undefined {
  const { kind, metadata, spec = {} } = workload
  if (metadata.deletionTimestamp !== undefined) return 'it is being deleted'
  if (spec.paused === true) return 'it is paused'
  const { type, rollingUpdate } = strategyOf(workload)
  if (type === 'Recreate') return 'its strategy Recreate ends all its Pods before it starts new ones'
  if (type === 'OnDelete') return 'its update strategy OnDelete replaces no Pod by itself'
  if ((rollingUpdate?.partition ?? 0) > 0) return 'its update strategy has a partition, which keeps Pods as they are'
  const wanted = wantedPods(workload)
  // One Pod of a StatefulSet or of a node has a gap in every restart.
  if (wanted < (kind === 'Deployment' ? 1 : 2) || mostUnavailable(workload) < wanted) return undefined
  return 'its maxUnavailable lets all its Pods end before new ones have started'
}

type Amount = number | string
interface Strategy {
  readonly type?: string
  readonly rollingUpdate?: {
    readonly partition?: number
    readonly maxUnavailable?: Amount
    readonly maxSurge?: Amount
  } | null
}

function strategyOf({ kind, spec = {} }: KubeObject): Strategy {
  return ((kind === 'Deployment' ? spec.strategy : spec.updateStrategy) ?? {}) as Strategy
}

/** How many of its Pods its controller takes down at once in a restart, before others are ready: as the controllers resolve it. */
export function mostUnavailable(workload: KubeObject): number {
  const { kind } = workload
  const { maxUnavailable, maxSurge } = strategyOf(workload).rollingUpdate ?? {}
  const wanted = wantedPods(workload)
  const down = (amount: Amount) => Math.floor(resolve(amount, wanted))
  const up = (amount: Amount) => Math.ceil(resolve(amount, wanted))
  if (kind === 'StatefulSet') return Math.max(1, down(maxUnavailable ?? 1))
  if (kind === 'DaemonSet') {
    const most = up(maxUnavailable ?? 1)
    return most === 0 && up(maxSurge ?? 0) === 0 ? 1 : most
  }
  const most = down(maxUnavailable ?? '25%')
  return most === 0 && up(maxSurge ?? '25%') === 0 ? 1 : most
}

/** A number, or per cent of all. */
function resolve(amount: Amount, all: number): number {
  return typeof amount === 'number' ? amount : (Number.parseInt(amount, 10) * all) / 100
}

function countsOf({ kind, spec = {}, status = {} }: KubeObject) {
  const seen = status as Numbers
  if (kind === 'DaemonSet') {
    const { desiredNumberScheduled = 0, currentNumberScheduled = 0 } = seen
    const { updatedNumberScheduled: updated = 0, numberAvailable: available = 0 } = seen
    return { wanted: desiredNumberScheduled, all: currentNumberScheduled, updated, available }
  }
  const { replicas: all = 0, updatedReplicas: updated = 0, availableReplicas: available = 0 } = seen
  return { wanted: (spec.replicas as number | undefined) ?? 1, all, updated, available }
}
