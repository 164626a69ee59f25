import type { CertificateDocument } from '../model/documents.ts'
import type { EventRecord } from '../model/event.ts'
import { isHeldBack, isTerminal, type Rollout } from '../model/rollout.ts'
import type { Notice } from '../model/team.ts'

/** What is news only as long as the rollout has not gone on. */
const PASSING: readonly string[] = ['rollout.awaiting-approval', 'rollout.approved', 'rollout.paused', 'rollout.blind']
/** What the end of the rollout, which is told of its own, makes old. */
const BEFORE_END: readonly string[] = [
  'rollout.started',
  'rollout.wave-passed',
  'rollout.rolling-back',
  'rollout.harm-frozen',
]

/**
 * Why an event of a rollout need not be told any more; undefined while it is news. `notices` is what the channel wants to
 * hear of (undefined: everything): an end that it is not told of overtakes nothing. Nor does a rollout that was read from
 * before the event, for the store may be behind.
 */
export function overtakenRollout(
  { type, time }: EventRecord,
  rollout: Rollout | undefined,
  notices: readonly Notice[] | undefined,
): string | undefined {
  if (rollout === undefined) return undefined
  const gone = `the rollout is ${rollout.phase} by now`
  if (type === 'rollout.held') {
    const isOld = rollout.updatedAt > time && !isHeldBack(rollout)
    return isOld ? 'nothing holds the rollout back by now' : undefined
  }
  if (PASSING.includes(type)) return rollout.phaseSince > time ? gone : undefined
  if (!BEFORE_END.includes(type) || !isTerminal(rollout.phase)) return undefined
  const end: Notice = rollout.phase === 'succeeded' ? 'promoted' : 'rolled-back'
  return notices === undefined || notices.includes(end) ? gone : undefined
}

/** The same for an event of a certificate: old when a rotation has ended well since, or has its signature by now. */
export function overtakenCertificate(
  { type, time }: EventRecord,
  certificate: CertificateDocument | undefined,
): string | undefined {
  if (type === 'certificate.rotated' || certificate?.rotation === undefined) return undefined
  const { phase, phaseSince, endedAt } = certificate.rotation
  if (type === 'certificate.awaiting-issuer' && phaseSince > time) return 'it waits no longer'
  return phase === 'succeeded' && endedAt !== undefined && endedAt > time ? 'it was rotated meanwhile' : undefined
}
