import type { Barrier, Provider, RenderStep } from '../mesh/provider.ts'
import { liveRolloutOn } from '../model/desired-weights.ts'
import type { ClusterDocument, FreezeDocument, PlacementDocument, ServiceDocument } from '../model/documents.ts'
import type { KubeObject } from '../model/kube.ts'
import type { VersionReadiness } from '../model/placement.ts'
import type { Overlaps } from './find-overlaps.ts'
import type { WorkloadsSeen } from './workloads/workloads.ts'

/** The part of a service document that names it and dates its render. */
export type PlacedService = Pick<
  ServiceDocument,
  'namespace' | 'name' | 'generation' | 'renderRevision' | 'rollouts'
> & {
  /** Kubernetes namespace of its objects, where that is not its own: those of a host lie with the gateway. */
  readonly objectsIn?: string
}

/** The part of a service document that a plan needs: so a service can be planned before it is stored. */
export type PlannedService = PlacedService &
  Pick<ServiceDocument, 'spec' | 'layers' | 'overridesOn' | 'spread' | 'targets' | 'retired'>

/** What was seen on the cluster. */
export interface Observed {
  /** Undefined: there is no such namespace. */
  readonly namespace: KubeObject | undefined
  /** Objects that bear the names of ours, by `refKey`. Those not read, for nothing changes in them, are as rendered. */
  readonly objects: ReadonlyMap<string, KubeObject>
  readonly versions: Readonly<Record<string, VersionReadiness>>
  /** Where versions have Services of their own: by version, the ready endpoints of the service's own Service. */
  readonly amongAll?: Readonly<Record<string, VersionReadiness>>
  /** Versions with ready Pods that lack the labels of `workload`; absent where the service names none. */
  readonly unbound?: readonly string[]
  /** Objects of others that claim the service under other names; undefined when they were not looked for. */
  readonly rivals: readonly KubeObject[] | undefined
  /** Selectors that mix up the versions of a rollout; absent when they were not looked for. */
  readonly overlaps?: Overlaps
  /** What decides about the Deployments of a rollout by `image`; absent when they were not looked at. */
  readonly workloads?: WorkloadsSeen
}

/** All that decides what to write: one service on one cluster at one moment. */
export interface Situation {
  readonly service: PlannedService
  readonly cluster: Pick<ClusterDocument, 'name' | 'spec' | 'deletingAt'>
  readonly provider: Provider
  readonly weights: Readonly<Record<string, number>>
  readonly rendered: readonly RenderStep[]
  /** What must hold besides, once all is written, before it counts as live. */
  readonly live?: readonly Barrier[]
  /** What is known only of a host. */
  readonly host?: HostPart
  readonly placement: PlacementDocument | undefined
  readonly freezes: readonly FreezeDocument[]
  readonly observed: Observed
  /** Epoch milliseconds. */
  readonly now: number
  /** In place of the settle times of barriers, where set. */
  readonly settleMs: number | undefined
}

/** What a host lets in on a cluster. */
export interface HostPart {
  readonly routes: NonNullable<PlacementDocument['routes']>
  /** Why not all that is held is let in. */
  readonly waits?: Stop
}

/** Why nothing more is written now. `condition` is the abnormal condition that says so, if one does. */
export interface Stop {
  readonly condition?: 'Conflict' | 'Drifted' | 'Held' | 'Frozen'
  readonly reason: string
  readonly message: string
  /** What is wanted no longer is to be removed nevertheless: the next write waits for that. */
  readonly removes?: boolean
  /** Epoch milliseconds: look again then. Absent: by readiness poll, or only when called. */
  readonly again?: number | 'poll'
}

/** Look again at what only a person ends (holds, freezes, conflicts). */
export const LOOK_AGAIN_MS = 60_000

/** The stable version on the cluster, as the live rollout or else the service says. */
export function stableOn(service: PlannedService, cluster: string): string | undefined {
  return liveRolloutOn(service, cluster)?.target.stable ?? service.targets[cluster]?.stable
}

/** Does the live rollout go back there, or on without the cluster? Then writes force, and wait for no one. */
export function isReturning(service: Pick<PlacedService, 'rollouts'>, cluster: string): boolean {
  const live = liveRolloutOn(service, cluster)
  return live !== undefined && (live.rollout.phase === 'rolling-back' || live.target.out !== undefined)
}

/** Is there a live rollout on the cluster that has not asked anything for its candidate there, and does not go back? */
export function isBeforeShift(service: Pick<PlacedService, 'rollouts'>, cluster: string): boolean {
  const live = liveRolloutOn(service, cluster)
  if (!live || live.rollout.phase === 'rolling-back') return false
  return (live.target.highestWeight ?? live.target.weight) === 0
}

/** Is the service to be on the cluster? */
export function isWanted(service: Pick<ServiceDocument, 'targets' | 'deletingAt'>, cluster: string): boolean {
  return service.deletingAt === undefined && Object.hasOwn(service.targets, cluster)
}
