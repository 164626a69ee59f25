import { anchorsRef, issuerRef } from '../../mesh/linkerd/identity.ts'
import { revisionOf } from '../../mesh/marks.ts'
import { canonicalJson } from '../../model/digest.ts'
import { describeRef, type KubeObject, refOf } from '../../model/kube.ts'
import { withPreconditions } from '../apply.ts'
import { toldOfDrift, toldOfFreezes } from '../certificates/delivery-pass.ts'
import type { Obstacle } from '../certificates/obstacles.ts'
import { RESTORE_WINDOW_MS, RESTORES_AT_MOST, recentRestores } from '../drift.ts'
import { otherHands } from '../owners.ts'
import type { Effect } from '../permission.ts'
import { type Difference, desiredAnchors, desiredIssuer } from './desired.ts'
import { fetchKey } from './fetch-key.ts'
import type { IdentityPass } from './identity-pass.ts'
import { type IdentityScene, type LiveIdentity, liveIdentity } from './identity-scene.ts'
import { permissionFor } from './obstacles.ts'
import type { Part } from './order.ts'

const EFFECTS: Readonly<Record<Exclude<Difference, 'none'>, Effect>> = {
  missing: 'creation',
  content: 'structure',
  mark: 'mark',
}

/**
 * Writes one of the two objects, if it may be written now: in one apply on what was read, and reads it back byte by byte. Throws
 * PortError.
 */
export async function writePart(
  part: Part,
  scene: IdentityScene,
  live: LiveIdentity,
  difference: Exclude<Difference, 'none'>,
): Promise<IdentityPass> {
  const { api, ca } = scene
  const found = part === 'anchors' ? live.configMap : live.secret
  const { obstacle, passed = [] } = permissionFor(scene, live, found, EFFECTS[difference])
  const drift = difference === 'mark' ? undefined : driftOf(part, scene, found)
  const barred = obstacle ?? (difference === 'mark' ? undefined : restoredTooOften(scene))
  if (barred) return { live, told: [], trouble: barred }
  const rendered = await render(part, scene, live)
  if ('reason' in rendered) return { live, told: [], trouble: rendered }
  const { object } = rendered
  await api.apply(withPreconditions(object, found), { force: found !== undefined })
  const after = await api.get(refFor(part, ca.spec.namespace))
  const seen = part === 'anchors' ? liveIdentity(after, live.secret) : liveIdentity(live.configMap, after)
  const told = [...toldOfDrift(drift), ...toldOfFreezes(ca.name, scene.cluster.name, passed)]
  const pass = { live: seen, told, restored: drift !== undefined }
  return holdsData(after, object) ? pass : { ...pass, trouble: readBackDiffers(scene, object, after) }
}

async function render(
  part: Part,
  scene: IdentityScene,
  live: LiveIdentity,
): Promise<{ readonly object: KubeObject } | Obstacle> {
  if (part === 'anchors') return { object: desiredAnchors(scene) }
  const fetched = await fetchKey(scene, live)
  return 'reason' in fetched ? fetched : { object: desiredIssuer(scene, live, fetched.key) }
}

function refFor(part: Part, namespace: string) {
  return part === 'anchors' ? anchorsRef(namespace) : issuerRef(namespace)
}

/** Are all texts that were written there, byte by byte? */
function holdsData(live: KubeObject | undefined, written: KubeObject): boolean {
  const data = (object: KubeObject | undefined) => (object?.data ?? {}) as Readonly<Record<string, string>>
  const is = data(live)
  return Object.entries(data(written)).every(([key, text]) => canonicalJson(is[key]) === canonicalJson(text))
}

function readBackDiffers({ now }: IdentityScene, written: KubeObject, after: KubeObject | undefined): Obstacle {
  const what = describeRef(refOf(written))
  const message = after
    ? `${what} was read back with other content than was written: another hand writes it.`
    : `${what} was removed by another hand as soon as it was written.`
  return { reason: 'ReadBackDiffers', message, again: now + 1000 }
}

/** What another hand did to what was written whole; undefined when nobody did, or when something newer is to be written. */
function driftOf(part: Part, { intent, before, ca }: IdentityScene, live: KubeObject | undefined): string | undefined {
  const isOurs = before?.delivered?.revision === intent.revision || (live && revisionOf(live) === intent.revision)
  if (!isOurs) return undefined
  const what = describeRef(refFor(part, ca.spec.namespace))
  if (!live) return `${what} was removed by another hand`
  const hands = otherHands(live).join(', ')
  return `${what} was changed by ${hands === '' ? 'another hand' : hands}`
}

function restoredTooOften({ before, now }: IdentityScene): Obstacle | undefined {
  const restores = recentRestores(before && { restores: [...(before.restores ?? [])] }, now)
  if (restores.length < RESTORES_AT_MOST) return undefined
  const message = `Another hand changed what was brought ${RESTORES_AT_MOST} times within ten minutes: end that first.`
  return { reason: 'RestoredTooOften', message, again: Date.parse(restores[0] ?? '') + RESTORE_WINDOW_MS + 1 }
}
