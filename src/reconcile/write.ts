import { revisionOf } from '../mesh/marks.ts'
import { describeRef, type KubeObject, refOf } from '../model/kube.ts'
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
export const FENCED_OFF = 'FencedOff'
