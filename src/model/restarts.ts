import * as z from 'zod'
import { durationBetween } from './names.ts'
import { timeWindow } from './window.ts'

/** Part of the spec of a mesh CA: workloads are restarted so that a rotation need not wait for their certificates to end. */
export const restartsSpec = z
  .strictObject({
    percent: z
      .int()
      .min(1)
      .max(5)
      .default(5)
      .describe('Of the Pods with a proxy that are restarted at once; a workload with more is restarted alone'),
    atOnce: z
      .int()
      .min(1)
      .max(10)
      .default(10)
      .describe('Workloads that are restarted at once, never two of a namespace'),
    readyTimeout: durationBetween('1m', '2h')
      .default('10m')
      .describe('A workload that is not ready by then stops the restarts until it is'),
    windows: z
      .array(timeWindow)
      .max(20)
      .optional()
      .describe('When workloads may be restarted, within the windows of the CA; any time when left out'),
  })
  .describe(
    'While a rotation waits for proxies, Deployments, StatefulSets and DaemonSets are restarted. Never when left out',
  )
export type RestartsSpec = z.infer<typeof restartsSpec>

/** What a rotation wants of the Pods with a proxy. Reconcile restarts their workloads until there is none left that it is not so of. */
export interface RestartIntent {
  /** RFC 3339: Pods that were created then or before are restarted. The moment has passed. */
  readonly olderThan: string
  /**
   * Of Linkerd: the SHA-256 (lower-case hex) of the text of the anchors that Pods of its data plane are to have started with.
   * Those with others are restarted, whatever their age.
   */
  readonly anchors?: string
  /** Of Linkerd: the Pods of its control plane are restarted too, by their age: before all else, or they alone. */
  readonly controlPlane?: 'first' | 'alone'
}

export const RESTARTABLE = ['Deployment', 'StatefulSet', 'DaemonSet'] as const

export interface WorkloadRef {
  readonly kind: (typeof RESTARTABLE)[number]
  readonly namespace: string
  readonly name: string
}

/** A workload that was begun. It is recorded before the cluster is asked, so that it is never asked for a second time. */
export interface WorkloadUnderWay extends WorkloadRef {
  readonly uid: string
  /** RFC 3339: when it was begun, and the value of the annotation that restarts it. */
  readonly since: string
  /** The cluster has taken it. Absent: it may have, or not yet. */
  readonly written?: true
}

/** A workload whose restart the cluster refused. */
export interface WorkloadRefused extends WorkloadRef {
  readonly uid: string
  /** RFC 3339. */
  readonly at: string
  /** CamelCase for machines. */
  readonly reason: string
  readonly message: string
}

/** How far restarts are. */
export interface RestartProgress {
  readonly underWay: readonly WorkloadUnderWay[]
  /** Workloads that have no Pod to be restarted any more, whoever restarted them. */
  readonly done: number
  /** Workloads that have not been begun. */
  readonly left: number
  /** What has such a Pod and cannot be restarted, with the reason; up to 20. */
  readonly cannot: readonly string[]
  /** What is not begun for now, with the reason; up to 5. */
  readonly waiting: readonly string[]
  /** How many are not begun for now; absent: as many as `waiting` names. */
  readonly waitingCount?: number
  /** `Deployment shop/web`: it is not ready in time, so nothing else is begun. */
  readonly stuck?: string
  /** Why nothing is begun. */
  readonly held?: { readonly reason: string; readonly message: string }
}

/** As reconcile records it. */
export interface RestartsState extends RestartProgress {
  readonly intent: RestartIntent
  /** What the cluster refused to restart for this intent; for a while it is not asked again. 50 at most. */
  readonly refused?: readonly WorkloadRefused[]
  /** People were told that it began, or that it is through. */
  readonly told?: 'begun' | 'over'
}

/** `12 of 40 workloads restarted; Deployment shop/web is under way.` */
export function describeProgress(progress: RestartProgress): string {
  const { done, left, underWay, cannot, waiting, stuck, held } = progress
  const all = done + left + underWay.length
  const [first, ...more] = underWay
  const others = more.length === 0 ? ' is' : ` and ${more.length} more are`
  const now = first ? `; ${describeWorkload(first)}${others} under way` : ''
  const parts = [`${done} of ${all} workloads restarted${now}.`]
  if (stuck !== undefined)
    parts.push(`${stuck} is not ready after its restart: no other is begun until it is. See what holds its Pods.`)
  if (held) parts.push(`Restarts are held: ${held.message}`)
  const [waits] = waiting
  if (waits !== undefined) parts.push(`${countWaiting(progress)} not for now: ${waits}.`)
  if (cannot.length > 0)
    parts.push(`${cannot.length === 1 ? 'One is' : `${cannot.length} are`} left to you: ${cannot[0]}.`)
  return parts.join(' ')
}

/** Workloads that have not been begun, and may not be for now. */
export function countWaiting({ waiting, waitingCount }: Pick<RestartProgress, 'waiting' | 'waitingCount'>): number {
  return waitingCount ?? waiting.length
}

export function describeWorkload({ kind, namespace, name }: WorkloadRef): string {
  return `${kind} ${namespace}/${name}`
}
