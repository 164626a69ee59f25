import type { ProxyRole } from '../../mesh/trust/proxy-pods.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { WorkloadRef } from '../../model/restarts.ts'

/** The annotation of the Pod template that restarts a workload, as kubectl does it. */
export const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt'

/** A workload that makes Pods with a proxy, as it was seen. */
export interface Workload extends WorkloadRef {
  readonly uid: string
  /** As read: its uid and resourceVersion are what a write rests on. */
  readonly live: KubeObject
  readonly role: ProxyRole
  /** Its Pods with a proxy. */
  readonly pods: number
  /** Of those, the ones that are to be restarted. */
  readonly old: number
  /** RFC 3339 of its oldest Pod that is to be restarted; empty text when there is none. */
  readonly oldestStart: string
  /** Every Pod is of the present template and available. */
  readonly isRolledOut: boolean
  /** RFC 3339: the value of the annotation; absent: nobody restarted it, or in words that are no time. */
  readonly restartedAt?: string
  /** Why it is never restarted. */
  readonly cannot?: string
  /** Why it is not begun for now. */
  readonly problem?: string
}

/** Was it restarted at `time` (RFC 3339) or later, by whomever? */
export function wasRestartedBy({ restartedAt }: Pick<Workload, 'restartedAt'>, time: string): boolean {
  return restartedAt !== undefined && Date.parse(restartedAt) >= Date.parse(time)
}

/** `Deployment/shop/web`: the same for a workload and a record of it. */
export function workloadKey({ kind, namespace, name }: WorkloadRef): string {
  return `${kind}/${namespace}/${name}`
}
