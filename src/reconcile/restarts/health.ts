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
export function restartRefusal({ kind, metadata, spec = {} }: KubeObject): string | undefined {
  if (metadata.deletionTimestamp !== undefined) return 'it is being deleted'
  if (spec.paused === true) return 'it is paused'
  const { type, rollingUpdate } = ((kind === 'Deployment' ? spec.strategy : spec.updateStrategy) ?? {}) as {
    readonly type?: string
    readonly rollingUpdate?: { readonly partition?: number } | null
  }
  if (type === 'Recreate') return 'its strategy Recreate ends all its Pods before it starts new ones'
  if (type === 'OnDelete') return 'its update strategy OnDelete replaces no Pod by itself'
  if ((rollingUpdate?.partition ?? 0) > 0) return 'its update strategy has a partition, which keeps Pods as they are'
  return undefined
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
