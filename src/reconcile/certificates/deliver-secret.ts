import { revisionOf } from '../../mesh/marks.ts'
import type { DeliveredObject } from '../../model/certificate.ts'
import { describeRef, type KubeObject, refOf } from '../../model/kube.ts'
import { isPortError, type PortErrorKind } from '../../ports/port-error.ts'
import { withPreconditions } from '../apply.ts'
import { holds, refKey } from '../content.ts'
import { RESTORE_WINDOW_MS, RESTORES_AT_MOST, recentRestores } from '../drift.ts'
import { backoffMs } from '../failures.ts'
import { otherHands } from '../owners.ts'
import {
  type DeliveryPass,
  deliveredObject,
  failed,
  heldBy,
  toldOfDrift,
  toldOfFreezes,
  withFormer,
} from './delivery-pass.ts'
import type { DeliveryScene } from './delivery-scene.ts'
import { type KeyPair, leafOf, type Refusal, readKeyPair } from './key-pair.ts'
import { handsObstacle, type Obstacle, ownershipObstacle, permissionFor } from './obstacles.ts'
import { proveShown } from './prove-shown.ts'
import { secretRef, tlsSecret } from './render.ts'

/** Look again at what only another version or another setting mends. */
const REJECTED_RETRY_MS = 300_000

/**
 * Writes the TLS Secret in one apply, so that the gateway sees the old pair or the new one and nothing between; reads it
 * back; then looks at what the gateway shows. Writes nothing that is there already. Throws PortError.
 */
export async function deliverSecret(scene: DeliveryScene, vault: string): Promise<DeliveryPass> {
  const { api, wanted, before, now } = scene
  const live = await api.get(secretRef(wanted))
  const held = live && heldSerialOf(live)
  const seen = held === undefined ? {} : { heldSerial: held.serial }
  const obstacle = handsObstacle(wanted, live, now) ?? ownershipObstacle(wanted, before, live, now)
  if (obstacle) return { ...heldBy(obstacle), heldSerial: null }
  if (live && isAsWeLeftIt(scene, live)) return proveShown(scene, wanted.target.serial, false)
  const pair = await fetchPair(scene, vault)
  if ('reason' in pair) return { ...failed(pair.reason, pair.message, pair.again), ...seen }
  const desired = tlsSecret(wanted, pair)
  if (live && isWritten(live, desired)) return recorded(scene, live, false)
  const { obstacle: stop, passed = [] } = permissionFor(scene, live, effectOf(live, desired), held?.notAfterMs)
  const drift = driftOf(scene, live)
  const barred = stop ?? (drift === undefined ? undefined : restoredTooOften(scene, drift))
  if (barred) return { ...heldBy(barred), ...(held === undefined ? { heldSerial: null } : seen) }
  await api.apply(withPreconditions(desired, live), { force: live !== undefined })
  const after = await api.get(secretRef(wanted))
  const pass = after ? await recorded(scene, after, true) : missing(scene)
  const told = [...toldOfDrift(drift), ...toldOfFreezes(wanted.name, scene.cluster.name, passed), ...(pass.told ?? [])]
  return { ...pass, told, ...(drift === undefined ? {} : { restored: true }) }
}

async function fetchPair({ deps, wanted, before, now }: DeliveryScene, vault: string): Promise<KeyPair | Unfetched> {
  try {
    const secret = await deps.vaults.open(vault).secret(wanted.spec.vaultName ?? wanted.name, wanted.target.version)
    const pair = readKeyPair(secret, wanted.target, now)
    return pair.ok ? pair.value : { ...pair.refusal, again: now + REJECTED_RETRY_MS }
  } catch (error) {
    if (!isPortError(error)) throw error
    const retryMs = Math.max(backoffMs((before?.attempts ?? 0) + 1, deps.random), error.retryAfterMs ?? 0)
    return { reason: VAULT_TROUBLE[error.kind], message: error.message, again: now + retryMs }
  }
}

interface Unfetched extends Refusal {
  readonly again: number
}

const VAULT_TROUBLE: Readonly<Record<PortErrorKind, string>> = {
  'not-found': 'VaultVersionMissing',
  denied: 'VaultDenied',
  throttled: 'VaultThrottled',
  unavailable: 'VaultUnreachable',
  invalid: 'VaultRefused',
  conflict: 'VaultRefused',
  precondition: 'VaultRefused',
}

/** The Secret as it was read after the write, or found to need none. */
async function recorded(scene: DeliveryScene, live: KubeObject, wrote: boolean): Promise<DeliveryPass> {
  const { wanted, before, now } = scene
  const serial = heldSerialOf(live)?.serial
  if (serial !== wanted.target.serial) {
    const message = `${describeRef(refOf(live))} was read back with serial ${serial ?? 'none'}: another hand writes it.`
    return { ...failed('ReadBackDiffers', message, now + 1000), heldSerial: serial ?? null }
  }
  const objects = withFormer(before?.objects, [deliveredObject(live)])
  const isNew = wrote || before?.written?.revision !== wanted.target.revision
  return { ...(await proveShown(scene, serial, isNew)), written: wanted.target, objects }
}

function missing({ wanted, now }: DeliveryScene): DeliveryPass {
  const message = `${describeRef(secretRef(wanted))} was removed by another hand as soon as it was written.`
  return { ...failed('ReadBackDiffers', message, now + 1000), heldSerial: null }
}

/** Same object, same resource version, same revision: nobody has touched it since we wrote it. */
function isAsWeLeftIt({ before, wanted }: DeliveryScene, live: KubeObject): boolean {
  const entry = entryOf(before?.objects, live)
  if (!entry?.resourceVersion || before?.written?.revision !== wanted.target.revision) return false
  return entry.uid === live.metadata.uid && entry.resourceVersion === live.metadata.resourceVersion
}

/** An older revision's mark must go: else a slow writer with a document from in between could pass the fence. */
function isWritten(live: KubeObject, desired: KubeObject): boolean {
  return sameData(live, desired) && holds(live, desired) && revisionOf(live) === revisionOf(desired)
}

function effectOf(live: KubeObject | undefined, desired: KubeObject) {
  if (!live) return 'creation'
  return sameData(live, desired) ? 'mark' : 'structure'
}

/** What another hand did to what was written whole; undefined when nobody did, or when something newer is to be written. */
function driftOf({ before, wanted }: DeliveryScene, live: KubeObject | undefined): string | undefined {
  if (before?.written?.revision !== wanted.target.revision) return undefined
  const what = describeRef(secretRef(wanted))
  if (!live) return `${what} was removed by another hand`
  const hands = otherHands(live).join(', ')
  return `${what} was changed by ${hands === '' ? 'another hand' : hands}`
}

function restoredTooOften({ before, now }: DeliveryScene, drift: string): Obstacle | undefined {
  const restores = recentRestores(before && { restores: before.restores ?? [] }, now)
  if (restores.length < RESTORES_AT_MOST) return undefined
  const message = `${drift} again after ${RESTORES_AT_MOST} restores within ten minutes.`
  return { reason: 'RestoredTooOften', message, again: Date.parse(restores[0] ?? '') + RESTORE_WINDOW_MS + 1 }
}

function entryOf(objects: readonly DeliveredObject[] | undefined, live: KubeObject): DeliveredObject | undefined {
  return objects?.find((entry) => refKey(entry) === refKey(refOf(live)))
}

/** Are key and chain the same, byte by byte? */
function sameData(live: KubeObject, desired: KubeObject): boolean {
  const [is, wanted] = [dataOf(live), dataOf(desired)]
  return ['tls.crt', 'tls.key'].every((part) => is[part] === wanted[part])
}

/** Serial and end of the certificate that a TLS Secret holds; its key is not looked at. */
export function heldSerialOf(secret: KubeObject): ReturnType<typeof leafOf> {
  return leafOf(Buffer.from(dataOf(secret)['tls.crt'] ?? '', 'base64').toString('utf8'))
}

function dataOf({ data }: KubeObject): Readonly<Record<string, string>> {
  return typeof data === 'object' && data !== null ? (data as Readonly<Record<string, string>>) : {}
}
