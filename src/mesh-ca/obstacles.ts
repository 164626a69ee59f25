import type { CaRotation } from '../model/ca-rotation.ts'
import { isUrgent } from '../model/expiry.ts'
import type { CaSet } from '../model/mesh-ca.ts'
import type { CaHold, Observations } from './observations.ts'
import { rootInUse } from './renewal.ts'

const DAY_MS = 86_400_000

/** How little is left of what ends first: `week` passes windows, freezes and turns; `day` what happens to the cluster too. */
export type Urgency = 'none' | 'week' | 'day'

/** Of the signer and the root that it rests on, whichever ends first: seven days, or a fifth of a short life. */
export function urgencyOf(set: CaSet | undefined, now: number): Urgency {
  const root = set && rootInUse(set)
  const parts = set ? [set.signer, ...(root ? [root] : [])] : []
  if (parts.some((one) => isUrgent(one, now, DAY_MS))) return 'day'
  return parts.some((one) => isUrgent(one, now)) ? 'week' : 'none'
}

export interface MayBegin {
  readonly obstacle?: CaHold
  /** What would stand in the way if there were more time. */
  readonly passed: readonly CaHold[]
}

/** Why a phase may not begin to write. The way back waits only for the cluster; a first CA changes nothing that is in use. */
export function mayBegin(rotation: CaRotation, { holds, window, now }: Observations): MayBegin {
  const isNarrowing = rotation.phase === 'narrowing' && rotation.direction === 'on'
  const closed = holds.find(({ kind }) => kind === 'closed' || (kind === 'shared' && isNarrowing))
  if (closed || !rotation.from) return { ...(closed ? { obstacle: closed } : {}), passed: [] }
  // When the former root may go, nothing rests on it any more: that it ends is no hurry.
  const urgency = rotation.phase === 'narrowing' ? 'none' : urgencyOf(rotation.from, now)
  const shut: readonly CaHold[] = window.open
    ? []
    : [
        {
          kind: 'freeze',
          reason: 'WaitsForWindow',
          message: 'Waits for a maintenance window.',
          ...(window.opensAt === undefined ? {} : { until: window.opensAt }),
        },
      ]
  const concerns = [...holds, ...shut].filter(({ kind }) => {
    if (kind === 'cluster') return true
    if (kind === 'shared') return false
    return rotation.direction === 'on' && !(kind === 'turn' && rotation.begunAt !== undefined)
  })
  const isPassed = ({ kind }: CaHold) => urgency === 'day' || (urgency === 'week' && kind !== 'cluster')
  const obstacle = concerns.find((hold) => !isPassed(hold))
  return { ...(obstacle ? { obstacle } : {}), passed: concerns.filter(isPassed) }
}
