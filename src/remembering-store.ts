import { type AnyDocument, type DocumentKind, type DocumentOf, keyOf } from './model/documents.ts'
import type { Clock } from './ports/clock.ts'
import type { AllQuery, Store, Stored } from './ports/store.ts'

/** Views of a store for one invocation, which remember what it has seen. */
export interface Memory {
  /**
   * For passes, which write to clusters. The next read of a document that was just written here needs no request: it gets
   * what was written. Once only, and not after a write that failed: whoever reads again wants to know what others have done.
   * Freezes and clusters are always asked for: a freeze is read before every write to a cluster.
   */
  readonly toAct: Store
  /**
   * For decisions, which write to the store alone. As `toAct`, and freezes and clusters may be as old as `DECIDES_ON_MS`:
   * what such a decision raises, the pass that carries it out does not unless it reads itself that nothing is frozen.
   */
  readonly toDecide: Store
  /**
   * The next read of this document gets this: it was written here, and what follows writes it anew under its tag, which fails
   * when another has changed it meanwhile.
   */
  recall(stored: Stored<AnyDocument>): void
}

/** Milliseconds. */
const DECIDES_ON_MS = 1000

export function remembering(store: Store, clock: Clock): Memory {
  const own = new Map<string, Stored<AnyDocument>>()
  const seen = seenByPasses(clock)
  const write = async <D extends AnyDocument>(document: D, run: () => Promise<Stored<D>>) => {
    const key = place(document.kind, keyOf(document))
    own.delete(key)
    const written = await run()
    own.set(key, written)
    return written
  }
  const read = async <K extends DocumentKind>(kind: K, key: string, session?: string) => {
    const written = own.get(place(kind, key))
    own.delete(place(kind, key))
    return (written as Stored<DocumentOf[K]> | undefined) ?? store.read(kind, key, session)
  }
  const toAct: Store = {
    remove: (stored, last) => store.remove(stored, last),
    list: (kind, query) => store.list(kind, query),
    all: (kind, query) =>
      kind === 'freeze' ? seen.note(questionOf(kind, query), store.all(kind, query)) : store.all(kind, query),
    due: (now, limit) => store.due(now, limit),
    unrelayed: (before, limit) => store.unrelayed(before, limit),
    relay: (kind, key) => store.relay(kind, key),
    sendOn: (stored, done) => store.sendOn(stored, done),
    appendEvent: (event) => store.appendEvent(event),
    events: (query) => store.events(query),
    appendAudit: (record) => store.appendAudit(record),
    audit: (query) => store.audit(query),
    read: (kind, key, session) =>
      kind === 'cluster' ? seen.note(place(kind, key), read(kind, key, session)) : read(kind, key, session),
    create: (document, outbox) => write(document, () => store.create(document, outbox)),
    replace: (before, next, outbox) => write(next, () => store.replace(before, next, outbox)),
  }
  return {
    toAct,
    toDecide: {
      ...toAct,
      all: (kind, query) =>
        (kind === 'freeze' ? seen.recent(questionOf(kind, query)) : undefined) ?? toAct.all(kind, query),
      read: (kind, key, session) =>
        (kind === 'cluster' ? seen.recent(place(kind, key)) : undefined) ?? toAct.read(kind, key, session),
    },
    recall: (stored) => void own.set(place(stored.value.kind, keyOf(stored.value)), stored),
  }
}

/** Answers with the time at which they were asked for. */
function seenByPasses(clock: Clock) {
  const answers = new Map<string, { readonly askedMs: number; readonly value: Promise<unknown> }>()
  return {
    note<T>(question: string, value: Promise<T>): Promise<T> {
      answers.set(question, { askedMs: clock.now(), value })
      value.catch(() => answers.delete(question))
      return value
    },
    recent<T>(question: string): Promise<T> | undefined {
      const known = answers.get(question)
      return known && clock.now() - known.askedMs <= DECIDES_ON_MS ? (known.value as Promise<T>) : undefined
    },
  }
}

function place(kind: DocumentKind, key: string): string {
  return `${kind} ${key}`
}

function questionOf(kind: DocumentKind, query: AllQuery = {}): string {
  return `all ${kind} ${JSON.stringify(query)}`
}
