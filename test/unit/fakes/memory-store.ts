import type { ArrivedAudit, AuditRecord } from '../../../src/model/audit.ts'
import {
  type AnyDocument,
  type DocumentKind,
  type DocumentOf,
  keyOf,
  nameSpaceOf,
} from '../../../src/model/documents.ts'
import type { ArrivedEvent, EventRecord } from '../../../src/model/event.ts'
import { followUpsOf } from '../../../src/model/follow-ups.ts'
import type { OutboxEntry, QueueName, WorkMessage } from '../../../src/model/outbox.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import type {
  AllQuery,
  AuditQuery,
  LeftBehind,
  ListQuery,
  OutboxFate,
  Page,
  Store,
  Stored,
} from '../../../src/ports/store.ts'

export interface SentWork {
  readonly queue: QueueName
  readonly message: WorkMessage
  readonly notBefore?: string
}

/**
 * State in memory that keeps to the store's contract: tags, conditional writes, lists in the order of keys, events in the
 * order of arrival. What it hands out is a copy. Outboxes stay in their documents until `relay`; with `relaying` every
 * write relays, as the product's store does.
 */
export class MemoryStore implements Store {
  readonly relaying: boolean
  /** Work that relays have sent, in order. */
  readonly sent: SentWork[] = []
  readonly audited: AuditRecord[] = []
  /** Successful writes of documents by the code under test (relays, `put` and `drop` do not count). */
  writes = 0
  /** Runs before each write takes effect: may throw, or write something itself and so win the race. */
  beforeWrite: (change: 'create' | 'replace' | 'remove', document: AnyDocument) => void | Promise<void> = () =>
    undefined
  /** Runs before each read. */
  beforeRead: (kind: DocumentKind, key: string) => void | Promise<void> = () => undefined
  private readonly documents = new Map<string, Stored<AnyDocument>>()
  private readonly arrived: ArrivedEvent[] = []
  private tags = 0

  constructor(options: { readonly relaying?: boolean } = {}) {
    this.relaying = options.relaying ?? false
  }

  /** Puts a document there, whatever was there before. */
  put<D extends AnyDocument>(document: D): Stored<D> {
    this.tags += 1
    const stored = { value: copy(document), tag: `t${this.tags}`, session: `s${this.tags}` }
    this.documents.set(place(document.kind, keyOf(document)), stored)
    return copy(stored)
  }

  /** The document as it is, without counting as a read. Throws when there is none. */
  get<K extends DocumentKind>(kind: K, key: string): DocumentOf[K] {
    const found = this.peek(kind, key)
    if (!found) throw new Error(`there is no ${kind} ${key}`)
    return found
  }

  peek<K extends DocumentKind>(kind: K, key: string): DocumentOf[K] | undefined {
    return this.found(kind, key)?.value
  }

  /** Changes a document that is there, as another writer. */
  change<K extends DocumentKind>(kind: K, key: string, change: (document: DocumentOf[K]) => DocumentOf[K]): void {
    this.put(change(this.get(kind, key)))
  }

  drop(kind: DocumentKind, key: string): void {
    this.documents.delete(place(kind, key))
  }

  /** Events that have been kept, in the order of arrival. */
  get kept(): readonly EventRecord[] {
    return this.arrived
  }

  async read<K extends DocumentKind>(kind: K, key: string): Promise<Stored<DocumentOf[K]> | undefined> {
    await this.beforeRead(kind, key)
    return this.found(kind, key)
  }

  async create<D extends AnyDocument>(document: D, outbox?: OutboxFate): Promise<Stored<D>> {
    await this.beforeWrite('create', document)
    if (this.documents.has(place(document.kind, keyOf(document)))) throw failed('conflict', document)
    return this.write(document, outbox)
  }

  async replace<D extends AnyDocument>(stored: Stored<D>, next: D, outbox?: OutboxFate): Promise<Stored<D>> {
    await this.beforeWrite('replace', next)
    this.check(stored)
    return this.write(next, outbox)
  }

  async sendOn({ value }: Stored<AnyDocument>, done: ReadonlySet<string>): Promise<void> {
    const now = this.documents.get(place(value.kind, keyOf(value)))
    if (!now) return
    for (const entry of value.outbox) if (!done.has(entry.id)) this.send(entry)
    const gone = new Set(value.outbox.map(({ id }) => id))
    this.put({ ...now.value, outbox: now.value.outbox.filter(({ id }) => !gone.has(id)) })
  }

  async remove(stored: Stored<AnyDocument>, last: readonly OutboxEntry[] = []): Promise<void> {
    await this.beforeWrite('remove', stored.value)
    for (const entry of [...stored.value.outbox, ...last]) if (entry.kind !== 'work') this.send(entry)
    const known = this.documents.get(place(stored.value.kind, keyOf(stored.value)))
    if (!known) return
    this.check(stored)
    this.writes += 1
    this.drop(stored.value.kind, keyOf(stored.value))
  }

  async list<K extends DocumentKind>(kind: K, query: ListQuery = {}): Promise<Page<Stored<DocumentOf[K]>>> {
    const { prefix = '', after, limit = 100, where = {} } = query
    const fits = [...this.documents.values()]
      .filter(({ value }) => value.kind === kind && keyOf(value).startsWith(prefix))
      .filter(({ value }) => after === undefined || keyOf(value) > after)
      .filter(({ value }) => Object.entries(where).every(([path, wanted]) => field(value, path) === wanted))
      .sort((a, b) => (keyOf(a.value) < keyOf(b.value) ? -1 : 1))
    const page = copy(fits.slice(0, limit)) as Stored<DocumentOf[K]>[]
    const last = page.at(-1)
    return { value: page, ...(fits.length > limit && last ? { next: keyOf(last.value as AnyDocument) } : {}) }
  }

  async all<K extends DocumentKind>(kind: K, { filled, ...query }: AllQuery = {}): Promise<readonly DocumentOf[K][]> {
    const all = (await this.list(kind, { ...query, limit: Number.MAX_SAFE_INTEGER })).value.map(({ value }) => value)
    const isFilled = (list: unknown) => Array.isArray(list) && list.length > 0
    return filled === undefined ? all : all.filter((document) => isFilled(field(document, filled)))
  }

  async due(now: string, limit: number): Promise<readonly { kind: DocumentKind; key: string }[]> {
    return [...this.documents.values()]
      .map(({ value }) => value)
      .filter(({ dueAt }) => dueAt !== undefined && dueAt <= now)
      .sort((a, b) => ((a.dueAt ?? '') < (b.dueAt ?? '') ? -1 : 1))
      .slice(0, limit)
      .map((value) => ({ kind: value.kind, key: keyOf(value) }))
  }

  async unrelayed(before: string, limit: number): Promise<readonly LeftBehind[]> {
    return [...this.documents.values()]
      .map(({ value }) => value)
      .filter(({ outbox, updatedAt }) => outbox.length > 0 && updatedAt < before)
      .slice(0, limit)
      .map((value) => ({ kind: value.kind, key: keyOf(value), writtenMs: Date.parse(value.updatedAt) }))
  }

  async relay(kind: DocumentKind, key: string): Promise<void> {
    const stored = this.documents.get(place(kind, key))
    if (!stored || stored.value.outbox.length === 0) return
    for (const entry of stored.value.outbox) this.send(entry)
    this.put({ ...stored.value, outbox: [] })
  }

  /** Relays every outbox. */
  async relayAll(): Promise<void> {
    for (const { value } of [...this.documents.values()]) await this.relay(value.kind, keyOf(value))
  }

  async appendEvent(event: EventRecord): Promise<boolean> {
    if (this.arrived.some(({ id }) => id === event.id)) return false
    this.arrived.push({ ...copy(event), cursor: String(this.arrived.length + 1).padStart(9, '0') })
    return true
  }

  async events(query: { subject?: string; after?: string; limit: number }): Promise<Page<ArrivedEvent>> {
    const { subject, after = '', limit } = query
    if (!/^\d*$/.test(after)) throw new PortError('invalid', 'memory', 'no cursor')
    const fits = this.arrived.filter(
      (event) => event.cursor > after && (subject === undefined || event.subject === subject),
    )
    const page = copy(fits.slice(0, limit))
    const last = page.at(-1)
    return { value: page, ...(fits.length > limit && last ? { next: last.cursor } : {}) }
  }

  async appendAudit(record: AuditRecord): Promise<void> {
    if (!this.audited.some(({ id }) => id === record.id)) this.audited.push(copy(record))
  }

  async audit({ subject, actor, action, after = '', limit }: AuditQuery): Promise<Page<ArrivedAudit>> {
    if (!/^\d*$/.test(after)) throw new PortError('invalid', 'memory', 'no cursor')
    const fits = this.audited
      .map((record, index) => ({ ...record, cursor: String(index + 1).padStart(9, '0') }))
      .filter(({ cursor }) => cursor > after)
      .filter((record) => subject === undefined || record.subject === subject)
      .filter((record) => action === undefined || record.action === action)
      .filter((record) => actor === undefined || record.actor.id === actor || record.actor.name === actor)
    const page = copy(fits.slice(0, limit))
    const last = page.at(-1)
    return { value: page, ...(fits.length > limit && last ? { next: last.cursor } : {}) }
  }

  private found<K extends DocumentKind>(kind: K, key: string): Stored<DocumentOf[K]> | undefined {
    const stored = this.documents.get(place(kind, key))
    return stored?.value.kind === kind ? (copy(stored) as Stored<DocumentOf[K]>) : undefined
  }

  private check(stored: Stored<AnyDocument>): void {
    const known = this.documents.get(place(stored.value.kind, keyOf(stored.value)))
    if (known?.tag !== stored.tag) throw failed('precondition', stored.value)
  }

  private async write<D extends AnyDocument>(document: D, outbox?: OutboxFate): Promise<Stored<D>> {
    const written = this.put(document)
    this.writes += 1
    if (!this.relaying || outbox === 'left') return written
    await this.relay(document.kind, keyOf(document))
    return copy(this.documents.get(place(document.kind, keyOf(document)))) as Stored<D>
  }

  private send(entry: OutboxEntry): void {
    if (entry.kind === 'event') {
      void this.appendEvent(entry.event)
      for (const { document, queue, message } of followUpsOf(entry.event)) {
        if (!this.peek(document.kind, keyOf(document))) this.put(document)
        this.sent.push({ queue, message })
      }
    } else if (entry.kind === 'audit') void this.appendAudit(entry.record)
    else if (entry.kind === 'archive') {
      const document = entry.value as AnyDocument
      if (!this.peek(document.kind, keyOf(document))) this.put(document)
    } else {
      const { queue, message, notBefore } = entry
      this.sent.push({ queue, message, ...(notBefore === undefined ? {} : { notBefore }) })
    }
  }
}

function place(kind: DocumentKind, key: string): string {
  return `${nameSpaceOf(kind)} ${key}`
}

function failed(kind: 'conflict' | 'precondition', document: AnyDocument): PortError {
  return new PortError(kind, 'memory', `${place(document.kind, keyOf(document))}: ${kind}`)
}

function field(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((inner, name) => (inner as Readonly<Record<string, unknown>> | undefined)?.[name], value)
}

/** Through JSON, as the wire does: what is undefined is not there. */
function copy<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T)
}
