import type { ArrivedAudit, AuditRecord } from '../model/audit.ts'
import type { AnyDocument, DocumentKind, DocumentOf } from '../model/documents.ts'
import type { ArrivedEvent, EventRecord } from '../model/event.ts'
import type { OutboxEntry } from '../model/outbox.ts'

/** A document as it was read. `tag` changes with every write of it and is meaningless outside the store. */
export interface Stored<T> {
  readonly value: T
  readonly tag: string
  /** Session token: hand it on in messages so that the reader sees this write. */
  readonly session?: string
}

export interface Page<T> {
  readonly value: readonly T[]
  /** Give it as `after` to go on; absent on the last page. */
  readonly next?: string
}

/**
 * Desired and observed state. Every change is one conditional write of one document; there are no transactions.
 * Throws PortError: `conflict` (create of something that is there), `precondition` (replaced or removed by another since
 * it was read), `throttled`, `unavailable` (the write may have happened).
 */
export interface Store {
  /** A point read; undefined when there is none. `session` makes sure that the write it came from is seen. */
  read<K extends DocumentKind>(kind: K, key: string, session?: string): Promise<Stored<DocumentOf[K]> | undefined>
  /**
   * Writes a new document, then sends on its outbox (500 ms at most; what could not be sent stays and is found later), or
   * leaves it for its writer.
   */
  create<D extends AnyDocument>(document: D, outbox?: OutboxFate): Promise<Stored<D>>
  /** Writes `next` if the document is still as it was read, then does with its outbox as `create` does. */
  replace<D extends AnyDocument>(stored: Stored<D>, next: D, outbox?: OutboxFate): Promise<Stored<D>>
  /**
   * Sends on the outbox that a writer left, but for the entries whose work it has done itself (`done`: their ids), and takes
   * all of it out. Never throws: what could not be sent stays and is found later.
   */
  sendOn(stored: Stored<AnyDocument>, done: ReadonlySet<string>): Promise<void>
  /**
   * Removes a document that is still as it was read. Records in its outbox, and `last`, are sent on before: afterwards there
   * is no outbox to find them in. A removal that loses to another writer may therefore have been told of.
   */
  remove(stored: Stored<AnyDocument>, last?: readonly OutboxEntry[]): Promise<void>
  /** In the order of keys. `prefix` narrows by key, `where` by fields that are equal (dotted paths). */
  list<K extends DocumentKind>(kind: K, query?: ListQuery): Promise<Page<Stored<DocumentOf[K]>>>
  /** Every document of a kind, in the order of keys. One request for each thousand or so, where pages would cost several. */
  all<K extends DocumentKind>(kind: K, query?: AllQuery): Promise<readonly DocumentOf[K][]>
  /** Documents whose `dueAt` is not after `now` (RFC 3339), the longest waiting first. */
  due(now: string, limit: number): Promise<readonly { kind: DocumentKind; key: string }[]>
  /** Documents whose outbox is not empty and whose last write is older than `before` (RFC 3339), the oldest first. */
  unrelayed(before: string, limit: number): Promise<readonly LeftBehind[]>
  /** Sends on what the outbox of a document holds and takes just that out of it. */
  relay(kind: DocumentKind, key: string): Promise<void>
  /** Keeps an event; the same id twice is once: false when it was there already. */
  appendEvent(event: EventRecord): Promise<boolean>
  /** In the order of arrival. `after` is a cursor of an ArrivedEvent. */
  events(query: { subject?: string; after?: string; limit: number }): Promise<Page<ArrivedEvent>>
  /** Keeps an audit record; the same id of the same subject twice is once. */
  appendAudit(record: AuditRecord): Promise<void>
  /** In the order of arrival. */
  audit(query: AuditQuery): Promise<Page<ArrivedAudit>>
}

/**
 * `left`: its writer goes on at once and does some of the work itself; it calls `sendOn` in the end. What it does not come
 * to, the feed or the sweep sends.
 */
export type OutboxFate = 'sent' | 'left'

/** A document with an outbox that nobody sent on. */
export interface LeftBehind {
  readonly kind: DocumentKind
  readonly key: string
  /** Epoch milliseconds of its last write. */
  readonly writtenMs: number
}

export interface AuditQuery {
  readonly subject?: string
  /** Id or name of who did it. */
  readonly actor?: string
  /** `service.put`. */
  readonly action?: string
  /** A cursor of an ArrivedAudit. */
  readonly after?: string
  readonly limit: number
}

export interface ListQuery {
  readonly prefix?: string
  /** Keys behind this one. */
  readonly after?: string
  /** 100 when left out, 1000 at most. */
  readonly limit?: number
  readonly where?: Readonly<Record<string, string | number | boolean>>
}

export interface AllQuery extends Pick<ListQuery, 'prefix' | 'where'> {
  /** Only those in which this field is a list with something in it (a dotted path). */
  readonly filled?: string
}
