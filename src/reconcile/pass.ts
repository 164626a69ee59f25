import { findCondition } from '../model/condition.ts'
import type { ServiceDocument } from '../model/documents.ts'
import { refOf } from '../model/kube.ts'
import type { ClusterApi } from '../ports/cluster-api.ts'
import { isPortError, PortError } from '../ports/port-error.ts'
import { type ApplyOutcome, applyWrites, isRace, type Written } from './apply.ts'
import { isOurs } from './conflict.ts'
import { refKey } from './content.ts'
import type { ReconcileDeps } from './deps.ts'
import {
  gatherCluster,
  gatherRivals,
  keyOfService,
  type Prepared,
  RECENT,
  type StoredState,
  unchangedObjects,
} from './gather.ts'
import { keepNamedRoutes } from './hosts/named-routes.ts'
import { forbids } from './permission.ts'
import { planWrites, type WritePlan } from './plan-writes.ts'
import { type Doomed, type Removal, removeFirst } from './prune.ts'
import { isReturning, LOOK_AGAIN_MS, type Situation, type Stop } from './situation.ts'
import { isWorkload } from './workloads/deployment.ts'
import { gatherWorkloads } from './workloads/gather-workloads.ts'
import { isOvertaken } from './workloads/is-overtaken.ts'
import { withWorkloads } from './workloads/workloads.ts'

/** One walk over a cluster: what was seen, planned and done. */
export interface Pass {
  readonly situation: Situation
  readonly plan: WritePlan
  readonly written: readonly Written[]
  readonly gone: Removal['gone']
  /** Something was removed just now. */
  readonly removed: boolean
  /** Why not all is done. */
  readonly stop?: Stop
  /** The cluster's error that ended the pass. */
  readonly error?: PortError
}

export interface PassRequest {
  readonly service: ServiceDocument
  readonly cluster: NonNullable<StoredState['cluster']>
  readonly stored: StoredState
  readonly prepared: Prepared
  /** Read every object, whatever the inventory says. */
  readonly thorough: boolean
}

/** Looks, plans, writes. Throws PortError while it has not written anything; later errors are in the answer. */
export async function walkCluster(deps: ReconcileDeps, request: PassRequest): Promise<Pass> {
  const api = await deps.clusters.connect(request.cluster)
  const situation = await look(deps, api, request)
  const plan = planWrites(situation)
  const { written, error } = await writeAll(deps, api, situation, plan)
  const done = { situation, plan, written, gone: [], removed: false }
  if (error) return { ...done, ...errorOrConflict(error, situation.now) }
  const { stop } = plan
  if (stop && !stop.removes) return { ...done, stop }
  try {
    const removal = await removeRest(api, situation, stop ? { ...plan, taken: [] } : plan)
    const waits = stop ?? situation.host?.waits
    return { ...done, ...(waits ? { stop: waits } : {}), ...removal }
  } catch (error) {
    if (isPortError(error)) return { ...done, error }
    throw error
  }
}

/** Scales down last, and only if nothing newer came meanwhile: else all is read again. */
async function writeAll(
  deps: ReconcileDeps,
  api: ClusterApi,
  situation: Situation,
  { writes, scaleDowns }: WritePlan,
): Promise<ApplyOutcome> {
  const first = await applyWrites(api, writes)
  const due = scaleDowns.filter(({ write }) => write)
  if (first.error || due.length === 0) return first
  try {
    if (await isOvertaken(deps.store, api, situation, due)) {
      const message = `${keyOfService(situation.service)} changed while its Deployments were looked after.`
      return { ...first, error: new PortError('precondition', 'store', message) }
    }
  } catch (error) {
    if (isPortError(error)) return { ...first, error }
    throw error
  }
  const last = await applyWrites(
    api,
    due.flatMap(({ write }) => write ?? []),
  )
  return { ...last, written: [...first.written, ...last.written] }
}

async function look(deps: ReconcileDeps, api: ClusterApi, request: PassRequest): Promise<Situation> {
  const { service, cluster, stored, prepared } = request
  const placement = stored.placement?.value
  const unread = request.thorough ? [] : unchangedObjects(prepared, placement, service.renderRevision)
  const age = request.thorough ? {} : RECENT
  // Our own objects are read after it: they are what is written next.
  const gathered = await gatherWorkloads(api, deps.store, service, { cluster: cluster.name, placement, age })
  const observed = withWorkloads(await gatherCluster(api, service, prepared, unread, age), gathered)
  const situation: Situation = {
    service,
    cluster,
    ...prepared,
    placement,
    freezes: stored.freezes,
    observed,
    now: deps.clock.now(),
    settleMs: deps.settleMs,
  }
  if (!mayConflict(situation)) return situation
  // Two services that claim a host at the same time must not both be told that nobody else does.
  const rivals = await gatherRivals(api, service, prepared, claims(situation) ? {} : age)
  return { ...situation, observed: { ...observed, rivals }, now: deps.clock.now() }
}

/** Others are looked for when something new is to be written, something was changed by another hand, or they were there. */
export function mayConflict(situation: Situation): boolean {
  const { service, cluster, placement, rendered, observed } = situation
  // The way back is not held up by a look through the whole cluster.
  if (isReturning(service, cluster.name)) return false
  const plan = planWrites(situation)
  if (plan.stop?.condition === 'Held') return false
  if (plan.drifts.length > 0) return true
  if (plan.writes.some(({ effect }) => effect === 'creation' || effect === 'structure')) return true
  if (findCondition(placement?.conditions ?? [], 'Conflict')?.status === 'True') return true
  if (service.spec.adopt && placement?.appliedRevision !== service.renderRevision) return true
  return rendered.some(({ object }) => {
    const live = observed.objects.get(refKey(refOf(object)))
    return live !== undefined && !isOurs(live, keyOfService(service), placement?.objects)
  })
}

/** Would a write make an object of the mesh, take over one of others, or have ours speak for more hosts than it does? */
function claims(situation: Situation): boolean {
  const { provider, service, placement } = situation
  return planWrites(situation).writes.some(({ effect, object, live }) => {
    if (effect === 'creation') return !isWorkload(object)
    if (effect !== 'structure' || provider.liveWeights(object) === undefined) return false
    // A version more or less in a route of ours claims nothing that was not looked into when the route was made.
    return (
      live === undefined ||
      !isOurs(live, keyOfService(service), placement?.objects) ||
      !provider.sameClaim(live, object)
    )
  })
}

/** Removes what ours replaces, and what is ours and no longer wanted. */
async function removeRest(api: ClusterApi, situation: Situation, plan: WritePlan): Promise<Removal> {
  const { provider, placement, rendered, service, now, settleMs } = situation
  const wanted = new Set(rendered.map(({ object }) => refKey(refOf(object))))
  const doomed: readonly Doomed[] = [
    ...plan.taken.map((object) => ({ ...refOf(object), uid: object.metadata.uid ?? '', ours: false })),
    ...(placement?.objects ?? [])
      .filter((entry) => !wanted.has(refKey(entry)) && !isWorkload(entry))
      .map((entry) => ({ ...entry, ours: true })),
  ]
  if (doomed.length === 0) return { gone: [], removed: false }
  const times = { removedAt: placement?.removedAt, settleMs }
  const named = await keepNamedRoutes(api, provider, doomed, now)
  return removeFirst(api, { service: keyOfService(service), provider, now }, doomed, times, (live) => {
    return forbids(situation, 'removal', live) ?? named(live)
  })
}

/** A field that another manager owns is a conflict that a person must settle, not trouble with the cluster. */
function errorOrConflict(error: PortError, now: number): Pick<Pass, 'stop' | 'error'> {
  if (isRace(error) || error.kind !== 'conflict') return { error }
  const again = now + LOOK_AGAIN_MS
  return { stop: { condition: 'Conflict', reason: 'OwnedByOthers', message: error.message, again } }
}
