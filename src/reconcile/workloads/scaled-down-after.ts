import { refOf } from '../../model/kube.ts'
import type { ScaledDown } from '../../model/retired.ts'
import { refKey } from '../content.ts'
import type { PlacementUpdate } from '../next-placement.ts'
import type { Pass } from '../pass.ts'
import type { Finding } from '../placement-conditions.ts'

type Seen = Pick<Pass, 'situation' | 'plan' | 'written'>

/** What became of retired versions in a pass, beside what was known before of those that still are on the service's list. */
export function scaledDownAfter(pass: Seen): PlacementUpdate['state'] {
  const news = outcomesOf(pass)
  if (news.length === 0) return {}
  const { service, cluster, placement } = pass.situation
  const retired = service.retired?.[cluster.name] ?? []
  const known = (placement?.scaledDown ?? []).filter(({ version, rollout }) =>
    retired.some((one) => one.version === version && one.rollout === rollout),
  )
  return { scaledDown: [...known, ...news] }
}

/** Told in each pass that looks after retired versions, and kept from then on. */
export function scaledDownFindings(pass: Seen): readonly Finding[] {
  const type = 'ScaledDown' as const
  const outcomes = outcomesOf(pass)
  const kept = outcomes.filter(({ status }) => status === 'kept')
  const message = (all: readonly ScaledDown[]) => all.map((outcome) => outcome.message).join(' ')
  if (kept[0]) return [{ type, status: 'False', reason: kept[0].reason, message: message(kept) }]
  const stopped = pass.plan.scaleDowns.find(({ stop }) => stop)?.stop
  if (stopped) return [{ type, status: 'Unknown', reason: stopped.reason, message: stopped.message }]
  const waiting = pass.plan.scaleDowns.length - outcomes.length
  if (waiting > 0) {
    const words = 'Requests that are under way are given time to end before the Deployment is scaled to 0.'
    return [{ type, status: 'Unknown', reason: 'Draining', message: words }]
  }
  return outcomes.length === 0 ? [] : [{ type, status: 'True', reason: 'Done', message: message(outcomes) }]
}

function outcomesOf({ plan, written }: Seen): readonly ScaledDown[] {
  const applied = new Set(written.map(({ write }) => refKey(refOf(write.object))))
  return plan.scaleDowns
    .filter(({ write }) => write === undefined || applied.has(refKey(refOf(write.object))))
    .flatMap(({ retired: { version, rollout }, outcome }) => (outcome ? [{ version, rollout, ...outcome }] : []))
}
