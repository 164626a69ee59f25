import type { PlacementDocument } from '../model/documents.ts'
import { describeRef, type KubeObject } from '../model/kube.ts'
import { timestamp } from '../model/names.ts'
import { newestRevision } from '../model/placement.ts'
import { splitServiceKey } from '../model/service.ts'
import { isPortError, PortError } from '../ports/port-error.ts'
import { isRace } from './apply.ts'
import { refKey } from './content.ts'
import type { ReconcileDeps } from './deps.ts'
import { findUnrecorded } from './find-unrecorded.ts'
import { finishLeaving } from './finish-leaving.ts'
import { getNamespace, pruningProvider, type StoredState } from './gather.ts'
import { namespaceOf, namespaceOfPlacement } from './hosts/host-as-service.ts'
import { keepNamedRoutes } from './hosts/named-routes.ts'
import type { Happening } from './next-placement.ts'
import { forbids, standingHold } from './permission.ts'
import { type Removal, removeFirst } from './prune.ts'
import type { ReconcileRequest } from './reconcile-placement.ts'
import { type Recorded, recordStop, recordTrouble, type Scene, save } from './record.ts'
import type { PlacedService } from './situation.ts'
import { isWorkload } from './workloads/deployment.ts'
import { releaseWorkloads } from './workloads/release-workloads.ts'
import { fenceStop } from './write.ts'

/**
 * Takes a service from a cluster: its objects in the provider's order, with time to settle between, then the placement,
 * and the cluster from the service. An object goes only if inventory and marks both say that it is ours.
 */
export async function removePlacement(
  deps: ReconcileDeps,
  request: ReconcileRequest,
  stored: StoredState,
): Promise<Recorded> {
  const placement = stored.placement?.value
  if (await recordUnrecorded(deps, request, stored)) return 'again'
  if (!placement || placement.pruned) {
    if (!stored.service && !placement) return removed(request.cluster)
    return finish(deps, request)
  }
  const scene: Scene = { deps, stored, service: stored.service ?? lastKnown(placement), cluster: request.cluster }
  const removal = await removeNext(scene, placement)
  if (removal instanceof PortError) return isRace(removal) ? 'again' : recordTrouble(scene, removal)
  const gone = new Set(removal.gone.map(refKey))
  const objects = placement.objects.filter((entry) => !gone.has(refKey(entry)))
  if (objects.length > 0 && gone.size === 0 && removal.stop) return recordStop(scene, removal.stop)
  const recorded = await recordRemoval(scene, objects, removal)
  return recorded === 'again' || objects.length > 0 ? recorded : finish(deps, request)
}

/** Writes down what nobody did before anything is removed, so that it goes in its order. True: all is to be read again. */
async function recordUnrecorded(deps: ReconcileDeps, request: ReconcileRequest, stored: StoredState): Promise<boolean> {
  const { service, cluster, host } = stored
  const placement = stored.placement?.value
  // A host's own objects are known by resync alone.
  if (!service || !cluster || host || placement?.pruned || placement?.removedAt !== undefined) return false
  if (!service.leaving.includes(request.cluster)) return false
  const found = await findUnrecorded(deps, service, cluster, placement)
  if (found.length === 0) return false
  const scene: Scene = { deps, stored, service, cluster: request.cluster }
  const state = { objects: [...(placement?.objects ?? []), ...found] }
  const words = { state: 'leaving', reason: 'Removing', message: `It is being removed from ${cluster.name}.` } as const
  await save(scene, { state, findings: [], again: deps.clock.now() + 1000, happenings: [] }, words)
  return true
}

/** Removes what may go now. An error of the cluster is an answer. */
async function removeNext(scene: Scene, placement: PlacementDocument): Promise<Removal | PortError> {
  const { deps, stored, service } = scene
  const { cluster } = stored
  const all: Removal = { gone: placement.objects, removed: false }
  if (placement.objects.length === 0 || !cluster) return all
  const provider = pruningProvider(cluster)
  if (!provider) return all
  const now = deps.clock.now()
  const asked = { service, cluster, freezes: stored.freezes, now, observed: { namespace: undefined } }
  const observing = standingHold(asked, 'removal')
  if (observing) return { gone: [], removed: false, stop: observing }
  try {
    const api = await deps.clusters.connect(cluster)
    const namespace = await getNamespace(api, namespaceOf(service))
    if (!namespace) return all
    const times = { removedAt: placement.removedAt, settleMs: deps.settleMs }
    const named = await keepNamedRoutes(api, provider, placement.objects, now)
    const forbidden = (live: KubeObject) => {
      const stop = forbids({ ...asked, observed: { namespace } }, 'removal', live)
      return stop ?? fenceStop({ service }, live) ?? named(live)
    }
    const doomed = placement.objects.filter((entry) => !isWorkload(entry)).map((entry) => ({ ...entry, ours: true }))
    if (doomed.length > 0)
      return await removeFirst(api, { service: placement.service, provider, now }, doomed, times, forbidden)
    const place = { service: placement.service, namespace: service.namespace }
    return await releaseWorkloads(api, place, placement.objects, forbidden)
  } catch (error) {
    if (isPortError(error)) return error
    throw error
  }
}

async function recordRemoval(scene: Scene, objects: PlacementDocument['objects'], removal: Removal): Promise<Recorded> {
  const now = scene.deps.clock.now()
  const done = objects.length === 0
  const removedAt = removal.removed ? { removedAt: timestamp(now) } : {}
  const message = done ? `Nothing is left on ${scene.cluster}.` : `It is being removed from ${scene.cluster}.`
  const state = { objects, ...removedAt, weights: {}, attempts: 0, ...(done ? { pruned: true } : {}) }
  const reason = done ? 'Removed' : 'Removing'
  return save(
    scene,
    {
      state,
      findings: [{ type: 'Ready', status: 'False', reason, message }],
      // Also when all is gone: should this call end before the documents are gone too, the next one goes on.
      again: removal.stop?.again === undefined || removal.stop.again === 'poll' ? now + 1000 : removal.stop.again,
      happenings: [
        ...marksLeft(scene.cluster, removal),
        ...(done ? [{ type: 'placement.pruned', reason, message }] : []),
      ],
    },
    { state: 'leaving', reason, message },
  )
}

function marksLeft(cluster: string, { marked = [] }: Removal): readonly Happening[] {
  if (marked.length === 0) return []
  const names = marked.map(describeRef).join(', ')
  const message = `${names} on ${cluster} went on serving with our marks: the right to take them off is missing.`
  const data = {
    objects: marked.map(({ apiVersion, kind, namespace, name }) => ({ apiVersion, kind, namespace, name })),
  }
  return [{ type: 'placement.marks-left', reason: 'Denied', message, data, discriminator: names }]
}

async function finish(deps: ReconcileDeps, request: ReconcileRequest): Promise<Recorded> {
  if (await finishLeaving(deps, request.service, request.cluster)) return removed(request.cluster)
  const message = 'Messages of the service wait to be sent before its documents go.'
  return { state: 'leaving', reason: 'OutboxNotSent', message, weights: {} }
}

function removed(cluster: string): Recorded {
  return { state: 'removed', reason: 'Removed', message: `Nothing is left on ${cluster}.`, weights: {} }
}

/** What a placement knows of a service whose document is gone. */
function lastKnown(placement: PlacementDocument): PlacedService {
  const owner = { ...splitServiceKey(placement.service), objectsIn: namespaceOfPlacement(placement) }
  const { observedGeneration: generation } = placement
  return { ...owner, generation, renderRevision: newestRevision(placement), rollouts: [] }
}
