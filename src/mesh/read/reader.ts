import type { MeshFacts } from '../../model/cluster.ts'
import type { GatewaySpec } from '../../model/gateway.ts'
import type { KindRef, KubeObject } from '../../model/kube.ts'
import type { Finding } from '../lint/finding.ts'
import type { KubeService } from './kube-service.ts'
import type { Meaning } from './meaning.ts'

/** What was seen of a cluster, as readers look at it. */
export interface SeenObjects {
  /** Kubernetes Services, of all namespaces that are read. */
  readonly services: readonly KubeObject[]
  /** Objects of the kinds of a reader, without those that Meshwright wrote. */
  readonly objects: readonly KubeObject[]
  readonly mesh: MeshFacts
  /** The gateways that the cluster's registration names. */
  readonly gateways?: Readonly<Record<string, GatewaySpec>>
}

/** Of all objects those that decide about one service. */
export interface Chosen {
  readonly objects: readonly KubeObject[]
  /** Those that the mesh does not take beside them. */
  readonly idle: readonly KubeObject[]
  /** What is to be said of the choice itself. */
  readonly findings: readonly Finding[]
}

/** The body of a service without its team and clusters, in parts that have yet to pass the schema. */
export type Draft = Readonly<Record<string, unknown>>

/** What a reader makes of the objects of a service. What it leaves out is found by comparison. */
export interface Reading {
  readonly draft: Draft
  readonly findings: readonly Finding[]
}

/**
 * How objects of a mesh, written by others, become the words of a service. A reader need not be whole: what it does not read, and what
 * it reads wrongly, shows as a difference between `meaning` of what is there and of what would be written.
 */
export interface Reader {
  /** What it lists on a cluster besides Services. */
  readonly kinds: readonly KindRef[]
  /** Objects that are for one service; undefined: none is. */
  choose(service: KubeService, seen: SeenObjects): Chosen | undefined
  /** Objects that are for no one service, and so stay as they are, with why. `taken`: those that were chosen for services. */
  left(seen: SeenObjects, taken: ReadonlySet<KubeObject>): readonly Finding[]
  read(service: KubeService, chosen: readonly KubeObject[], seen: SeenObjects): Reading
  /** What objects mean for the service, theirs or ours. */
  meaning(service: KubeService, objects: readonly KubeObject[], seen: SeenObjects): Meaning
  /** By topic, the field of a service that says it, where an object that is not taken over stays in force beside ours. */
  readonly standsAlone: Readonly<Record<string, string>>
}
