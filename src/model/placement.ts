import type { Condition } from './condition.ts'
import { canonicalJson } from './digest.ts'
import type { KubeRef } from './kube.ts'
import type { ScaledDown } from './retired.ts'

/** How sure it is that a render is live: written, taken by a controller, sent to the proxies, seen in traffic. */
export const RUNGS = ['none', 'stored', 'accepted', 'propagated', 'observed'] as const
export type Rung = (typeof RUNGS)[number]

/** One object that we applied and what it looked like then: drift shows in uid or generation without reading it whole. */
export interface InventoryEntry extends KubeRef {
  readonly uid: string
  readonly generation: number
  /** Hash of what we rendered, without the revision annotation. */
  readonly hash: string
  /** RFC 3339 of the last apply that changed it. */
  readonly changedAt: string
  /** The same by the cluster's own clock, in whole seconds, where its server tells: what controllers write is dated by it too. */
  readonly writtenAt?: string
}

/** Ready endpoints of one version on one cluster. */
export interface VersionReadiness {
  readonly ready: number
}

/** What a route sends to a version besides its weight. */
export interface SideRoute {
  /** Requests that match, those of clients that had the version before, or copies. */
  readonly kind: 'match' | 'affinity' | 'mirror'
  readonly version: string
  /** Tells one form of it from another. */
  readonly content: string
}

/** Those of `routes` that `others` has not got in the same form. */
export function sideRoutesBeyond(routes: readonly SideRoute[], others: readonly SideRoute[]): readonly SideRoute[] {
  const known = new Set(others.map(canonicalJson))
  return routes.filter((route) => !known.has(canonicalJson(route)))
}

/** Do both send the same to the same versions? */
export function sameSideRoutes(a: readonly SideRoute[], b: readonly SideRoute[]): boolean {
  return sideRoutesBeyond(a, b).length === 0 && sideRoutesBeyond(b, a).length === 0
}

/** What is known of one service on one cluster. Only reconcile writes it. */
export interface PlacementState {
  readonly service: string
  readonly cluster: string
  /** Generation of the service document that was last carried out in full. */
  readonly observedGeneration: number
  /** Render revision that is live on the cluster: every object applied, every barrier passed. 0: none yet. */
  readonly liveRevision: number
  /** Render revision of which every object is written and every barrier passed; live once it has settled. */
  readonly appliedRevision?: number
  /** Newest render revision of which anything was written: all that is known of the fence once the service is gone. */
  readonly writtenRevision?: number
  /** RFC 3339 of the moment when `liveRevision` was reached, settle time included. */
  readonly liveAt?: string
  /** Whole per cents by version, as last written. */
  readonly weights: Readonly<Record<string, number>>
  /** What goes to versions besides their weights, as last written. Absent: nothing does. */
  readonly sideRoutes?: readonly SideRoute[]
  /**
   * The render revision whose weights and side routes the route bears, and RFC 3339 of when proxies have had time to take them (it may
   * lie ahead). Moves even while other objects of that revision are held back. Absent: the route bears others.
   */
  readonly weightsLive?: { readonly revision: number; readonly at: string }
  /** Of a host: the paths that it lets in, and where they lead. */
  readonly routes?: readonly { readonly path: string; readonly service: string }[]
  readonly rung: Rung
  readonly versions: Readonly<Record<string, VersionReadiness>>
  readonly conditions: readonly Condition[]
  /** The last look at what could mix up the versions of a rollout that has not begun to shift, and at which render revision. */
  readonly preflight?: { readonly revision: number; readonly warnings: readonly string[] }
  readonly objects: readonly InventoryEntry[]
  /** RFC 3339 of restores within the last ten minutes. */
  readonly restores: readonly string[]
  /** RFC 3339: since when another hand's weights stand in place of a live rollout's. Absent: they do not. */
  readonly driftedAt?: string
  /** RFC 3339 of the last removal: what the removed object referred to stays for the settle time. */
  readonly removedAt?: string
  /** What became of versions that rollouts by `image` left without requests; the newest last. */
  readonly scaledDown?: readonly ScaledDown[]
  /** Failed attempts in a row; sets the backoff. */
  readonly attempts: number
  /** Nothing of ours is left there, and nothing is wanted there. */
  readonly pruned?: boolean
}

/** Condition types of a placement. */
export type PlacementCondition =
  | 'Ready'
  | 'Reachable'
  | 'EndpointsReady'
  /** Does every path of the host lead to its service? */
  | 'RoutesReady'
  /** Does no selector catch Pods of both versions of the rollout? As seen before its first step. */
  | 'VersionsApart'
  /** Does every ready Pod have the labels of `workload`, by which rules for Pods are bound? */
  | 'PodsBound'
  /** Are the Deployments at 0 that rollouts by `image` left without requests? */
  | 'ScaledDown'
  /** Will the mesh be there for good? Told only where its maker ends it. */
  | 'MeshMaintained'
  | 'Conflict'
  | 'Drifted'
  | 'Held'
  | 'Frozen'

/** The newest render revision that anything is known to have been done for there. */
export function newestRevision(
  placement: Pick<PlacementState, 'liveRevision' | 'appliedRevision' | 'writtenRevision'>,
): number {
  const { liveRevision, appliedRevision = 0, writtenRevision = 0 } = placement
  return Math.max(liveRevision, appliedRevision, writtenRevision)
}
