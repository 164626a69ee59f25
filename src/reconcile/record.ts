import { findCondition } from '../model/condition.ts'
import { liveRolloutOn } from '../model/desired-weights.ts'
import type { PlacementDocument } from '../model/documents.ts'
import { describeRef, refOf } from '../model/kube.ts'
import { timestamp } from '../model/names.ts'
import { isPortError, type PortError } from '../ports/port-error.ts'
import type { OutboxFate } from '../ports/store.ts'
import { refKey } from './content.ts'
import { type ReconcileDeps, SETTLE_MS } from './deps.ts'
import { recentRestores } from './drift.ts'
import { type ClusterTrouble, troubleOf } from './failures.ts'
import type { Overlaps } from './find-overlaps.ts'
import type { Prepared, StoredState } from './gather.ts'
import { inventoryAfter, lastChange } from './inventory.ts'
import { type Happening, nextPlacement, type PlacementUpdate } from './next-placement.ts'
import type { Pass } from './pass.ts'
import { type Finding, findingsOf } from './placement-conditions.ts'
import type { ReconcileOutcome } from './reconcile-placement.ts'
import { type HostPart, isReturning, type PlacedService, type Stop } from './situation.ts'
import { type Traffic, trafficAfter, trafficWords, weightsLiveAfter } from './traffic-after.ts'
import { scaledDownAfter, scaledDownFindings } from './workloads/scaled-down-after.ts'

/** What every record is about. */
export interface Scene {
  readonly deps: ReconcileDeps
  readonly stored: StoredState
  readonly service: PlacedService
  readonly cluster: string
  /** Of the placement. */
  readonly outbox?: OutboxFate
}

/** A settle time so short is waited for within the pass. */
const SHORT_MS = 250

export type Recorded = ReconcileOutcome | 'again'
type State = PlacementUpdate['state']

/** After a walk over the cluster: inventory, weights, revisions, conditions, and when to come again. */
export async function recordPass(scene: Scene, pass: Pass): Promise<Recorded> {
  const { deps, service } = scene
  const before = scene.stored.placement?.value
  const now = deps.clock.now()
  const at = timestamp(now)
  const objects = inventoryAfter(pass.situation, pass.written, pass.gone, at)
  const settleMs = deps.settleMs ?? SETTLE_MS
  const settled = lastChange(objects) + settleMs
  const trouble = pass.error && troubleFor(scene, pass.error)
  const complete = !pass.stop && !trouble
  // Another pass for what is over in a moment would cost more than to stay.
  const leftMs = settled - now
  if (complete && leftMs > 0 && leftMs <= SHORT_MS) await deps.clock.sleep(leftMs)
  const isLive = complete && settled <= deps.clock.now()
  const traffic = trafficAfter(pass)
  const state: State = {
    ...(pass.written.length > 0 ? { writtenRevision: service.renderRevision } : {}),
    ...(complete ? { appliedRevision: service.renderRevision, rung: 'stored' as const } : {}),
    ...(isLive ? liveState(scene, pass.situation.provider.reach, Math.max(now, settled)) : {}),
    ...restoresAfter(pass, before, now, at),
    ...(pass.removed ? { removedAt: at } : complete ? { removedAt: undefined } : {}),
    driftedAt: driftedAt(pass, before, at),
    pruned: undefined,
    objects,
    ...traffic,
    ...routesAfter(pass, trouble),
    weightsLive: weightsLiveAfter(pass, objects, settleMs),
    ...preflightAfter(scene, pass.situation.observed.overlaps),
    versions: pass.situation.observed.versions,
    ...scaledDownAfter(pass),
    attempts: trouble ? (before?.attempts ?? 0) + 1 : 0,
  }
  const findings = [
    ...findingsOf(pass.situation, pass.stop),
    ...scaledDownFindings(pass),
    readyFinding(pass.stop, trouble, isLive),
  ]
  const again = trouble ? now + trouble.retryMs : againAfter(scene, pass, settled, isLive)
  const happenings = happeningsOf(scene, pass, complete, traffic)
  const result: Result = trouble
    ? { state: 'failed', ...words(trouble) }
    : pass.stop
      ? { state: 'stopped', ...words(pass.stop) }
      : isLive
        ? { state: 'live', ...LIVE }
        : { state: 'settling', ...SETTLING }
  return save(scene, { state, findings, again, happenings }, result)
}

/** After an error of the cluster before anything was written: what is known stays known. */
export async function recordTrouble(scene: Scene, error: PortError): Promise<Recorded> {
  const trouble = troubleFor(scene, error)
  const attempts = (scene.stored.placement?.value.attempts ?? 0) + 1
  const findings = [reachableFinding(trouble), readyFinding(undefined, trouble, false)]
  const again = scene.deps.clock.now() + trouble.retryMs
  return save(scene, { state: { attempts }, findings, again, happenings: [] }, { state: 'failed', ...words(trouble) })
}

/** The service cannot be rendered for the cluster: nothing was asked of it. */
export async function recordStop(scene: Scene, stop: Stop): Promise<Recorded> {
  const again = againOf(scene, stop)
  const findings = [readyFinding(stop, undefined, false)]
  return save(scene, { state: {}, findings, again, happenings: [] }, { state: 'stopped', ...words(stop) })
}

/** Everything is written and has not settled yet. */
export async function recordWait(scene: Scene, until: number): Promise<Recorded> {
  return save(scene, { state: {}, findings: [], again: until, happenings: [] }, { state: 'settling', ...SETTLING })
}

/** Everything was written before and has settled: live, without another look at the cluster. */
export async function recordLive(scene: Scene, prepared: Prepared): Promise<Recorded> {
  const now = scene.deps.clock.now()
  const state = liveState(scene, prepared.provider.reach, now)
  const { versions = {}, conditions = [] } = scene.stored.placement?.value ?? {}
  const overlapping = findCondition(conditions, 'VersionsApart')?.status === 'False'
  const again = awaitsCandidate(scene, versions, overlapping) ? pollAt(scene, now) : undefined
  const findings = [readyFinding(undefined, undefined, true)]
  return save(scene, { state, findings, again, happenings: [] }, { state: 'live', ...LIVE })
}

type Result = Pick<ReconcileOutcome, 'state' | 'reason' | 'message'>

const LIVE = { reason: 'Live', message: 'All objects are written, and proxies have had time to take them.' }
const SETTLING = { reason: 'Settling', message: 'All objects are written; proxies are given time to take them.' }

/** Writes the placement if something changed; `again` when another writer was first. */
export async function save(
  scene: Scene,
  update: Omit<PlacementUpdate, 'service' | 'cluster'>,
  result: Result,
): Promise<Recorded> {
  const { store, clock } = scene.deps
  const before = scene.stored.placement
  const { service, cluster, outbox = 'sent' } = scene
  const next = nextPlacement(before?.value, { ...update, service, cluster }, clock.now())
  const again = update.again === undefined ? {} : { again: timestamp(update.again) }
  const outcome = { ...result, weights: next.weights, ...again }
  try {
    if (next === before?.value) return outcome
    const written = await (before ? store.replace(before, next, outbox) : store.create(next, outbox))
    return outbox === 'left' ? { ...outcome, left: written } : outcome
  } catch (error) {
    if (isPortError(error, 'conflict', 'precondition')) return 'again'
    throw error
  }
}

function liveState({ service, stored }: Scene, reach: PlacementDocument['rung'], now: number): State {
  const reached = stored.placement?.value.liveRevision === service.renderRevision
  return {
    observedGeneration: service.generation,
    ...(reached ? {} : { liveRevision: service.renderRevision, liveAt: timestamp(now), rung: reach }),
  }
}

/** What a host lets in, also while it waits for more. */
function routesAfter({ situation: { host }, stop }: Pass, trouble: ClusterTrouble | undefined): State {
  return host && !trouble && (!stop || stop === host.waits) ? { routes: host.routes } : {}
}

function routeWords({ routes }: HostPart): string {
  return routes.map(({ path, service }) => `${path} leads to ${service}`).join(', ') || 'no path is let in yet'
}

/** What was seen before the first step is kept until the rollout is over. */
function preflightAfter({ service, cluster }: Scene, overlaps: Overlaps | undefined): State {
  if (overlaps) return { preflight: { revision: service.renderRevision, warnings: overlaps.warnings } }
  return liveRolloutOn(service, cluster) ? {} : { preflight: undefined }
}

function restoresAfter(pass: Pass, before: PlacementDocument | undefined, now: number, at: string): State {
  const restored = pass.written.some(({ write }) => write.restores !== undefined)
  return restored ? { restores: [...recentRestores(before, now), at] } : {}
}

function driftedAt(pass: Pass, before: PlacementDocument | undefined, at: string): string | undefined {
  if (pass.stop?.reason === 'WeightChanged') return before?.driftedAt ?? at
  const restored = new Set(pass.written.map(({ write }) => refKey(refOf(write.object))))
  const left = pass.plan.drifts.some((drift) => drift.kind === 'weights' && !restored.has(refKey(drift.ref)))
  return left ? before?.driftedAt : undefined
}

function happeningsOf(
  { cluster }: Scene,
  { situation, written }: Pass,
  complete: boolean,
  traffic: Traffic,
): readonly Happening[] {
  const happenings: Happening[] = []
  for (const { write } of written) {
    if (!write.restores) continue
    const { hands, fields, kind } = write.restores
    const hand = hands.length === 0 ? 'another hand' : hands.join(', ')
    const { uid = '', generation = 0 } = write.live?.metadata ?? {}
    happenings.push({
      type: 'placement.drift-restored',
      reason: kind === 'removed' ? 'Removed' : 'Changed',
      message: `${describeRef(write.restores.ref)} on ${cluster} was ${kind === 'removed' ? 'removed' : 'changed'} by ${hand} and is restored.`,
      data: { object: write.restores.ref, hands, fields },
      discriminator: `${refKey(write.restores.ref)} ${uid} ${generation} ${situation.placement?.restores.length ?? 0}`,
    })
  }
  const objects = written.filter(({ write }) => write.effect !== 'mark').map(({ write }) => refOf(write.object))
  if (complete && objects.length > 0) {
    const message = `Written to ${cluster}: ${situation.host ? routeWords(situation.host) : trafficWords(traffic)}.`
    const { weights } = traffic
    happenings.push({ type: 'placement.applied', reason: 'Applied', message, data: { weights, objects } })
  }
  return happenings
}

function troubleFor({ deps, stored, service, cluster }: Scene, error: PortError): ClusterTrouble {
  const attempts = (stored.placement?.value.attempts ?? 0) + 1
  return troubleOf(error, attempts, deps.random, isReturning(service, cluster))
}

function reachableFinding({ reachable, reason, message }: ClusterTrouble): Finding {
  if (reachable) return { type: 'Reachable', status: 'True', reason: 'Answers', message: 'The cluster answers.' }
  return { type: 'Reachable', status: 'False', reason, message }
}

function readyFinding(stop: Stop | undefined, trouble: ClusterTrouble | undefined, isLive: boolean): Finding {
  if (trouble) return { type: 'Ready', status: trouble.reachable ? 'False' : 'Unknown', ...words(trouble) }
  if (stop) return { type: 'Ready', status: 'False', ...words(stop) }
  return isLive ? { type: 'Ready', status: 'True', ...LIVE } : { type: 'Ready', status: 'False', ...SETTLING }
}

function words({ reason, message }: { reason: string; message: string }): { reason: string; message: string } {
  return { reason, message }
}

function againAfter(scene: Scene, pass: Pass, settled: number, isLive: boolean): number | undefined {
  if (pass.stop) return againOf(scene, pass.stop)
  if (!isLive) return settled
  const { versions, overlaps } = pass.situation.observed
  const overlapping = overlaps?.overlap !== undefined
  const polled = awaitsCandidate(scene, versions, overlapping) ? [pollAt(scene, scene.deps.clock.now())] : []
  const dates = [...polled, ...pass.plan.scaleDowns.flatMap(({ again }) => again ?? [])]
  return dates.length === 0 ? undefined : Math.min(...dates)
}

function againOf(scene: Scene, stop: Stop): number | undefined {
  return stop.again === 'poll' ? pollAt(scene, scene.deps.clock.now()) : stop.again
}

/** Does a rollout that has not begun to shift wait for endpoints of its candidate, or for versions that are apart? */
function awaitsCandidate(
  { service, cluster }: Scene,
  versions: PlacementDocument['versions'],
  overlapping: boolean,
): boolean {
  const live = liveRolloutOn(service, cluster)
  if (!live || (live.rollout.phase !== 'pending' && live.rollout.phase !== 'preflight')) return false
  return overlapping || (versions[live.target.candidate]?.ready ?? 0) < 1
}

const POLL_LEAST_MS = 2000
const POLL_MOST_MS = 60_000
const POLL_MOST_IN_ROLLOUT_MS = 15_000

/** The longer it has waited, the less often: half the time waited so far. */
function pollAt({ stored, service, cluster }: Scene, now: number): number {
  const conditions = stored.placement?.value.conditions ?? []
  const waiting = ['EndpointsReady', 'VersionsApart', 'Ready']
    .map((type) => findCondition(conditions, type))
    .find((condition) => condition?.status === 'False')
  const waited = waiting ? now - Date.parse(waiting.lastTransitionTime) : 0
  const most = liveRolloutOn(service, cluster) ? POLL_MOST_IN_ROLLOUT_MS : POLL_MOST_MS
  return now + Math.min(most, Math.max(POLL_LEAST_MS, Math.round(waited / 2)))
}
