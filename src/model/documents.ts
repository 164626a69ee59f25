import type { CaRotation } from './ca-rotation.ts'
import type { CertificateSpec, CertificateTarget, CertificateVersion, DeliveryState } from './certificate.ts'
import type { ClusterSpec, ManagedClusterFacts, MeshFacts } from './cluster.ts'
import type { CommandState } from './command.ts'
import type { Condition } from './condition.ts'
import type { FreezeSpec } from './freeze.ts'
import { type HostHolder, hostKey } from './host.ts'
import type { CaSet, MeshCaSpec } from './mesh-ca.ts'
import type { NotificationState } from './notification.ts'
import type { OutboxEntry } from './outbox.ts'
import type { PlacementState } from './placement.ts'
import type { ServiceLayer } from './policy/layers.ts'
import type { SharedPolicySpec } from './policy/shared-policy.ts'
import type { PolicyReach, ServiceSpread, Spread } from './policy/spread.ts'
import type { RetiredVersion } from './retired.ts'
import type { Rollout } from './rollout.ts'
import type { Rotation } from './rotation.ts'
import { type ServiceSpec, splitServiceKey } from './service.ts'
import type { StrategySpec } from './strategy.ts'
import type { TeamSpec } from './team.ts'
import type { TrustState } from './trust.ts'

/** What every stored document carries. Fields that this code does not know are kept and written back. */
export interface DocumentBase {
  /** Version of the document's form. */
  readonly schema: number
  /** What must follow the last writes and has not been sent on yet. */
  readonly outbox: readonly OutboxEntry[]
  /** RFC 3339: the sweep takes the document up then. Absent: nothing is due. */
  readonly dueAt?: string
  /** Seconds after the last write at which the store may forget it; absent: never. */
  readonly ttl?: number
  readonly createdAt: string
  readonly updatedAt: string
}

/** A request with an Idempotency-Key that this document has carried out. The last 50 of 24 hours are kept. */
export interface IdempotencyRecord {
  /** Hash of caller, route and key. */
  readonly id: string
  /** Hash of the body. */
  readonly body: string
  readonly at: string
  /** What the first answer was: enough to answer alike. */
  readonly status: number
  readonly result: unknown
}

/** Documents that users own through PUT: `spec` is theirs, its hash is the API's ETag. */
export interface OwnedDocument<Kind extends string, Spec> extends DocumentBase {
  readonly kind: Kind
  readonly name: string
  readonly spec: Spec
  /** Raised by every change of `spec`. */
  readonly generation: number
  readonly idempotency: readonly IdempotencyRecord[]
}

export interface ClusterDocument extends OwnedDocument<'cluster', ClusterSpec> {
  readonly observedGeneration: number
  readonly conditions: readonly Condition[]
  readonly mesh?: MeshFacts
  /** What Azure says of it; only of clusters by ARM id. */
  readonly aks?: ManagedClusterFacts
  readonly kubernetesVersion?: string
  readonly probedAt?: string
  /** Failed probes in a row. */
  readonly attempts: number
  /** RFC 3339; deletion waits until no service is on the cluster. */
  readonly deletingAt?: string
  /** Deletion waits for nothing to be removed there: what was written stays. */
  readonly orphan?: boolean
}

export interface ServiceDocument extends OwnedDocument<'service', ServiceSpec> {
  readonly namespace: string
  /** The fence: raised by every write that changes a render, never reset. Starts at the epoch second of creation, so
   * that a service registered anew, or a store restored from a backup, is not older than what is on the cluster. */
  readonly renderRevision: number
  /** Clusters that the service is to be on now (names, or chosen by label), with what is stable on each. */
  readonly targets: Readonly<Record<string, { readonly stable: string }>>
  /** Clusters from which it has yet to be removed. */
  readonly leaving: readonly string[]
  /** Live rollouts; their clusters never overlap. */
  readonly rollouts: readonly Rollout[]
  /** By cluster: versions whose Deployments are to be scaled to 0, the newest last. Absent: none ever was. */
  readonly retired?: Readonly<Record<string, readonly RetiredVersion[]>>
  /** Copies of the shared policies that hold beneath its own words, the weakest first. Absent: none ever did. */
  readonly layers?: readonly ServiceLayer[]
  /** By cluster: indexes of the overrides that hold there. Absent: none is chosen by label; what they name decides. */
  readonly overridesOn?: Readonly<Record<string, readonly number[]>>
  /** By cluster: the newest render revision with which a shared policy changed something there. Absent: none has. */
  readonly policyRevision?: Readonly<Record<string, number>>
  /** While a change of its own words goes from cluster to cluster. Absent: every cluster is to have the newest. */
  readonly spread?: ServiceSpread
  /** Id of the rollout that ended last; absent: none has, or it ended before this was kept. */
  readonly lastEnded?: string
  readonly deletingAt?: string
}

export interface PlacementDocument extends DocumentBase, PlacementState {
  readonly kind: 'placement'
}

/** An ended rollout. */
export interface RolloutDocument extends DocumentBase {
  readonly kind: 'rollout'
  readonly service: string
  readonly rollout: Rollout
}

export interface CertificateDocument extends OwnedDocument<'certificate', CertificateSpec> {
  readonly observedGeneration: number
  readonly conditions: readonly Condition[]
  /** The version that is proven on every cluster that wants it; absent: none yet. */
  readonly current?: CertificateVersion
  /** The live rotation, or the one that ended last. */
  readonly rotation?: Rotation
  /** Ended rotations, the newest first; 20 at most. */
  readonly history: readonly Rotation[]
  /** Clusters that it is to be on now (names, or chosen by label), in order. Those without a target wait for a version. */
  readonly clusters: readonly string[]
  /** What each cluster is to hold. */
  readonly targets: Readonly<Record<string, CertificateTarget>>
  /** Clusters from which it has yet to be removed. */
  readonly leaving: readonly string[]
  /** Raised by every change of a target, never reset. Starts at the epoch second of creation, as services' does. */
  readonly revision: number
  /** Days before the end of `current` of which people were told: 30, 14, 7, 3, 1. */
  readonly warned: readonly number[]
  readonly deletingAt?: string
}

/** The CA of a mesh on one cluster. It shares names with certificates: /certificates/{name} is one or the other. */
export interface MeshCaDocument extends OwnedDocument<'mesh-ca', MeshCaSpec> {
  readonly observedGeneration: number
  readonly conditions: readonly Condition[]
  /** What the vault was seen to hold, checked; absent: nothing yet, or nothing usable. */
  readonly current?: CaSet
  /**
   * Of Linkerd, whose cluster gets `current` from reconcile: raised by every change of it, never reset. Starts at the epoch
   * second of creation, as services' does.
   */
  readonly revision?: number
  /** Of Linkerd, while it is taken over: PEM of the anchors that the cluster is to have before `current` is there. */
  readonly anchors?: string
  /** The live rotation, or the one that ended last. */
  readonly rotation?: CaRotation
  /** Ended rotations, the newest first; 20 at most. */
  readonly history: readonly CaRotation[]
  /** Ids of keys in the vault, with their versions, by the fingerprints of the roots that were made with them. */
  readonly rootKeys?: Readonly<Record<string, string>>
  /** Days before the end of a root or the signer of which people were told: 60, 30, 14, 7, 3, 1; by what ends. */
  readonly warned: { readonly root: readonly number[]; readonly signer: readonly number[] }
  readonly deletingAt?: string
}

/** What reconcile saw of a mesh CA on its cluster. */
export interface TrustDocument extends DocumentBase, TrustState {
  readonly kind: 'trust'
}

/** A policy for many services. What services carry of it are copies, which its spread brings. */
export interface PolicyDocument extends OwnedDocument<'policy', SharedPolicySpec> {
  readonly observedGeneration: number
  readonly conditions: readonly Condition[]
  /** RFC 3339: when `spec` came to be what it is, or the deletion began. Never falls. */
  readonly saidAt: string
  /** While it is brought to services, wave by wave. */
  readonly spread?: Spread
  /** As counted last. */
  readonly reach?: PolicyReach
  readonly deletingAt?: string
}

export interface DeliveryDocument extends DocumentBase, DeliveryState {
  readonly kind: 'delivery'
}

/**
 * One host on the gateways of one name: who holds which path. Claims on it contend for this document, so that two never
 * hold one path.
 */
export interface HostDocument extends DocumentBase {
  readonly kind: 'host'
  readonly gateway: string
  readonly host: string
  /** By service. */
  readonly holders: Readonly<Record<string, HostHolder>>
  /** Raised by every change of what is held. */
  readonly generation: number
  /** The fence, as services have it. */
  readonly renderRevision: number
  /** Clusters from which it has yet to be removed. */
  readonly leaving: readonly string[]
}

export interface NotificationDocument extends DocumentBase, NotificationState {
  readonly kind: 'notification'
}

export interface CommandDocument extends DocumentBase, CommandState {
  readonly kind: 'command'
}

export type TeamDocument = OwnedDocument<'team', TeamSpec>
export type FreezeDocument = OwnedDocument<'freeze', FreezeSpec>
export type StrategyDocument = OwnedDocument<'strategy', StrategySpec>

export interface DocumentOf {
  cluster: ClusterDocument
  service: ServiceDocument
  placement: PlacementDocument
  rollout: RolloutDocument
  team: TeamDocument
  freeze: FreezeDocument
  strategy: StrategyDocument
  certificate: CertificateDocument
  policy: PolicyDocument
  delivery: DeliveryDocument
  'mesh-ca': MeshCaDocument
  trust: TrustDocument
  host: HostDocument
  notification: NotificationDocument
  command: CommandDocument
}
export type DocumentKind = keyof DocumentOf
export type AnyDocument = DocumentOf[DocumentKind]

export const SCHEMA = 1

/** `east`, `shop/web`, `shop/web/east` (placement), `shop/web/shop.web.k3…` (ended rollout), `web-tls/east` (delivery), `east-ca` (mesh CA and what was seen of it), `external/web.example.com` (host). */
export function keyOf(document: AnyDocument): string {
  switch (document.kind) {
    case 'service':
      return `${document.namespace}/${document.name}`
    case 'placement':
      return `${document.service}/${document.cluster}`
    case 'rollout':
      return `${document.service}/${document.rollout.id}`
    case 'host':
      return hostKey(document.gateway, document.host)
    case 'delivery':
      return `${document.certificate}/${document.cluster}`
    case 'trust':
      return document.ca
    default:
      return document.name
  }
}

/**
 * Among which documents a name is one of a kind. `/certificates/{name}` is a certificate or the CA of a mesh, never both:
 * the two contend for one item of the store, so that a name that is taken by one cannot be taken by the other, whoever
 * comes first.
 */
export function nameSpaceOf(kind: DocumentKind): DocumentKind {
  return kind === 'mesh-ca' ? 'certificate' : kind
}

/**
 * A service, its placements and its ended rollouts share a partition, and so do a certificate and its deliveries, a mesh CA
 * and what was seen of it; every other document has one of its own.
 */
export function partitionOf(kind: DocumentKind, key: string): string {
  if (kind === 'trust' || kind === 'mesh-ca') return `certificate/${key}`
  if (kind === 'delivery') return `certificate/${key.split('/')[0]}`
  if (kind !== 'service' && kind !== 'placement' && kind !== 'rollout') return `${kind}/${key}`
  const { namespace, name } = splitServiceKey(key)
  return `service/${namespace}/${name}`
}
