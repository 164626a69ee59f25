import type { MeshFacts, ProviderName } from '../model/cluster.ts'
import type { CandidateRoutes } from '../model/desired-traffic.ts'
import type { Failure } from '../model/failure.ts'
import type { GatewaySpec } from '../model/gateway.ts'
import type { KindRef, KubeObject, KubeRef } from '../model/kube.ts'
import type { Rung, SideRoute } from '../model/placement.ts'
import type { Policy } from '../model/policy/policy.ts'
import type { ServiceSpec, VersionSpec } from '../model/service.ts'

import type { HostRenderer } from './host-renderer.ts'
import type { Reader } from './read/reader.ts'

/** What a provider renders from: one service on one cluster. */
export interface RenderInput {
  readonly namespace: string
  readonly name: string
  readonly spec: ServiceSpec
  /** What is asked for on this cluster: the service's own parts with the overrides and policies that hold there. */
  readonly policy: Policy
  readonly mesh: MeshFacts
  /** The gateways that the cluster's registration names. */
  readonly gateways?: Readonly<Record<string, GatewaySpec>>
  /** Written on each object as annotation `meshwright.io/revision`: the fence. */
  readonly renderRevision: number
  /** Whole per cents with the sum 100 for every version that the route names; a candidate before its first step has 0. */
  readonly weights: Readonly<Record<string, number>>
  /** What goes to a candidate besides its weight. */
  readonly candidate?: CandidateRoutes
}

/** What must hold before an object may be written. */
export type Barrier =
  /** At least one ready endpoint whose Pod carries the version's labels, for each version that gets requests or copies. */
  | {
      readonly kind: 'endpoints-ready'
      readonly versions: readonly string[]
      /** Looked for among the endpoints of the service's own Service, where versions have one each (`versionServices`). */
      readonly among?: 'all'
    }
  /** The object was not changed within the last `durationMs`: proxies have had time to take it. */
  | { readonly kind: 'settled'; readonly object: KubeRef; readonly durationMs: number }
  /**
   * An object that was not changed within `durationMs` and that the mesh's controller has taken: as `Provider.acceptance`
   * tells, else a route that every parent it names has accepted with all references resolved, for this generation where its
   * controller says for which. `controller`: whose word counts; absent: anyone's.
   */
  | { readonly kind: 'accepted'; readonly object: KubeRef; readonly durationMs: number; readonly controller?: string }
  /** An object of ours that is wanted no longer was removed, and proxies have had `durationMs` to take that. */
  | { readonly kind: 'gone'; readonly object: KubeRef; readonly durationMs: number }

export interface RenderStep {
  readonly object: KubeObject
  /** All must hold; else the render stops here and goes on later. */
  readonly barriers: readonly Barrier[]
}

export type RenderResult =
  | {
      readonly ok: true
      readonly steps: readonly RenderStep[]
      /** What must hold besides, once all is written, before it counts as live. */
      readonly live?: readonly Barrier[]
    }
  | { readonly ok: false; readonly failure: Failure }

/** What a controller says of an object; a message is a sentence for people. */
export type Acceptance =
  | { readonly state: 'accepted' }
  | { readonly state: 'waiting' | 'refused'; readonly message: string }

/** A selector for raw samples and how to read them. */
export interface CountQuery {
  /** PromQL instant vector selector. */
  readonly selector: string
  /** The label that tells versions apart. */
  readonly versionLabel: string
  /** Did requests with these labels fail? Left out: by `response_code` and `grpc_response_status`, as Istio writes them. */
  readonly failed?: (labels: Readonly<Record<string, string>>) => boolean
  /** Milliseconds of the unit of a histogram's edges; 1 when left out. */
  readonly unitMs?: number
}

/** A service whose requests are counted. */
export interface MeteredService {
  readonly namespace: string
  readonly name: string
  readonly spec?: ServiceSpec
}

/** The label by which metrics tell versions apart, and its value for each. */
export interface VersionLabels {
  readonly label: string
  readonly values: Readonly<Record<string, string>>
}

/**
 * One mesh. All of it is pure. A renderer consumes every field of the neutral model or refuses it: nothing is dropped.
 */
export interface Provider {
  readonly name: ProviderName
  /** The kinds that it writes: what resync lists and prune may remove. */
  readonly kinds: readonly KindRef[]
  /** Those of `kinds` that few services have: they are looked for only where one has them. None when left out. */
  readonly rareKinds?: readonly KindRef[]
  /** The highest rung that it can vouch for without metrics. */
  readonly reach: Rung
  /** The day on which its maker ends it, and what to do until then. Absent: none is known. */
  readonly retires?: { readonly on: string; readonly wayOut: string }
  /**
   * The Kubernetes Services by which versions are reached, where each has its own: their endpoints tell which version is
   * ready. Absent: all versions are endpoints of the service's own.
   */
  versionServices?(service: Pick<RenderInput, 'name' | 'spec'>): Readonly<Record<string, string>>
  /** Annotations that a version's Pods must bear besides its labels, so that the mesh counts them to it. Absent: none. */
  podAnnotations?(version: VersionSpec): Readonly<Record<string, string>>
  /**
   * Has the mesh's controller taken one of our objects? `writtenAt`, in epoch milliseconds, is when we last wrote its spec,
   * by the cluster's clock where its server told. Absent: the barrier says what is looked at.
   */
  acceptance?(live: KubeObject, writtenAt: number): Acceptance
  /** Objects in the order of writing. */
  render(input: RenderInput): RenderResult
  /**
   * The applies that lead from `live` to what `render` gave, make before break: structure and weights never change in
   * one, what others refer to comes before and goes after them, and barriers name only the versions that rise. Side
   * routes (see `liveSideRoutes`) are structure; those that go away do so alone, and before all else unless their version
   * rises. `live` holds our objects as they are. Every rendered object is the last apply of its kind, needed or not.
   */
  stage(live: readonly KubeObject[], desired: readonly RenderStep[]): readonly RenderStep[]
  /** Live weights by version in one of our objects; undefined when the object carries none. Several may carry them, all. */
  liveWeights(object: KubeObject): Readonly<Record<string, number>> | undefined
  /**
   * What one of our objects sends to versions besides their weights, in a fixed order: the objects with weights, or one of its
   * own.
   */
  liveSideRoutes(object: KubeObject): readonly SideRoute[]
  /** The order in which to remove: routes before what they refer to. */
  pruneOrder(refs: readonly KubeRef[]): readonly KubeRef[]
  /** How objects that others wrote are read as services. Absent: they are not. */
  readonly reader?: Reader
  /** How hosts of gateways are shared by services; absent: each service brings all that its hosts need. */
  readonly hosts?: HostRenderer
  /** Kinds in which a foreign object could claim the same host, and whether a given object does. `own`: what we render. */
  readonly conflictKinds: readonly KindRef[]
  claims(
    object: KubeObject,
    input: Pick<RenderInput, 'namespace' | 'name' | 'spec'>,
    own: readonly KubeObject[],
  ): boolean
  /**
   * May an object of others that claims the service be taken over, where the service says `adopt`? Not one that is for more or fewer
   * than the service, or of a kind that is not read: what it does would be gone. Absent: any may.
   */
  isAdoptable?(object: KubeObject, service: Pick<RenderInput, 'namespace' | 'name' | 'spec'>): boolean
  /** Does one of our objects claim just what another does? Where requests go within it, and how many, is no part of that. */
  sameClaim(one: KubeObject, other: KubeObject): boolean
  /** In place of `claims`, where no object tells by itself: those of `objects` that do claim it. */
  rivals?(objects: readonly KubeObject[]): readonly KubeObject[]
  /** Which requests failed, and how slow they were, by version. Absent, as all below: nothing of the mesh's own is counted. */
  requestCounts?(service: MeteredService): CountQuery
  latencyCounts?(service: MeteredService): CountQuery
  /** How the mesh's metrics name these versions. Absent: by the Pods' labels or the workload, as Istio does. */
  versionLabels?(service: MeteredService & { readonly spec: ServiceSpec }, versions: readonly string[]): VersionLabels
  /** Requests of callers that are not in the mesh, so that no weight holds for them. Absent: nobody counts those. */
  outsideCounts?(service: MeteredService): CountQuery
  /** Any requests that the mesh counted: a selector for whether it is scraped at all. */
  readonly anyRequests?: string
  /** Edges of its latency histogram in milliseconds, rising, where nobody set others. */
  readonly latencyEdgesMs?: readonly number[]
}

/** A mesh whose own counts are used. */
export type MeteredProvider = Provider &
  Required<Pick<Provider, 'requestCounts' | 'latencyCounts' | 'outsideCounts' | 'anyRequests' | 'latencyEdgesMs'>>

/** A sentence on the end of a mesh. */
export function retirement({ on, wayOut }: NonNullable<Provider['retires']>): string {
  return `Its maker ends it on ${on}. ${wayOut}`
}
