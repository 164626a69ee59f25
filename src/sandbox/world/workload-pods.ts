import { createHash } from 'node:crypto'
import { equal, isObject, type JsonObject, type KubernetesObject, valueAt } from '../emulators/kubernetes/json.ts'
import type { KubernetesEmulator } from '../emulators/kubernetes/kubernetes-emulator.ts'

/** The annotation by which `kubectl rollout restart`, and everybody since, asks for new Pods. */
export const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt'

/** What workloads give to their Pods besides their labels. */
export interface PodMarks {
  readonly annotations: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly ownerReferences: readonly JsonObject[]
}

/** The marks of a Pod that a Deployment, StatefulSet or DaemonSet makes now. `hash` tells templates apart. */
export function marksOf(workload: KubernetesObject, hash: string = restartHash(workload)): PodMarks {
  const { kind, metadata } = workload
  const owner = { apiVersion: 'apps/v1', controller: true, blockOwnerDeletion: true }
  const annotations = annotationsOf(workload)
  if (kind !== 'Deployment') {
    const ownerReferences = [{ ...owner, kind, name: metadata.name ?? '', uid: metadata.uid ?? '' }]
    return { annotations, labels: { 'controller-revision-hash': hash }, ownerReferences }
  }
  // Its ReplicaSet is not kept as an object: only Pods tell of it.
  const name = `${metadata.name}-${hash}`
  const ownerReferences = [{ ...owner, kind: 'ReplicaSet', name, uid: uuidOf(`${metadata.uid} ${hash}`) }]
  return { annotations, labels: { 'pod-template-hash': hash }, ownerReferences }
}

/** Whether a Pod was made after the last restart that its workload was asked for. */
export function isCurrent(workload: KubernetesObject, pod: KubernetesObject): boolean {
  return pod.metadata.annotations?.[RESTARTED_AT] === annotationsOf(workload)[RESTARTED_AT]
}

/** Whether its Pod condition says so. */
export function isReady(pod: KubernetesObject): boolean {
  const conditions = valueAt(pod, ['status', 'conditions'])
  if (!Array.isArray(conditions)) return false
  return conditions.some((one) => isObject(one) && one.type === 'Ready' && one.status === 'True')
}

/** Pods of a workload: how many it wants, how many there are, how many of them are of its template, and ready. */
export interface PodCounts {
  readonly wanted: number
  readonly total: number
  readonly updated: number
  readonly ready: number
}

/** Writes the status that its controller would. */
export function showStatus(
  kubernetes: Pick<KubernetesEmulator, 'seed'>,
  workload: KubernetesObject,
  counts: PodCounts,
): void {
  const observedGeneration = workload.metadata.generation ?? 1
  const status = { observedGeneration, ...(workload.kind === 'DaemonSet' ? onNodes(counts) : inReplicas(counts)) }
  if (equal(workload.status, status)) return
  kubernetes.seed([{ ...workload, status } as Parameters<typeof kubernetes.seed>[0][number]])
}

/** Numbers that are nothing are left out, as Go does. */
function inReplicas({ wanted, total, updated, ready }: PodCounts): JsonObject {
  return {
    replicas: total,
    ...(updated > 0 ? { updatedReplicas: updated } : {}),
    ...(ready > 0 ? { readyReplicas: ready, availableReplicas: ready } : {}),
    ...(wanted > ready ? { unavailableReplicas: wanted - ready } : {}),
  }
}

function onNodes({ wanted, total, updated, ready }: PodCounts): JsonObject {
  return {
    desiredNumberScheduled: wanted,
    currentNumberScheduled: total,
    numberMisscheduled: 0,
    numberReady: ready,
    ...(updated > 0 ? { updatedNumberScheduled: updated } : {}),
    ...(ready > 0 ? { numberAvailable: ready } : {}),
    ...(wanted > ready ? { numberUnavailable: wanted - ready } : {}),
  }
}

/** Of the whole template. */
export function templateHash(workload: KubernetesObject): string {
  return digest(JSON.stringify(valueAt(workload, ['spec', 'template']) ?? null)).slice(0, 10)
}

/** Only a restart counts: other changes of a template are the world's. */
function restartHash(workload: KubernetesObject): string {
  return digest(`${workload.metadata.name} ${annotationsOf(workload)[RESTARTED_AT] ?? ''}`).slice(0, 10)
}

function annotationsOf(workload: KubernetesObject): Readonly<Record<string, string>> {
  const annotations = valueAt(workload, ['spec', 'template', 'metadata', 'annotations'])
  return isObject(annotations) ? (annotations as Record<string, string>) : {}
}

function uuidOf(text: string): string {
  const hex = digest(text)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** Lower-case hex. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
