import type { PlainStore } from '../../../src/adapters/relaying-store.ts'
import type { AuditRecord } from '../../../src/model/audit.ts'
import { type AnyDocument, type DocumentKind, keyOf } from '../../../src/model/documents.ts'
import type { EventRecord } from '../../../src/model/event.ts'
import { PortError, type PortErrorKind } from '../../../src/ports/port-error.ts'
import type { Stored } from '../../../src/ports/store.ts'

export interface MemoryStore extends PlainStore {
  readonly appended: readonly EventRecord[]
  readonly audited: readonly AuditRecord[]
  /** What happened, in order: `create service shop/web`, `event e1`. */
  readonly calls: readonly string[]
  /** Runs before a call takes effect; may throw, wait, or write something itself. */
  before: (call: string) => Promise<void> | void
  /** Runs after the effect, before the answer: throwing here loses the answer. */
  after: (call: string) => Promise<void> | void
}

/** Just so much of a store that outboxes can be relayed: tags, and hooks around every call. */
export function memoryStore(): MemoryStore {
  const documents = new Map<string, Stored<AnyDocument>>()
  const appended: EventRecord[] = []
  const audited: AuditRecord[] = []
  const calls: string[] = []
  let writes = 0
  const place = (kind: DocumentKind, key: string) => `${kind} ${key}`
  const write = (value: AnyDocument) => {
    writes += 1
    const stored = { value, tag: `t${writes}`, session: `s${writes}` }
    documents.set(place(value.kind, keyOf(value)), stored)
    return stored
  }
  const fail = (kind: PortErrorKind) => new PortError(kind, 'memory', kind)
  const step = async <T>(call: string, effect: () => T): Promise<T> => {
    await store.before(call)
    calls.push(call)
    const result = effect()
    await store.after(call)
    return result
  }
  const unused = () => Promise.reject(new Error('not part of this store'))
  const store = {
    appended,
    audited,
    calls,
    before: () => {},
    after: () => {},
    read: (kind: DocumentKind, key: string) =>
      step(`read ${place(kind, key)}`, () => structuredClone(documents.get(place(kind, key)))),
    create: (document: AnyDocument) =>
      step(`create ${place(document.kind, keyOf(document))}`, () => {
        if (documents.has(place(document.kind, keyOf(document)))) throw fail('conflict')
        return write(document)
      }),
    replace: (before: Stored<AnyDocument>, next: AnyDocument) =>
      step(`replace ${place(next.kind, keyOf(next))}`, () => {
        if (documents.get(place(next.kind, keyOf(next)))?.tag !== before.tag) throw fail('precondition')
        return write(next)
      }),
    remove: (before: Stored<AnyDocument>) =>
      step(`remove ${place(before.value.kind, keyOf(before.value))}`, () => {
        documents.delete(place(before.value.kind, keyOf(before.value)))
      }),
    appendEvent: (event: EventRecord) =>
      step(`event ${event.id}`, () => {
        if (appended.some(({ id }) => id === event.id)) return false
        appended.push(event)
        return true
      }),
    appendAudit: (record: AuditRecord) =>
      step(`audit ${record.id}`, () => {
        if (!audited.some(({ id }) => id === record.id)) audited.push(record)
      }),
    list: unused,
    due: unused,
    unrelayed: unused,
    events: unused,
    audit: unused,
  } as unknown as MemoryStore
  return store
}
