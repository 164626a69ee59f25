import { canonicalJson } from './digest.ts'
import type { DocumentBase } from './documents.ts'
import { timestamp } from './names.ts'
import type { OutboxEntry } from './outbox.ts'

/** The sweep finds what is due every 30 s; what is due within this gets a message of its own, to be in time. */
const SOON_MS = 600_000

/** What a decision about a certificate or a mesh CA comes to: the next document, and what is to be asked of the vault once it is stored. */
export type Settled<Document, Effect> =
  | { readonly kind: 'write'; readonly document: Document; readonly effect?: Effect }
  | { readonly kind: 'leave' }

interface Step<Document, Effect> {
  readonly document: Document
  readonly entries: readonly OutboxEntry[]
  readonly effect?: Effect
  /** Epoch milliseconds. */
  readonly lookAt?: number
}

/**
 * The time of the next look and the outbox; `leave` when nothing of the document changes. Where the vault is asked it is looked at
 * again before `leaseMs` are over. `work`: the message of the next look. `now` is epoch milliseconds. Pure.
 */
export function settleStep<Document extends DocumentBase, Effect>(
  before: Document,
  { document: decided, entries, effect, lookAt: wanted }: Step<Document, Effect>,
  { now, leaseMs, work }: { now: number; leaseMs: number; work: (dueAt: string) => OutboxEntry },
): Settled<Document, Effect> {
  const { dueAt: _dueAt, ...rest } = decided
  const lookAt = effect ? Math.min(wanted ?? Number.POSITIVE_INFINITY, now + leaseMs) : wanted
  const dueAt = lookAt === undefined ? undefined : timestamp(Math.max(lookAt, now))
  // Without the time of the look before: the compiler cannot tell that the rest is the document still.
  const document = { ...rest, ...(dueAt === undefined ? {} : { dueAt }) } as unknown as Document
  if (entries.length === 0 && !effect && canonicalJson(document) === canonicalJson(before)) return { kind: 'leave' }
  const soon = dueAt !== undefined && dueAt !== before.dueAt && Date.parse(dueAt) <= now + SOON_MS
  const outbox = [...before.outbox, ...entries, ...(soon ? [work(dueAt)] : [])]
  const written = { ...document, outbox, updatedAt: timestamp(now) }
  return { kind: 'write', document: written, ...(effect ? { effect } : {}) }
}
