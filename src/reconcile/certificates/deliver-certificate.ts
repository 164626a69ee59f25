import type { ClusterDocument } from '../../model/documents.ts'
import { isPortError, PortError } from '../../ports/port-error.ts'
import { isRace } from '../apply.ts'
import { backoffMs, troubleOf } from '../failures.ts'
import { getNamespace } from '../gather.ts'
import { withoutData } from '../hidden-data.ts'
import { deliverByDriver } from './deliver-csi.ts'
import { deliverSecret } from './deliver-secret.ts'
import type { DeliveryDeps } from './delivery-deps.ts'
import { type DeliveryPass, failed, heldBy } from './delivery-pass.ts'
import { type DeliveryRequest, gatherDelivery, type StoredDelivery, wantedOn } from './delivery-scene.ts'
import { withFormerAsFound } from './former-objects.ts'
import { permissionFor } from './obstacles.ts'
import { recordDelivery } from './record-delivery.ts'
import { finishRemoval, removeObjects } from './remove-delivery.ts'
import type { Wanted } from './render.ts'

export type { DeliveryDeps } from './delivery-deps.ts'
export type { DeliveryRequest } from './delivery-scene.ts'

const ATTEMPTS = 4

/**
 * Brings one certificate on one cluster to what its document wants there, or takes it away, as far as can be now, and records
 * what was found; the delivery's outbox holds the next pass and asks the rotation to look. Idempotent: what is there already
 * is not written again. When another writer was first, on the cluster or in the store, all is read again, three times at most.
 * Throws PortError of the store; errors of cluster and vault become the delivery's state.
 */
export async function deliverCertificate(deps: DeliveryDeps, request: DeliveryRequest): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    if (await attemptOnce(deps, request, attempt)) return
  }
  const message = `Others wrote the delivery of ${request.certificate} on ${request.cluster} ${ATTEMPTS} times meanwhile.`
  throw new PortError('precondition', 'store', message)
}

/** False: all must be read again. */
async function attemptOnce(deps: DeliveryDeps, request: DeliveryRequest, attempt: number): Promise<boolean> {
  const stored = await gatherDelivery(deps.store, request)
  const wanted = wantedOn(stored.certificate, request.cluster)
  const pass = await tryPass(deps, stored, () =>
    wanted ? deliver(deps, request, stored, wanted) : removeObjects(deps, request, stored),
  )
  if (pass instanceof PortError && attempt < ATTEMPTS) return false
  // Neither wanted nor written down, and nothing of it was found there.
  if (!wanted && !stored.delivery && !(pass instanceof PortError) && pass.told?.length === 0) {
    await finishRemoval(deps, request)
    return true
  }
  const found = pass instanceof PortError ? failed('WriteConflict', pass.message, deps.clock.now() + 1000) : pass
  if (!(await recordDelivery(deps, request, stored.delivery, found))) return false
  if (found.state === 'leaving' && found.objects?.length === 0) await finishRemoval(deps, request)
  return true
}

/** A lost race on the cluster is an answer; other errors of the cluster are a state. */
async function tryPass(
  deps: DeliveryDeps,
  { delivery }: StoredDelivery,
  pass: () => Promise<DeliveryPass>,
): Promise<DeliveryPass | PortError> {
  try {
    return await pass()
  } catch (error) {
    if (!isPortError(error)) throw error
    if (isRace(error)) return error
    const { reason, message, retryMs } = troubleOf(error, (delivery?.value.attempts ?? 0) + 1, deps.random, false)
    return failed(reason, withoutData(message), deps.clock.now() + retryMs)
  }
}

async function deliver(
  deps: DeliveryDeps,
  { cluster: name }: DeliveryRequest,
  stored: StoredDelivery,
  wanted: Wanted,
): Promise<DeliveryPass> {
  const now = deps.clock.now()
  const attempts = (stored.delivery?.value.attempts ?? 0) + 1
  const later = now + backoffMs(attempts, deps.random)
  const { cluster } = stored
  if (!cluster) return failed('ClusterUnknown', `Cluster ${name} is not registered.`, later)
  const standing = standingObstacle(cluster, wanted, now)
  if (standing) return standing
  const vault = wanted.spec.vault ?? deps.vaultUrl
  if (vault === undefined)
    return failed('VaultUnknown', 'Neither the certificate nor the settings name a vault.', later)
  const api = await deps.clusters.connect(cluster)
  const namespace = await getNamespace(api, wanted.spec.secret.namespace)
  if (!namespace) {
    const message = `There is no namespace ${wanted.spec.secret.namespace} on cluster ${name}.`
    return failed('NamespaceMissing', message, later)
  }
  const scene = { deps, wanted, cluster, before: stored.delivery?.value, freezes: stored.freezes, api, namespace, now }
  const held = permissionFor({ ...scene, freezes: [] }, undefined, 'structure').obstacle
  if (held) return heldBy(held)
  const pass = wanted.spec.delivery === 'csi' ? await deliverByDriver(scene, vault) : await deliverSecret(scene, vault)
  return withFormerAsFound(scene, pass)
}

/** What holds whatever is on the cluster: no request is made. */
function standingObstacle(cluster: ClusterDocument, wanted: Wanted, now: number): DeliveryPass | undefined {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: wanted.spec.secret.namespace } }
  const { obstacle } = permissionFor({ cluster, freezes: [], namespace, now }, undefined, 'structure')
  return obstacle && heldBy(obstacle)
}
