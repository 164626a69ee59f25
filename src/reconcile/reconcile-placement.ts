import type { ClusterDocument, HostDocument, PlacementDocument, ServiceDocument } from '../model/documents.ts'
import { refOf } from '../model/kube.ts'
import { isObserved } from '../model/service.ts'
import { isPortError, PortError } from '../ports/port-error.ts'
import type { OutboxFate, Stored } from '../ports/store.ts'
import { isRace, type Written } from './apply.ts'
import { contentHash } from './content.ts'
import { type ReconcileDeps, SETTLE_MS } from './deps.ts'
import { entryFor } from './drift.ts'
import { gatherStored, type Prepared, prepare, type StoredState } from './gather.ts'
import { prepareHost } from './hosts/prepare-host.ts'
import { lastChange } from './inventory.ts'
import { type Pass, walkCluster } from './pass.ts'
import { recordLive, recordPass, recordStop, recordTrouble, recordWait } from './record.ts'
import { removePlacement } from './remove-placement.ts'
import { isWanted } from './situation.ts'
import { takeBack } from './take-back.ts'
import { imageRolloutOn, pendingRetired } from './workloads/image-rollout.ts'
import { FENCED_OFF, staleStop } from './write.ts'

export type { ReconcileDeps } from './deps.ts'

export interface ReconcileRequest {
  /** `shop/web`, or a host, `external/web.example.com` */
  readonly service: string
  readonly cluster: string
  /** Session token of the write that asks for this, so that it is seen. */
  readonly session?: string
  /** `left`: the caller sends on the placement's outbox, see `left` of the outcome. */
  readonly outbox?: OutboxFate
}

/** How a call ended. Details are in the placement. */
export interface ReconcileOutcome {
  /**
   * `live`: all is written and settled. `settling`: all is written. `stopped`: something that is no error holds it (see
   * `reason`). `failed`: the cluster refused or did not answer. `leaving`: removal goes on. `removed`: nothing is left.
   */
  readonly state: 'live' | 'settling' | 'stopped' | 'failed' | 'leaving' | 'removed'
  readonly reason: string
  readonly message: string
  /** Whole per cents by version, as last written there. */
  readonly weights: Readonly<Record<string, number>>
  /** RFC 3339: the next pass by itself. */
  readonly again?: string
  /** The placement as it was written, where its outbox was left. */
  readonly left?: Stored<PlacementDocument>
}

const ATTEMPTS = 4

/**
 * Brings one service on one cluster to what its document says, as far as can be now, and records what was found; the
 * placement's outbox holds the next pass. When another writer was first, on the cluster or in the store, all is read
 * again, three times at most. Throws PortError of the store; the cluster's errors become conditions.
 */
export async function reconcilePlacement(deps: ReconcileDeps, request: ReconcileRequest): Promise<ReconcileOutcome> {
  const unrecorded: Written[] = []
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const outcome = await attemptOnce(deps, request, attempt, unrecorded)
    if (outcome !== 'again') return outcome
  }
  const message = `Others wrote the placement of ${request.service} on ${request.cluster} ${ATTEMPTS} times meanwhile.`
  throw new PortError('precondition', 'store', message)
}

async function attemptOnce(
  deps: ReconcileDeps,
  request: ReconcileRequest,
  attempt: number,
  unrecorded: Written[],
): Promise<ReconcileOutcome | 'again'> {
  const stored = await gatherStored(deps.store, request.service, request.cluster, request.session)
  const { service, cluster } = stored
  // The two documents are read beside each other: a slow read, or one remembered, may tell of an older service.
  const stale = service && staleStop(service, stored.placement?.value)
  if (stale && attempt < ATTEMPTS) return 'again'
  if (stale) return recordStop({ deps, stored, service, cluster: request.cluster }, stale)
  if (!service || !isWanted(service, request.cluster)) {
    await takeBack(deps, request.service, stored, unrecorded.splice(0))
    return removePlacement(deps, request, stored)
  }
  const { outbox = 'sent' } = request
  const scene = { deps, stored, service, cluster: request.cluster, outbox }
  if (!cluster) {
    const message = `Cluster ${request.cluster} is not registered.`
    return recordStop(scene, { reason: 'ClusterUnknown', message, again: 'poll' })
  }
  const prepared = stored.host ? await tryPrepareHost(deps, stored.host, cluster) : prepare(service, cluster)
  if (prepared instanceof PortError) return recordTrouble(scene, prepared)
  if (!prepared.ok) return recordStop(scene, prepared.stop)
  const settled = hasWorkloads(stored, service, request.cluster)
    ? undefined
    : settledAt(deps, stored.placement?.value, service, prepared.value)
  if (settled !== undefined && !isObserved(service, cluster)) {
    return settled > deps.clock.now() ? recordWait(scene, settled) : recordLive(scene, prepared.value)
  }
  const pass = await tryPass(deps, stored, { service, cluster, prepared: prepared.value }, attempt)
  if (!(pass instanceof PortError)) unrecorded.push(...pass.written)
  const error = pass instanceof PortError ? pass : pass.error
  if (error && isRace(error) && attempt < ATTEMPTS) return 'again'
  if (pass instanceof PortError) return recordTrouble(scene, pass)
  if (pass.stop?.reason === FENCED_OFF && attempt === 1) return 'again'
  return recordPass(scene, pass)
}

async function tryPrepareHost(deps: ReconcileDeps, host: HostDocument, cluster: ClusterDocument) {
  try {
    return await prepareHost(deps, host, cluster)
  } catch (error) {
    if (isPortError(error)) return error
    throw error
  }
}

/** Are there Deployments to look after? What is wanted of them is not known without a look at the cluster. */
function hasWorkloads(stored: StoredState, service: ServiceDocument, cluster: string): boolean {
  if (imageRolloutOn(service, cluster)?.rollout.phase === 'preflight') return true
  return pendingRetired(service, stored.placement?.value, cluster).length > 0
}

/**
 * Everything of this revision is written, it only has to settle: when it will have, in epoch milliseconds. That needs no
 * look at the cluster. Undefined when there is more to do, or nothing.
 */
function settledAt(
  deps: ReconcileDeps,
  placement: PlacementDocument | undefined,
  service: ServiceDocument,
  prepared: Prepared,
): number | undefined {
  if (!placement || placement.appliedRevision !== service.renderRevision) return undefined
  if (placement.liveRevision === service.renderRevision) return undefined
  const written = prepared.rendered.every(({ object }) => {
    return entryFor(placement.objects, refOf(object))?.hash === contentHash(object)
  })
  return written ? lastChange(placement.objects) + (deps.settleMs ?? SETTLE_MS) : undefined
}

async function tryPass(
  deps: ReconcileDeps,
  stored: StoredState,
  wanted: { readonly service: ServiceDocument; readonly cluster: ClusterDocument; readonly prepared: Prepared },
  attempt: number,
): Promise<Pass | PortError> {
  try {
    return await walkCluster(deps, { ...wanted, stored, thorough: attempt > 1 })
  } catch (error) {
    if (isPortError(error)) return error
    throw error
  }
}
