import { leafLifetimeMs, lookWantedAfter } from '../../model/ca-rotation.ts'
import { canonicalJson, shortId } from '../../model/digest.ts'
import { type MeshCaDocument, SCHEMA, type TrustDocument } from '../../model/documents.ts'
import type { EventRecord } from '../../model/event.ts'
import { MESHWRIGHT } from '../../model/identity.ts'
import { timestamp } from '../../model/names.ts'
import type { OutboxEntry } from '../../model/outbox.ts'
import type { TrustState } from '../../model/trust.ts'
import type { Told } from '../certificates/delivery-pass.ts'
import { recentRestores } from '../drift.ts'
import { mergeOutbox } from '../merge-outbox.ts'
import { nextDue } from '../next-due.ts'
import { withoutUndefined } from '../without-undefined.ts'
import type { LeavesSeen } from './leaves-round.ts'

const SEEN = [
  'bundles',
  'without',
  'pods',
  'istiod',
  'failures',
  'anchors',
  'controlPlane',
  'issuerEvent',
  'issuanceLifetimeMs',
  'found',
  'words',
  'leaves',
  'leavesRound',
] as const

/** What one look at a cluster found. Absent fields of a failed look are as they were before. */
export interface TrustLook
  extends LeavesSeen,
    Partial<Pick<TrustState, Exclude<(typeof SEEN)[number], keyof LeavesSeen>>> {
  readonly state: TrustState['state']
  readonly reason: string
  readonly message: string
  /** Epoch milliseconds: when the first was read of what `seen` says. Absent: nothing was. */
  readonly begunAt?: number
  /** Epoch milliseconds of the next look. */
  readonly again: number
  /** What is there as it was brought; null: nothing is. Absent: nobody could see, and it is as before. */
  readonly delivered?: TrustState['delivered'] | null
  /** Another hand's change was undone. */
  readonly restored?: boolean
  readonly told?: readonly Told[]
}

/**
 * The document after a look; `before` itself when nothing is to be written. Its outbox holds the next look, and asks the
 * rotation to go on where it may have waited for this. Pure. `now` is epoch milliseconds.
 */
export function nextTrust(
  ca: MeshCaDocument,
  before: TrustDocument | undefined,
  { again, told = [], ...look }: TrustLook,
  now: number,
): TrustDocument {
  const at = timestamp(now)
  const base = before ?? empty(ca, at)
  const { dueAt, ...kept } = base
  const state = withoutUndefined({ ...kept, ...stateAfter(base, ca, look, at) }) as TrustDocument
  const isNews = !before || news(before) !== news(state) || isFirstWanted(before, state, ca) || told.length > 0
  const due = nextDue(dueAt, again, now)
  if (before && !isNews && due.schedule === undefined) return before
  const added = [
    ...told.map((one) => eventEntry(state, one, at)),
    ...(isNews ? [rotateEntry(state, at)] : []),
    ...(due.schedule === undefined ? [] : [nextLookEntry(state, due.schedule)]),
  ]
  const outbox = mergeOutbox(base.outbox, added, due.schedule === undefined ? undefined : 'trust')
  return { ...state, outbox, ...(due.dueAt === undefined ? {} : { dueAt: due.dueAt }), updatedAt: at }
}

function stateAfter(
  before: TrustDocument,
  ca: MeshCaDocument,
  look: Omit<TrustLook, 'again' | 'told'>,
  at: string,
): TrustState {
  const { state, reason, message } = look
  // Another cluster's bundles say nothing of this one.
  const kept = before.cluster === ca.spec.cluster ? before : empty(ca, at)
  const base = state === 'seen' ? NOTHING_SEEN : kept
  const seen: Partial<TrustState> = Object.fromEntries(SEEN.map((field) => [field, look[field] ?? base[field]]))
  const restores = recentRestores({ restores: [...(kept.restores ?? [])] }, Date.parse(at))
  return {
    ...{ ca: ca.name, cluster: ca.spec.cluster, state, reason, message },
    ...seen,
    // Its begin: nothing that was read before a write counts as read after it.
    lookedAt: state === 'seen' ? timestamp(look.begunAt ?? Date.parse(at)) : kept.lookedAt,
    delivered: look.delivered === undefined && state === 'failed' ? kept.delivered : (look.delivered ?? undefined),
    restores: look.restored ? [...restores, at] : restores.length > 0 ? restores : undefined,
    attempts: state === 'seen' ? 0 : before.attempts + 1,
  } as TrustState
}

const NOTHING_SEEN: Partial<TrustState> = { bundles: [], without: [], pods: { count: 0 } }

function empty({ name, spec }: MeshCaDocument, at: string): TrustDocument {
  const base = { schema: SCHEMA, kind: 'trust', outbox: [], createdAt: at, updatedAt: at } as const
  const state = { state: 'failed', reason: 'Begun', message: '', bundles: [], without: [], attempts: 0 } as const
  return { ...base, ca: name, cluster: spec.cluster, ...state, pods: { count: 0 } }
}

/** So few failures are no trouble, wherever they come from. */
const FEW = 10

/** What a rotation may wait for. How many Pods there are moves by itself. */
function news(trust: TrustState): string {
  const { cluster, state, reason, bundles, without, pods, istiod, failures } = trust
  const counted = failures && (failures.now <= FEW ? 'few' : failures)
  const { at: _at, ...said } = trust.words ?? {}
  const { begun, unread, bySigner } = trust.leaves ?? {}
  const leaves = [begun, unread, bySigner, trust.leavesRound?.begun, (trust.leavesRound?.others.length ?? 0) > 0]
  const { anchors, controlPlane, issuerEvent, issuanceLifetimeMs, found, delivered } = trust
  // Absent where it is Istio's.
  const sets = anchors && Object.keys(anchors).sort()
  const ofLinkerd = [sets, controlPlane?.oldestStart, issuerEvent, issuanceLifetimeMs, found, delivered]
  const ofAll = [cluster, state, reason, bundles, without, pods.oldestStart, pods.others, istiod, counted]
  return canonicalJson([...ofAll, said, leaves, ofLinkerd])
}

/** Is it the first look that may take the rotation on? It is told, even if it saw the same as the one before. */
function isFirstWanted(before: TrustDocument, after: TrustDocument, { rotation, spec }: MeshCaDocument): boolean {
  const since = lookWantedAfter(rotation, leafLifetimeMs(spec, after))
  const isWanted = ({ lookedAt }: TrustDocument) => lookedAt !== undefined && Date.parse(lookedAt) > (since ?? 0)
  return since !== undefined && isWanted(after) && !isWanted(before)
}

function rotateEntry({ ca, ...state }: TrustDocument, at: string): OutboxEntry {
  const id = shortId(20, ca, 'rotate-ca', news({ ca, ...state }), at)
  return { id, kind: 'work', queue: 'lifecycle', message: { kind: 'rotate-ca', ca } }
}

/** Unique by its time: what was seen is written once in a millisecond. */
function eventEntry(
  { ca, cluster, delivered }: TrustDocument,
  { type, reason, message }: Told,
  time: string,
): OutboxEntry {
  const id = shortId(20, ca, 'trust', type, reason, time)
  const data = { cluster, ...(delivered ? { revision: delivered.revision } : {}) }
  const event: EventRecord = { id, type, time, subject: `certificates/${ca}`, actor: MESHWRIGHT, reason, message, data }
  return { id, kind: 'event', event }
}

function nextLookEntry({ ca }: TrustDocument, again: number): OutboxEntry {
  const notBefore = timestamp(again)
  const id = shortId(20, ca, 'trust', notBefore)
  return { id, kind: 'work', queue: 'work', message: { kind: 'trust', ca }, notBefore }
}
