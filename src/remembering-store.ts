import { type AnyDocument, type DocumentKind, type DocumentOf, keyOf } from './model/documents.ts'
import type { Store, Stored } from './ports/store.ts'

/**
 * A store for one invocation, whose next read of a document that it has just written needs no request: it gets what was
 * written. Once only, and not after a write that failed: whoever reads again wants to know what others have done.
 */
export function rememberingOnce(store: Store): Store {
  const own = new Map<string, Stored<AnyDocument>>()
  const place = (kind: DocumentKind, key: string) => `${kind} ${key}`
  const remembering = async <D extends AnyDocument>(document: D, write: () => Promise<Stored<D>>) => {
    const key = place(document.kind, keyOf(document))
    own.delete(key)
    const written = await write()
    own.set(key, written)
    return written
  }
  return {
    remove: (stored, last) => store.remove(stored, last),
    list: (kind, query) => store.list(kind, query),
    all: (kind, query) => store.all(kind, query),
    due: (now, limit) => store.due(now, limit),
    unrelayed: (before, limit) => store.unrelayed(before, limit),
    relay: (kind, key) => store.relay(kind, key),
    sendOn: (stored, done) => store.sendOn(stored, done),
    appendEvent: (event) => store.appendEvent(event),
    events: (query) => store.events(query),
    appendAudit: (record) => store.appendAudit(record),
    audit: (query) => store.audit(query),
    async read<K extends DocumentKind>(kind: K, key: string, session?: string) {
      const written = own.get(place(kind, key))
      own.delete(place(kind, key))
      return (written as Stored<DocumentOf[K]> | undefined) ?? store.read(kind, key, session)
    },
    create: (document, outbox) => remembering(document, () => store.create(document, outbox)),
    replace: (before, next, outbox) => remembering(next, () => store.replace(before, next, outbox)),
  }
}
