import type { ClusterSpec } from '../model/cluster.ts'
import type { KindRef, KubeMetadata, KubeObject, KubeRef } from '../model/kube.ts'

export interface ReadOptions {
  /** An answer to the same question that another pass got so lately will do; left out: the server is asked. */
  readonly maxAgeMs?: number
}

export interface ListOptions extends ReadOptions {
  /** All namespaces when left out. */
  readonly namespace?: string
  readonly labelSelector?: string
  /** `metadata.name=web`. A list of one name is covered by a right on that name. */
  readonly fieldSelector?: string
  /** Page size; the adapter follows `continue` to the end. 500 when left out. */
  readonly pageSize?: number
}

export interface ApplyOptions {
  /** Take fields from other managers. */
  readonly force: boolean
  /** The server checks and answers, and keeps nothing. */
  readonly dryRun?: boolean
  /** Field manager; `meshwright` when left out. An apply takes away what its manager owned and no longer names. */
  readonly manager?: string
}

export interface AccessQuestion {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly namespace?: string
  /** Of one object; absent: any. */
  readonly name?: string
}

export interface MetadataObject extends KindRef {
  readonly metadata: KubeMetadata
}

/** Which part of a Pod's log is wanted. The server cuts the tail first, then by time, then at so many bytes from the oldest on. */
export interface PodLogOptions {
  /** Not needed where the Pod has but one. */
  readonly container?: string
  /** RFC 3339; in whole seconds. */
  readonly sinceTime?: string
  readonly tailLines?: number
  readonly limitBytes?: number
}

/**
 * One cluster's Kubernetes API. Throws PortError: `conflict` with reason `FieldManagerConflict` (message names manager
 * and field) or `AlreadyExists`, `precondition` (uid or resourceVersion differ), `not-found` also for a kind that the
 * server does not know (reason `UnknownKind`), `denied`, `invalid` (the server's own words), `throttled`, `unavailable`.
 */
export interface ClusterApi {
  get(ref: KubeRef, options?: ReadOptions): Promise<KubeObject | undefined>
  list(kind: KindRef, options?: ListOptions): Promise<readonly KubeObject[]>
  /** Metadata alone: a fraction of the bytes. */
  listMetadata(kind: KindRef, options?: ListOptions): Promise<readonly MetadataObject[]>
  /** Server-side apply as field manager `meshwright`, strict. `metadata.uid` and `.resourceVersion` are preconditions. */
  apply(object: KubeObject, options: ApplyOptions): Promise<KubeObject>
  /** Removes the object if it still is the one named by `uid`, in the given version if any; a missing one is no error. */
  remove(ref: KubeRef, uid: string, resourceVersion?: string): Promise<void>
  /**
   * What a container of a Pod wrote, the oldest line first; each begins with its time (RFC 3339) and a space. Empty: nothing, or
   * the Pod runs nowhere yet. Throws PortError `not-found` for a Pod that is not there, `unavailable` with the reason `NoLog`
   * where its node does not give it.
   */
  podLog(pod: { readonly namespace: string; readonly name: string }, options?: PodLogOptions): Promise<string>
  /** Kubernetes version such as `v1.36.3`. */
  version(): Promise<string>
  /** May we do this? (SelfSubjectAccessReview) */
  mayI(question: AccessQuestion): Promise<boolean>
}

export interface ClusterApis {
  /** The way to a registered cluster. Throws PortError when it cannot be built (unknown context, no credential). */
  connect(cluster: { readonly name: string; readonly spec: ClusterSpec }): Promise<ClusterApi>
}
