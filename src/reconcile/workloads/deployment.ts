import type { KindRef, KubeObject } from '../../model/kube.ts'
import type { InventoryEntry } from '../../model/placement.ts'

export const DEPLOYMENT: KindRef = { apiVersion: 'apps/v1', kind: 'Deployment' }

type Labels = Readonly<Record<string, string>>

/** The parts of a Deployment's spec that are read here; the rest is copied as it is. */
export interface DeploymentSpec {
  readonly replicas?: number
  readonly selector?: { readonly matchLabels?: Labels }
  readonly template?: {
    readonly metadata?: { readonly labels?: Labels; readonly annotations?: Labels }
    readonly spec?: PodSpec
  }
  readonly [field: string]: unknown
}

export interface PodSpec {
  readonly containers?: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly [field: string]: unknown
}

export interface Container {
  readonly name: string
  readonly image?: string
}

export function specOf(deployment: KubeObject): DeploymentSpec {
  return (deployment.spec ?? {}) as DeploymentSpec
}

/** The labels of the Pods that a Deployment makes. */
export function podLabels(deployment: KubeObject): Labels {
  return specOf(deployment).template?.metadata?.labels ?? {}
}

/** How many Pods it is to have; one when it does not say, as the API defaults it. */
export function replicasOf(deployment: KubeObject): number {
  return specOf(deployment).replicas ?? 1
}

interface Status {
  readonly observedGeneration?: number
  readonly replicas?: number
  readonly updatedReplicas?: number
  readonly readyReplicas?: number
}

/** Are at least so many Pods of the present template ready, and none of an older one left? */
export function isRolledOut(deployment: KubeObject, replicas: number): boolean {
  const {
    observedGeneration = 0,
    replicas: all = 0,
    updatedReplicas = 0,
    readyReplicas = 0,
  } = (deployment.status ?? {}) as Status
  return (
    observedGeneration >= (deployment.metadata.generation ?? 0) &&
    Math.min(updatedReplicas, readyReplicas) >= replicas &&
    updatedReplicas === all
  )
}

/** Is it in the inventory as a workload? Those are never pruned: they may serve requests. */
export function isWorkload(entry: Pick<InventoryEntry, 'apiVersion' | 'kind'>): boolean {
  return entry.apiVersion === DEPLOYMENT.apiVersion && entry.kind === DEPLOYMENT.kind
}
