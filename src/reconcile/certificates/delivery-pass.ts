import type { CertificateTarget, DeliveredObject, DeliveryState } from '../../model/certificate.ts'
import { type KubeObject, refOf } from '../../model/kube.ts'
import { refKey } from '../content.ts'
import type { Obstacle } from './obstacles.ts'

/** Something to tell of a delivery. */
export interface Told {
  /** `certificate.delivered`, `certificate.drift-restored`… */
  readonly type: string
  readonly reason: string
  readonly message: string
}

/** That another hand's change is undone; nothing where there was none. */
export function toldOfDrift(drift: string | undefined): readonly Told[] {
  if (drift === undefined) return []
  return [{ type: 'certificate.drift-restored', reason: 'Restored', message: `${drift} and is restored.` }]
}

/** That freezes were passed, by their names, because what a cluster holds ends soon; nothing where none was. */
export function toldOfFreezes(certificate: string, cluster: string, passed: readonly string[]): readonly Told[] {
  if (passed.length === 0) return []
  const message =
    `Certificate ${certificate} is written to ${cluster} in spite of freeze ${passed.join(', ')}: ` +
    'what the cluster holds ends within 7 days.'
  return [{ type: 'certificate.freeze-passed', reason: 'EndsSoon', message }]
}

/** What one pass over a cluster found and did. */
export interface DeliveryPass {
  readonly state: DeliveryState['state']
  readonly reason: string
  readonly message: string
  /** Epoch milliseconds of the next pass; absent: only when called. */
  readonly again?: number
  /** What is written there whole now; absent: as before. */
  readonly written?: CertificateTarget
  /** The serial that the Secret was read back with; null: none. Absent: as before. */
  readonly heldSerial?: string | null
  /** The serial that the gateway shows; null: it cannot be reached. Absent: as before. */
  readonly shownSerial?: string | null
  /** Absent: as before. */
  readonly objects?: readonly DeliveredObject[]
  /** Another hand's change was undone. */
  readonly restored?: boolean
  readonly told?: readonly Told[]
}

export function heldBy(obstacle: Obstacle): DeliveryPass {
  return { state: 'held', ...obstacle }
}

/** An object as the inventory keeps it. */
export function deliveredObject(live: KubeObject): DeliveredObject {
  const { apiVersion, kind, namespace = '', name } = refOf(live)
  const { uid = '', resourceVersion } = live.metadata
  return { apiVersion, kind, namespace, name, uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) }
}

/**
 * The inventory after a pass. What was written under a former name of the Secret, or for another way of delivery, stays on
 * the cluster and in the inventory until the certificate leaves: a gateway may still name it.
 */
export function withFormer(
  before: readonly DeliveredObject[] | undefined,
  current: readonly DeliveredObject[],
): readonly DeliveredObject[] {
  const keys = new Set(current.map(refKey))
  return [...current, ...(before ?? []).filter((entry) => !keys.has(refKey(entry)))]
}

/** Tried again at `again`, in epoch milliseconds. */
export function failed(reason: string, message: string, again: number): DeliveryPass {
  return { state: 'failed', reason, message, again }
}
