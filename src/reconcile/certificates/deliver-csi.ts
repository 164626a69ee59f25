import type { CertificateTarget } from '../../model/certificate.ts'
import { canonicalJson } from '../../model/digest.ts'
import { describeRef, type KubeObject, refOf } from '../../model/kube.ts'
import { isPortError } from '../../ports/port-error.ts'
import { withPreconditions } from '../apply.ts'
import { LOOK_AGAIN_MS } from '../situation.ts'
import { heldSerialOf } from './deliver-secret.ts'
import { type DeliveryPass, deliveredObject, heldBy, withFormer } from './delivery-pass.ts'
import type { DeliveryScene } from './delivery-scene.ts'
import { handsObstacle, type Obstacle, ownershipObstacle, permissionFor } from './obstacles.ts'
import { proveShown } from './prove-shown.ts'
import { keeper, providerClass, secretRef } from './render.ts'

/** The driver looks at the vault every two minutes unless told otherwise. So long nobody is told that it is late. */
const SYNC_WITHIN_MS = 600_000
const LOOK_EVERY_MS = 10_000

/**
 * Tells the Secrets Store CSI driver which version to fetch, keeps a Pod that makes it do so, and waits until the TLS Secret
 * holds that version. The key goes from the vault to the cluster past Meshwright; of the Secret, only the certificate is
 * looked at. Throws PortError.
 */
export async function deliverByDriver(scene: DeliveryScene, vault: string): Promise<DeliveryPass> {
  const { api, wanted, before, now } = scene
  const absent = addOnObstacle(scene)
  if (absent) return heldBy(absent)
  const desired = [providerClass(wanted, vault), keeper(wanted)]
  const live = await readObjects(scene, desired)
  if (live === 'unknown') return heldBy(missingAddOn(scene))
  const secret = await api.get(secretRef(wanted))
  const obstacle = [secret, ...live]
    .map((object) => ownershipObstacle(wanted, before, object, now))
    .find((found) => found !== undefined)
  const standing = handsObstacle(wanted, secret, now) ?? obstacle
  if (standing) return { ...heldBy(standing), heldSerial: null }
  const held = secret && heldSerialOf(secret)
  const seen = { heldSerial: held?.serial ?? null }
  const after: KubeObject[] = []
  for (const [index, object] of desired.entries()) {
    const found = live[index]
    if (found && contains(found, object)) {
      after.push(found)
      continue
    }
    const { obstacle: stop } = permissionFor(scene, found, found ? 'structure' : 'creation', held?.notAfterMs)
    if (stop) return { ...heldBy(stop), ...seen }
    after.push(await api.apply(withPreconditions(object, found), { force: found !== undefined }))
  }
  const objects = withFormer(before?.objects, after.map(deliveredObject))
  const pass =
    held?.serial === wanted.target.serial
      ? await proveShown(scene, held.serial, before?.heldSerial !== held.serial)
      : { ...awaitDriver(scene, after[1]), ...seen }
  return { ...pass, objects, ...(isWritten(scene) ? {} : { written: wanted.target }) }
}

function isWritten({ before, wanted }: DeliveryScene): boolean {
  const { version, revision }: Partial<CertificateTarget> = before?.written ?? {}
  return version === wanted.target.version && revision === wanted.target.revision
}

function awaitDriver(scene: DeliveryScene, deployment: KubeObject | undefined): DeliveryPass {
  const { before, wanted, now } = scene
  const what = describeRef(secretRef(wanted))
  const waited = isWritten(scene) && before?.writtenAt !== undefined ? now - Date.parse(before.writtenAt) : 0
  const message = `The Secrets Store CSI driver has yet to bring serial ${wanted.target.serial} into ${what}.`
  if (waited < SYNC_WITHIN_MS) return { state: 'waiting', reason: 'AwaitsDriver', message, again: now + LOOK_EVERY_MS }
  const mounted = Number((deployment?.status as { readyReplicas?: number } | undefined)?.readyReplicas ?? 0) > 0
  const hint = mounted
    ? 'Its Pod is ready: look at the log of the driver.'
    : 'Its Pod is not ready: "kubectl describe" says why it cannot mount (the identity must be a Key Vault Secrets User).'
  return { state: 'waiting', reason: 'DriverIsLate', message: `${message} ${hint}`, again: now + LOOK_AGAIN_MS }
}

/** What Azure says of the add-on; of a cluster that Azure was not asked about, the kinds that it serves tell. */
function addOnObstacle(scene: DeliveryScene): Obstacle | undefined {
  const { aks } = scene.cluster
  if (!aks) return undefined
  if (!aks.secretsProvider) return missingAddOn(scene)
  if (aks.secretsProvider.rotation) return undefined
  const message =
    `The add-on azureKeyvaultSecretsProvider of cluster ${scene.cluster.name} does not rotate: it would never fetch the next ` +
    'version. Turn it on (az aks addon update --enable-secret-rotation).'
  return { reason: 'SecretRotationOff', message, again: scene.now + LOOK_AGAIN_MS }
}

function missingAddOn({ cluster, now }: DeliveryScene): Obstacle {
  const message =
    `Cluster ${cluster.name} has no add-on azureKeyvaultSecretsProvider, which delivery csi needs. Enable it ` +
    '(az aks enable-addons --addons azure-keyvault-secrets-provider), or use delivery secret.'
  return { reason: 'SecretsProviderMissing', message, again: now + LOOK_AGAIN_MS }
}

async function readObjects(
  { api }: DeliveryScene,
  desired: readonly KubeObject[],
): Promise<readonly (KubeObject | undefined)[] | 'unknown'> {
  try {
    return await Promise.all(desired.map((object) => api.get(refOf(object))))
  } catch (error) {
    if (isPortError(error, 'not-found') && error.reason === 'UnknownKind') return 'unknown'
    throw error
  }
}

/** Does a live object hold all that `desired` says? Servers add defaults, also within the items of lists. */
function contains(live: unknown, desired: unknown): boolean {
  if (Array.isArray(desired)) {
    if (!Array.isArray(live) || live.length !== desired.length) return false
    return desired.every((item, index) => contains(live[index], item))
  }
  if (typeof desired !== 'object' || desired === null) return canonicalJson(live) === canonicalJson(desired)
  if (typeof live !== 'object' || live === null) return false
  const found = live as Readonly<Record<string, unknown>>
  return Object.entries(desired).every(([name, value]) => value === undefined || contains(found[name], value))
}
