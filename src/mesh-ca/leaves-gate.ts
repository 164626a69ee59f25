import type { CaRotation } from '../model/ca-rotation.ts'
import { type Finding, no, yes } from '../model/condition.ts'
import type { TrustDocument } from '../model/documents.ts'
import type { CaSet } from '../model/mesh-ca.ts'
import type { LeavesRound } from '../model/trust.ts'
import type { Gate } from './gates.ts'

type Seen = Pick<TrustDocument, 'leaves' | 'leavesRound' | 'state'> | undefined

/** Has every Pod with a proxy shown a certificate of the new signer, in a round that began after `since` (epoch milliseconds)? */
export function areAllRenewed({ phase, written }: CaRotation, trust: Seen, since: number): boolean {
  const round = trust?.leaves
  if (phase !== 'renewing' || trust?.state !== 'seen' || !round || !isOf(round, written?.signer.serial, since))
    return false
  return round.unread === 0 && round.read > 0 && round.bySigner[round.wanted] === round.read
}

/**
 * What leaves say though by time, or by restarts, all should have been renewed: those of another signer hold; a round that is under
 * way is waited for, as long as it is not late. Only rounds that began after `since` count (epoch milliseconds).
 */
export function leavesGate(
  { phase, written }: CaRotation,
  trust: Seen,
  since: number,
  isLate: boolean,
): Gate | undefined {
  if (phase !== 'renewing' || !trust) return undefined
  const serial = written?.signer.serial
  const under = trust.leavesRound && isOf(trust.leavesRound, serial, since) ? trust.leavesRound : undefined
  const done = trust.leaves && isOf(trust.leaves, serial, since) ? trust.leaves : undefined
  const found = [under, done].find((round) => round !== undefined && round.others.length > 0)
  if (found) {
    const message = `Pods still show certificates that serial ${serial} has not signed: ${found.others.join(', ')}. Nothing is taken away while one is in use: restart them, see whether their proxies reach istiod, and whether workloadTtl is as long as their certificates live. It goes on once all are renewed.`
    return { kind: 'hold', reason: 'LeavesOfFormer', message, look: true }
  }
  if (!under || done || isLate) return undefined
  return { kind: 'wait', reason: 'WaitsForLeaves', message: 'The certificates of Pods are being read.', look: true }
}

function isOf({ wanted, since }: LeavesRound, serial: string | undefined, after: number): boolean {
  return wanted === serial && Date.parse(since) > after
}

/** How far it is, in words; empty where nobody shakes hands. */
export function leavesNote({ phase, written }: CaRotation, trust: Seen): string {
  const round = trust?.leaves
  if (phase !== 'renewing' || round?.wanted !== written?.signer.serial || !round) return ''
  const unread = round.unread === 0 ? '' : `; ${round.unread} could not be read`
  return ` By handshakes, ${round.bySigner[round.wanted] ?? 0} of ${round.read} Pods show a certificate of it${unread}.`
}

/** What the last round through the Pods says while nothing is rotated; undefined: there was none, or nothing was read. */
export function leavesFinding({ signer }: CaSet, { leaves }: Pick<TrustDocument, 'leaves'>): Finding | undefined {
  if (!leaves || leaves.wanted !== signer.serial || leaves.read === 0) return undefined
  const { read, unread, bySigner, others } = leaves
  const rest = unread === 0 ? '' : `; ${unread} could not be read`
  if (others.length > 0) {
    const message = `Pods show certificates that serial ${signer.serial} has not signed: ${others.join(', ')}; ${bySigner[signer.serial] ?? 0} of ${read} are of it${rest}.`
    return no('OtherLeaves', message)
  }
  return yes(
    'Renewed',
    `By handshakes, all ${read} Pods that were read show a certificate of serial ${signer.serial}${rest}.`,
  )
}

export const SEEN_BY_LEAVES = 'Every Pod with a proxy showed a certificate of the new signer in a handshake.'
