import { revisionOf } from '../../mesh/marks.ts'
import type { DeliveredObject } from '../../model/certificate.ts'
import { shortId } from '../../model/digest.ts'
import type { CertificateDocument, DeliveryDocument } from '../../model/documents.ts'
import { succeed } from '../../model/failure.ts'
import { refOf } from '../../model/kube.ts'
import { timestamp } from '../../model/names.ts'
import { type Change, changeDocument } from '../../ports/change-document.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import { isPortError } from '../../ports/port-error.ts'
import { refKey } from '../content.ts'
import { getNamespace } from '../gather.ts'
import type { DeliveryDeps } from './delivery-deps.ts'
import { type DeliveryPass, deliveredObject, heldBy } from './delivery-pass.ts'
import type { DeliveryRequest, StoredDelivery } from './delivery-scene.ts'
import { deliveredBy, getIfServed } from './former-objects.ts'
import { bearsCertificateMarks, type Obstacle, permissionFor } from './obstacles.ts'

const NEXT_MS = 1000

/**
 * Removes what of ours is on a cluster: what the inventory names and what still is the same object with our marks; and what
 * bears our marks under the names of the spec, for whoever wrote it may have gone before it was written down. Throws PortError.
 */
export async function removeObjects(
  deps: DeliveryDeps,
  { cluster }: DeliveryRequest,
  stored: StoredDelivery,
): Promise<DeliveryPass> {
  const now = deps.clock.now()
  const known = stored.delivery?.value.objects ?? []
  const looks = stored.certificate !== undefined || known.length > 0
  const api = stored.cluster && looks ? await deps.clusters.connect(stored.cluster) : undefined
  const objects = api ? [...known, ...(await findUnrecorded(api, stored, known))] : []
  const { left, obstacle } = api ? await removeEach(api, stored, objects, now) : { left: [] }
  if (obstacle) return { ...heldBy(obstacle), objects: left }
  const message = `Nothing is left on ${cluster}.`
  const told = objects.length === 0 ? [] : [{ type: 'certificate.removed', reason: 'Removed', message }]
  // Also when all is gone: should this call end before the documents are settled, the next one goes on.
  return { state: 'leaving', reason: 'Removed', message, objects: [], again: now + NEXT_MS, told }
}

async function findUnrecorded(
  api: ClusterApi,
  { certificate }: StoredDelivery,
  known: readonly DeliveredObject[],
): Promise<readonly DeliveredObject[]> {
  if (!certificate) return []
  const recorded = new Set(known.map(refKey))
  const names = deliveredBy(certificate).filter((ref) => !recorded.has(refKey(ref)))
  const found = await Promise.all(names.map((ref) => getIfServed(api, ref)))
  return found.flatMap((live) =>
    live && bearsCertificateMarks(live.metadata, certificate.name) ? [deliveredObject(live)] : [],
  )
}

/** The Pod before its class: the driver's Secret goes with it. */
async function removeEach(
  api: ClusterApi,
  { certificate, cluster, delivery, freezes }: StoredDelivery,
  objects: readonly DeliveredObject[],
  now: number,
): Promise<{ readonly left: readonly DeliveredObject[]; readonly obstacle?: Obstacle }> {
  const name = certificate?.name ?? delivery?.value.certificate
  if (!cluster || name === undefined) return { left: [] }
  let left = objects
  for (const entry of objects.toReversed()) {
    const namespace = await getNamespace(api, entry.namespace)
    const live = namespace && (await api.get(entry))
    const isOurs = live?.metadata.uid === entry.uid && bearsCertificateMarks(live.metadata, name)
    // Wanted again meanwhile, it bears a revision that this reader has not seen.
    const isNewer = certificate !== undefined && (live ? (revisionOf(live) ?? 0) : 0) > certificate.revision
    if (live && isOurs && !isNewer) {
      const { obstacle } = permissionFor({ cluster, freezes, namespace, now }, live, 'removal')
      if (obstacle) return { left, obstacle }
      await api.remove(refOf(live), entry.uid, live.metadata.resourceVersion)
    }
    left = left.filter((other) => other !== entry)
  }
  return { left }
}

/**
 * After the last object is gone: the certificate stops naming the cluster, which its rotation or deletion may have waited
 * for; then the delivery goes. In this order, so that after a crash the delivery brings it up again. Throws PortError.
 */
export async function finishRemoval(
  deps: Pick<DeliveryDeps, 'store' | 'clock'>,
  { certificate: name, cluster }: DeliveryRequest,
): Promise<void> {
  const { store } = deps
  const at = timestamp(deps.clock.now())
  const changed = await changeDocument(store, 'certificate', name, (stored) =>
    succeed(stored ? leave(stored.value, cluster, at) : NOTHING),
  )
  if (!changed.ok || changed.value.value === 'wanted') return
  const delivery = await store.read('delivery', `${name}/${cluster}`)
  if (!delivery || !isEmpty(delivery.value)) return
  try {
    await store.remove(delivery)
  } catch (error) {
    if (!isPortError(error, 'conflict', 'precondition', 'not-found')) throw error
  }
}

type Left = 'left' | 'wanted'
const NOTHING: Change<CertificateDocument, Left> = { kind: 'leave', value: 'left' }

function leave(certificate: CertificateDocument, cluster: string, at: string): Change<CertificateDocument, Left> {
  const { [cluster]: target, ...others } = certificate.targets
  const isDeleted = certificate.deletingAt !== undefined
  // It came back meanwhile: the delivery is wanted again.
  const value = target !== undefined && !isDeleted ? 'wanted' : 'left'
  const leaving = certificate.leaving.filter((name) => name !== cluster)
  const targets = isDeleted ? others : certificate.targets
  const isSame = leaving.length === certificate.leaving.length && (target === undefined || !isDeleted)
  if (isSame) return { kind: 'leave', value }
  const id = shortId(20, certificate.name, cluster, 'left', at)
  const message = { kind: 'rotate', certificate: certificate.name } as const
  const outbox = [...certificate.outbox, { id, kind: 'work', queue: 'lifecycle', message } as const]
  return { kind: 'write', document: { ...certificate, leaving, targets, outbox, updatedAt: at }, value }
}

function isEmpty({ state, objects }: DeliveryDocument): boolean {
  return state === 'leaving' && objects.length === 0
}
