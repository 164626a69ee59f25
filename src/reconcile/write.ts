import { revisionOf } from '../mesh/marks.ts'
import type { PlacementDocument } from '../model/documents.ts'
import { describeRef, type KubeObject, refOf } from '../model/kube.ts'
import { newestRevision } from '../model/placement.ts'
import type { Drift } from './drift.ts'
import type { Effect } from './permission.ts'
import type { PlacedService, Stop } from './situation.ts'

/** One apply. */
export interface Write {
  readonly object: KubeObject
  /** What it changes, as read; undefined: it is not there. Its uid and resourceVersion are preconditions. */
  readonly live: KubeObject | undefined
  readonly effect: Effect
  /** Take fields from other managers. */
  readonly force: boolean
  /** The change of another hand that it undoes. */
  readonly restores?: Drift
}

/** An object that a newer render wrote is left alone. */
export function fenceStop(
  { service }: { readonly service: Pick<PlacedService, 'renderRevision'> },
  live: KubeObject | undefined,
): Stop | undefined {
  const revision = live && revisionOf(live)
  if (live === undefined || revision === undefined || revision <= service.renderRevision) return undefined
  const message =
    `${describeRef(refOf(live))} bears render revision ${revision}, newer than ${service.renderRevision}: ` +
    'another Meshwright, or one with newer data, wrote it. PUT the service to go on from a newer revision.'
  return { reason: FENCED_OFF, message }
}

/** The service as it was read, beside a placement that a newer one of it has been brought to: who writes that down would undo it. */
export function staleStop(
  { renderRevision }: { readonly renderRevision: number },
  placement: PlacementDocument | undefined,
): Stop | undefined {
  const newest = placement ? newestRevision(placement) : 0
  if (newest <= renderRevision) return undefined
  const message =
    `The placement is of render revision ${newest}, newer than ${renderRevision}: the service was restored from older data. ` +
    'PUT the service to go on from a newer revision.'
  return { reason: FENCED_OFF, message }
}

export const FENCED_OFF = 'FencedOff'
