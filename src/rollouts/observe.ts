import { activeFreezes } from '../model/active-freezes.ts'
import { findCondition } from '../model/condition.ts'
import { type ClusterDocument, keyOf, type PlacementDocument, type ServiceDocument } from '../model/documents.ts'
import { timestamp } from '../model/names.ts'
import { type Rollout, type RolloutTarget, wentOnSince } from '../model/rollout.ts'
import { isExposed, wavesOf, waveTargets } from '../model/waves.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import type { Store } from '../ports/store.ts'
import { windowState } from '../ports/window-state.ts'
import { hasFreePlace } from './caps.ts'
import { type GateTimings, gateTimings, overallTiming } from './gate-timing.ts'
import { lookTogether } from './look-together.ts'
import type { Observations, TargetObservation } from './observations.ts'
import { preflightWarnings, type TargetPart } from './preflight-warnings.ts'

export interface ObserveDeps {
  readonly store: Store
  readonly clock: Clock
  readonly metrics: MetricsSources
  readonly caps: { readonly perCluster: number; readonly inAll: number }
}

const LOOKING: readonly Rollout['phase'][] = [
  'preflight',
  'progressing',
  'paused',
  'awaiting-approval',
  'blind',
  'promoting',
  'baking',
]

/** Reads once everything that a decision about one rollout needs: placements, freezes, caps, and what gates see. */
export async function observe(
  deps: ObserveDeps,
  service: ServiceDocument,
  rollout: Rollout,
  session?: string,
): Promise<Observations> {
  const now = deps.clock.now()
  const key = keyOf(service)
  const parts = await Promise.all(
    rollout.targets.map(async (target) => ({
      target,
      placement: (await deps.store.read('placement', `${key}/${target.cluster}`, session))?.value,
      cluster: (await deps.store.read('cluster', target.cluster))?.value,
    })),
  )
  const clusters = parts.flatMap(({ cluster }) => (cluster ? [cluster] : []))
  const timings = gateTimings(deps.metrics, rollout.gates, clusters)
  const held = rollout.breakGlass ? {} : await heldBy(deps.store, service, rollout, clusters, now)
  const isHeld = Object.keys(held).length > 0
  const slot = rollout.phase !== 'pending' || isHeld || (await hasFreePlace(deps, rollout))
  const mayShift = slot && !isHeld
  const warnings = mayShift ? await preflightWarnings(deps.metrics, service, rollout, parts, now) : []
  const looks = await lookAll(deps, service, rollout, parts, { timings, now })
  return {
    now,
    targets: Object.fromEntries(parts.map((part) => [part.target.cluster, observeTarget(service, rollout, part)])),
    ...held,
    slot,
    warnings,
    ...overallTiming(timings, rollout.gates),
    ...looks,
  }
}

/** A freeze, or change windows that are shut: nothing rises. */
async function heldBy(
  store: Store,
  service: ServiceDocument,
  rollout: Rollout,
  clusters: readonly ClusterDocument[],
  now: number,
): Promise<Pick<Observations, 'frozen' | 'closed' | 'opensAt'>> {
  const moved = clustersToRise(rollout)
  const rising = clusters.filter(({ name }) => moved.includes(name))
  const frozen = await freezeOn(store, service, rising, now)
  const { open, opensAt } = windowState(rollout.windows, now)
  const next = opensAt === undefined ? 'None opens any more.' : `The next opens at ${timestamp(opensAt)}.`
  const closed = open ? {} : { closed: next, ...(opensAt === undefined ? {} : { opensAt }) }
  return { ...(frozen === undefined ? {} : { frozen }), ...closed }
}

/** The clusters whose candidate may get more next: those of the wave, and from its promotion on those of the one after it. */
function clustersToRise(rollout: Rollout): readonly string[] {
  const following = rollout.phase === 'promoting' ? wavesOf(rollout)[(rollout.wave ?? 0) + 1] : undefined
  return [...waveTargets(rollout).map(({ cluster }) => cluster), ...(following?.clusters ?? [])]
}

async function freezeOn(
  store: Store,
  service: ServiceDocument,
  clusters: readonly ClusterDocument[],
  now: number,
): Promise<string | undefined> {
  const freezes = await store.all('freeze')
  const scope = { service: keyOf(service), namespace: service.namespace }
  for (const cluster of clusters) {
    const [freeze] = activeFreezes(freezes, { ...scope, cluster }, 'rollouts', now)
    if (freeze) return `${freeze.name} (${freeze.spec.reason})`
  }
  return undefined
}

async function lookAll(
  deps: ObserveDeps,
  service: ServiceDocument,
  rollout: Rollout,
  parts: readonly TargetPart[],
  timing: { timings: GateTimings; now: number },
): Promise<Pick<Observations, 'progress' | 'observedWeights'>> {
  if (!LOOKING.includes(rollout.phase) || rollout.gates.length === 0)
    return { progress: rollout.progress, observedWeights: {} }
  const due = parts.flatMap(({ target, placement, cluster }) => {
    // What cannot be reached, or has not the weight yet, is not judged.
    if (!cluster || !placement || !isExposed(target) || !isReachable(placement)) return []
    const since = liveSince(rollout, target, placement)
    return since === undefined ? [] : [{ service, rollout, target, cluster, since, ...timing }]
  })
  return lookTogether(deps.metrics, rollout, due)
}

function isReachable(placement: PlacementDocument | undefined): boolean {
  return placement !== undefined && findCondition(placement.conditions, 'Reachable')?.status !== 'False'
}

/**
 * From when on, in epoch milliseconds, a cluster's requests count: one that came back late has its weight later than the
 * others. Undefined: it has not got it yet.
 */
function liveSince(rollout: Rollout, target: RolloutTarget, placement: PlacementDocument): number | undefined {
  const revision = target.revision ?? rollout.revision
  if (placement.liveRevision < revision) return undefined
  const here = placement.liveRevision === revision ? placement.liveAt : undefined
  // Of an earlier wave, or one that the last step did not touch: it has what it has since its own revision was live.
  // Under a newer render, windows go on where the last one ended.
  if (target.revision !== undefined) return here === undefined ? countedTo(rollout, target) : Date.parse(here)
  if (rollout.liveAt === undefined) return undefined
  return Math.max(Date.parse(rollout.liveAt), Date.parse(here ?? rollout.liveAt))
}

/** The end of what was counted on a cluster, of the gate that is furthest behind; before the first look, since the phase began. */
function countedTo({ progress, phaseSince }: Rollout, { cluster }: RolloutTarget): number {
  const cursors = progress.flatMap((known) => (known.cluster === cluster ? (known.cursorMs ?? []) : []))
  return cursors.length === 0 ? Date.parse(phaseSince) : Math.min(...cursors)
}

/** A cluster that was never reached counts as away; one that is gone, too. */
function observeTarget(
  service: ServiceDocument,
  rollout: Rollout,
  { target, placement, cluster }: TargetPart,
): TargetObservation {
  const drifted = placement && findCondition(placement.conditions, 'Drifted')
  const obstacle = placement && obstacleOf(placement)
  const overlap = placement && overlapOf(placement, rollout)
  const live = placement?.weightsLive
  return {
    liveRevision: placement?.liveRevision ?? 0,
    ...(placement?.liveAt === undefined ? {} : { liveAt: Date.parse(placement.liveAt) }),
    reachable: cluster !== undefined && isReachable(placement),
    gone: cluster === undefined || !Object.hasOwn(service.targets, target.cluster),
    stableReady: placement?.versions[target.stable]?.ready ?? 0,
    candidateReady: placement?.versions[target.candidate]?.ready ?? 0,
    ...(live
      ? {
          written: {
            candidate: reachOf(placement, target.candidate),
            revision: live.revision,
            liveAt: Date.parse(live.at),
          },
        }
      : {}),
    ...(obstacle ? { obstacle } : {}),
    ...(overlap === undefined ? {} : { overlap }),
    weightChanged:
      drifted?.status === 'True' &&
      drifted.reason === 'WeightChanged' &&
      !wentOnSince(rollout, placement?.driftedAt ?? drifted.lastTransitionTime),
  }
}

/** Per cents of a version as the route bears them; what reaches it by a side route alone counts as 1. */
function reachOf({ weights, sideRoutes = [] }: PlacementDocument, version: string): number {
  return Math.max(weights[version] ?? 0, sideRoutes.some((route) => route.version === version) ? 1 : 0)
}

/** What an earlier rollout was refused for says nothing of this one. */
function overlapOf({ preflight, conditions }: PlacementDocument, { revision }: Rollout): string | undefined {
  if (preflight === undefined || preflight.revision < revision) return undefined
  const apart = findCondition(conditions, 'VersionsApart')
  return apart?.status === 'False' ? apart.message : undefined
}

/** A write that only has to settle is on its way: no obstacle. */
function obstacleOf(placement: PlacementDocument): { reason: string; message: string } | undefined {
  const standing = placement.conditions.find(
    ({ type, status, reason }) =>
      (['Conflict', 'Held', 'Frozen'].includes(type) && status === 'True') ||
      (type === 'Ready' && status === 'False' && reason !== 'Settling'),
  )
  return standing && { reason: standing.reason, message: `${placement.cluster}: ${standing.message}` }
}
