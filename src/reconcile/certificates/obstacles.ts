import { CERTIFICATE, MANAGED_BY, MANAGER, revisionOf } from '../../mesh/marks.ts'
import { activeFreezes } from '../../model/active-freezes.ts'
import type { DeliveryState } from '../../model/certificate.ts'
import { describeRef, type KubeMetadata, type KubeObject, refOf } from '../../model/kube.ts'
import { refKey } from '../content.ts'
import { describeForeign } from '../owners.ts'
import { type Effect, forbids } from '../permission.ts'
import { LOOK_AGAIN_MS } from '../situation.ts'
import { FENCED_OFF } from '../write.ts'
import type { DeliveryScene } from './delivery-scene.ts'
import { DRIVEN, type Wanted } from './render.ts'

/** What holds a delivery that is no error. `again` is epoch milliseconds. */
export interface Obstacle {
  readonly reason: string
  readonly message: string
  readonly again: number
}

/** So near its end, a certificate that a cluster holds is replaced in spite of a freeze. */
export const PASSES_FREEZES_MS = 7 * 86_400_000

/** Do label and annotation say that the object is ours, of this certificate? */
export function bearsCertificateMarks(metadata: KubeMetadata, certificate: string): boolean {
  return metadata.labels?.[MANAGED_BY] === MANAGER && metadata.annotations?.[CERTIFICATE] === certificate
}

/** An object of others under a name of ours, or one that a newer revision wrote; undefined when it may be ours to write. */
export function ownershipObstacle(
  wanted: Wanted,
  before: Pick<DeliveryState, 'objects'> | undefined,
  live: KubeObject | undefined,
  now: number,
): Obstacle | undefined {
  if (!live) return undefined
  const again = now + LOOK_AGAIN_MS
  if (!isOurs(live, wanted.name, before)) {
    const message =
      `It belongs to others: ${describeForeign(live)}. ` +
      `Remove it once no gateway needs it, or name another Secret in certificate ${wanted.name}.`
    return { reason: 'Conflict', message, again }
  }
  const revision = revisionOf(live)
  if (revision === undefined || revision <= wanted.target.revision) return undefined
  const message =
    `${describeRef(refOf(live))} bears revision ${revision}, newer than ${wanted.target.revision}: another Meshwright, ` +
    'or one with newer data, wrote it. PUT the certificate with another Secret, or remove this one.'
  return { reason: FENCED_OFF, message, again }
}

/**
 * Delivery cannot change hands on a Secret that is there: the driver removes a Secret of its own with its last Pod, and takes
 * none of ours.
 */
export function handsObstacle(wanted: Wanted, live: KubeObject | undefined, now: number): Obstacle | undefined {
  if (!live) return undefined
  const driven = live.metadata.labels?.[DRIVEN] === 'true'
  if (driven === (wanted.spec.delivery === 'csi')) return undefined
  const [by, to] = driven ? ['the Secrets Store CSI driver', 'secret'] : ['Meshwright', 'csi']
  const message =
    `${describeRef(refOf(live))} is kept by ${by} and cannot become one of delivery ${to} without a gap. ` +
    `Name another Secret in certificate ${wanted.name} and point the gateway to it.`
  return { reason: 'DeliveryChanged', message, again: now + LOOK_AGAIN_MS }
}

export interface Permission {
  readonly obstacle?: Obstacle
  /** Freezes that hold and were passed, because what is there ends soon. */
  readonly passed?: readonly string[]
}

/** May `live` be written now? `endsAt` (epoch milliseconds) is the end of the certificate that the cluster holds. */
export function permissionFor(
  scene: Pick<DeliveryScene, 'cluster' | 'freezes' | 'namespace' | 'now'>,
  live: KubeObject | undefined,
  effect: Effect,
  endsAt?: number,
): Permission {
  const { cluster, freezes, namespace, now } = scene
  const endsSoon = endsAt !== undefined && endsAt - now < PASSES_FREEZES_MS
  const place = { namespace: namespace.metadata.name, name: '' }
  const service = { ...place, generation: 0, renderRevision: 0, rollouts: [] }
  // A fall is what passes freezes, and nothing else.
  const asked = endsSoon && effect !== 'removal' ? 'fall' : effect
  const stop = forbids({ service, cluster, freezes, now, observed: { namespace } }, asked, live)
  if (stop) {
    const again = typeof stop.again === 'number' ? stop.again : now + LOOK_AGAIN_MS
    return { obstacle: { reason: stop.reason, message: stop.message, again } }
  }
  if (!endsSoon) return {}
  const active = activeFreezes(freezes, { service: '', namespace: place.namespace, cluster }, 'configuration', now)
  return active.length === 0 ? {} : { passed: active.map(({ name }) => name) }
}

function isOurs(live: KubeObject, certificate: string, before: Pick<DeliveryState, 'objects'> | undefined): boolean {
  if (bearsCertificateMarks(live.metadata, certificate)) return true
  return (
    before?.objects.some((entry) => entry.uid === live.metadata.uid && refKey(entry) === refKey(refOf(live))) ?? false
  )
}
