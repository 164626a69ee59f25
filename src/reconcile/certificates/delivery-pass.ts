import type { CertificateTarget, DeliveredObject, DeliveryState } from '../../model/certificate.ts'
import { type KubeObject, refOf } from '../../model/kube.ts'
import type { Obstacle } from './obstacles.ts'

/** Something to tell of a delivery. */
export interface Told {
  /** `certificate.delivered`, `certificate.drift-restored`… */
  readonly type: string
  readonly reason: string
  readonly message: string
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

/** Tried again at `again`, in epoch milliseconds. */
export function failed(reason: string, message: string, again: number): DeliveryPass {
  return { state: 'failed', reason, message, again }
}
