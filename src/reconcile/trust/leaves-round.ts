import { isCaRotationOver, spreadMs } from '../../model/ca-rotation.ts'
import type { MeshCaDocument } from '../../model/documents.ts'
import { durationMs, timestamp } from '../../model/names.ts'
import type { LeavesRound, TrustState } from '../../model/trust.ts'

export type OpenRound = NonNullable<TrustState['leavesRound']>
/** The round that ended last, and the one under way. */
export interface LeavesSeen {
  readonly leaves?: LeavesRound | undefined
  readonly leavesRound?: OpenRound | undefined
}

const MINUTE_MS = 60_000
const IDLE_MS = 55 * MINUTE_MS
const PAUSE_MS = 5 * MINUTE_MS

/**
 * The round that a look goes on with, or begins; undefined when none is due. While leaves are renewed there is one after the other
 * with a pause, and a new one at once when one that began before would not tell any more: after every replica of istiod signs
 * anew, and after the workload TTL. Otherwise a look once an hour is enough. `now` is epoch milliseconds.
 */
export function dueRound(
  { rotation, spec, current }: Pick<MeshCaDocument, 'rotation' | 'spec' | 'current'>,
  { leaves, leavesRound }: LeavesSeen,
  now: number,
): OpenRound | undefined {
  const isLive = rotation !== undefined && !isCaRotationOver(rotation)
  if (spec.purpose !== 'mesh-ca' || !spec.handshakes || (isLive && rotation.phase !== 'renewing')) return undefined
  const wanted = (isLive ? rotation.written : current)?.signer.serial
  if (wanted === undefined) return undefined
  const ttlMs = durationMs(spec.workloadTtl)
  const begun = isLive ? stageOf(Date.parse(rotation.takenAt ?? ''), ttlMs, now) : 'early'
  const counts = (round: LeavesRound | undefined) => round?.wanted === wanted && round.begun === begun
  const pauseMs = isLive ? Math.min(PAUSE_MS, ttlMs / 12) : IDLE_MS
  const isRested = (round: LeavesRound | undefined) => round === undefined || now - Date.parse(round.at) >= pauseMs
  if (leavesRound && counts(leavesRound)) return isLive || isRested(leavesRound) ? leavesRound : undefined
  if (counts(leaves) && !isRested(leaves)) return undefined
  const at = timestamp(now)
  return { since: at, at, wanted, begun, read: 0, unread: 0, bySigner: {}, others: [], cursor: '' }
}

function stageOf(takenAt: number, ttlMs: number, now: number): LeavesRound['begun'] {
  const settled = takenAt + spreadMs(ttlMs)
  if (now > settled + ttlMs) return 'over'
  return now > settled ? 'taken' : 'early'
}
