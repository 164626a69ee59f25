import type { KubeMetadata } from '../../model/kube.ts'
import { ANCHORS_HASH, COMPONENT, CONTROL_PLANE_OF } from './identity.ts'

/** Pods that ended use no certificate any more. Those that begin or end do. */
export const RUNNING_PODS = 'status.phase!=Succeeded,status.phase!=Failed'

/** Finds every Pod with a proxy, whatever its control plane. */
export const CONTROL_PLANES = CONTROL_PLANE_OF

/** Finds every Pod with a proxy of the control plane in this namespace, its own Pods among them. */
export function proxySelector(namespace: string): string {
  return `${CONTROL_PLANE_OF}=${namespace}`
}

/** The Pods with a proxy, those of the control plane apart: nothing injects them, and their annotation is of the chart. */
export interface MeshPods {
  readonly meshed: readonly KubeMetadata[]
  readonly controlPlane: readonly KubeMetadata[]
}

/** `namespaces` are those of control planes. */
export function meshPods(pods: readonly KubeMetadata[], ...namespaces: readonly string[]): MeshPods {
  const isOfControlPlane = (pod: KubeMetadata) =>
    namespaces.includes(pod.namespace ?? '') && Object.hasOwn(pod.labels ?? {}, COMPONENT)
  return {
    meshed: pods.filter((pod) => !isOfControlPlane(pod)),
    controlPlane: pods.filter(isOfControlPlane),
  }
}

/** SHA-256 (lower-case hex) of the text of the anchors that a Pod started with; empty: it does not say. */
export function anchorsHashOf({ annotations = {} }: KubeMetadata): string {
  const hash = annotations[ANCHORS_HASH]?.toLowerCase() ?? ''
  return /^[0-9a-f]{64}$/.test(hash) ? hash : ''
}

const MOST = 20

/** How many Pods started with which anchors. Beyond 20 kinds they count as Pods that do not say: never as ones that are as wanted. */
export function countAnchors(pods: readonly KubeMetadata[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>()
  for (const pod of pods) counts.set(anchorsHashOf(pod), (counts.get(anchorsHashOf(pod)) ?? 0) + 1)
  const sorted = [...counts].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
  const shown = sorted.length > MOST ? sorted.filter(([hash]) => hash !== '').slice(0, MOST - 1) : sorted
  const rest = pods.length - shown.reduce((sum, [, count]) => sum + count, 0)
  return Object.fromEntries([...shown, ...(rest === 0 ? [] : [['', rest] as const])])
}

/** How many there are, and RFC 3339 of the one that runs longest. */
export function startsOf(pods: readonly KubeMetadata[]): { readonly count: number; readonly oldestStart?: string } {
  const [oldestStart = ''] = pods.map(({ creationTimestamp = '' }) => creationTimestamp).sort()
  return { count: pods.length, ...(oldestStart === '' ? {} : { oldestStart }) }
}
