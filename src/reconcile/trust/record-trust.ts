import { lookWantedAfter } from '../../model/ca-rotation.ts'
import { canonicalJson, shortId } from '../../model/digest.ts'
import { type MeshCaDocument, SCHEMA, type TrustDocument } from '../../model/documents.ts'
import { durationMs, timestamp } from '../../model/names.ts'
import type { OutboxEntry } from '../../model/outbox.ts'
import type { TrustState } from '../../model/trust.ts'
import { mergeOutbox } from '../merge-outbox.ts'
import { nextDue } from '../next-due.ts'
import { withoutUndefined } from '../without-undefined.ts'
import type { LeavesSeen } from './leaves-round.ts'

/** What one look at a cluster found. Absent fields of a failed look are as they were before. */
export interface TrustLook
  extends LeavesSeen,
    Partial<Pick<TrustState, 'bundles' | 'without' | 'pods' | 'istiod' | 'failures' | 'words'>> {
  readonly state: TrustState['state']
  readonly reason: string
  readonly message: string
  /** Epoch milliseconds of the next look. */
  readonly again: number
}

/**
 * The document after a look; `before` itself when nothing is to be written. Its outbox holds the next look, and asks the
 * rotation to go on where it may have waited for this. Pure. `now` is epoch milliseconds.
 */
export function nextTrust(
  ca: MeshCaDocument,
  before: TrustDocument | undefined,
  { again, ...look }: TrustLook,
  now: number,
): TrustDocument {
  const at = timestamp(now)
  const base = before ?? empty(ca, at)
  const { dueAt, ...kept } = base
  const state = withoutUndefined({ ...kept, ...stateAfter(base, ca, look, at) }) as TrustDocument
  const isNews = !before || news(before) !== news(state) || isFirstWanted(before, state, ca)
  const due = nextDue(dueAt, again, now)
  if (before && !isNews && due.schedule === undefined) return before
  const added = [
    ...(isNews ? [rotateEntry(state, at)] : []),
    ...(due.schedule === undefined ? [] : [nextLookEntry(state, due.schedule)]),
  ]
  const outbox = mergeOutbox(base.outbox, added, due.schedule === undefined ? undefined : 'trust')
  return { ...state, outbox, ...(due.dueAt === undefined ? {} : { dueAt: due.dueAt }), updatedAt: at }
}

function stateAfter(before: TrustDocument, ca: MeshCaDocument, look: Omit<TrustLook, 'again'>, at: string): TrustState {
  const { state, reason, message } = look
  const words = { ca: ca.name, cluster: ca.spec.cluster, state, reason, message }
  if (state === 'seen') {
    const { bundles = [], without = [], pods = { count: 0 }, istiod, failures } = look
    const seen = { bundles, without, pods, istiod, failures }
    const heard = { words: look.words, leaves: look.leaves, leavesRound: look.leavesRound }
    return { ...words, lookedAt: at, ...seen, ...heard, attempts: 0 } as TrustState
  }
  // Another cluster's bundles say nothing of this one.
  const isSame = before.cluster === ca.spec.cluster
  const kept = isSame ? before : empty(ca, at)
  const { bundles = kept.bundles, without = kept.without, pods = kept.pods } = look
  return {
    ...words,
    ...{ lookedAt: kept.lookedAt, istiod: kept.istiod, failures: kept.failures },
    ...{ bundles, without, pods, words: look.words ?? kept.words, leaves: kept.leaves, leavesRound: kept.leavesRound },
    attempts: before.attempts + 1,
  } as TrustState
}

function empty({ name, spec }: MeshCaDocument, at: string): TrustDocument {
  const base = { schema: SCHEMA, kind: 'trust', outbox: [], createdAt: at, updatedAt: at } as const
  const state = { state: 'failed', reason: 'Begun', message: '', bundles: [], without: [], attempts: 0 } as const
  return { ...base, ca: name, cluster: spec.cluster, ...state, pods: { count: 0 } }
}

/** So few failures are no trouble, wherever they come from. */
const FEW = 10

/** What a rotation may wait for. How many Pods there are moves by itself. */
function news({ cluster, state, reason, bundles, without, pods, istiod, failures, ...rest }: TrustState): string {
  const counted = failures && (failures.now <= FEW ? 'few' : failures)
  const { at: _at, ...said } = rest.words ?? {}
  const { begun, unread, bySigner } = rest.leaves ?? {}
  const leaves = [begun, unread, bySigner, rest.leavesRound?.begun, (rest.leavesRound?.others.length ?? 0) > 0]
  return canonicalJson([cluster, state, reason, bundles, without, pods.oldestStart, istiod, counted, said, leaves])
}

/** Is it the first look that may take the rotation on? It is told, even if it saw the same as the one before. */
function isFirstWanted(before: TrustDocument, after: TrustDocument, { rotation, spec }: MeshCaDocument): boolean {
  const since = lookWantedAfter(rotation, durationMs(spec.workloadTtl))
  const isWanted = ({ lookedAt }: TrustDocument) => lookedAt !== undefined && Date.parse(lookedAt) > (since ?? 0)
  return since !== undefined && isWanted(after) && !isWanted(before)
}

function rotateEntry({ ca, ...state }: TrustDocument, at: string): OutboxEntry {
  const id = shortId(20, ca, 'rotate-ca', news({ ca, ...state }), at)
  return { id, kind: 'work', queue: 'lifecycle', message: { kind: 'rotate-ca', ca } }
}

function nextLookEntry({ ca }: TrustDocument, again: number): OutboxEntry {
  const notBefore = timestamp(again)
  const id = shortId(20, ca, 'trust', notBefore)
  return { id, kind: 'work', queue: 'work', message: { kind: 'trust', ca }, notBefore }
}
