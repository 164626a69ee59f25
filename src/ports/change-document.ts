import type { AnyDocument, DocumentKind, DocumentOf } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { OutboxEntry } from '../model/outbox.ts'
import { isPortError } from './port-error.ts'
import type { OutboxFate, Store, Stored } from './store.ts'

const ATTEMPTS = 8

/** What a change wants: a new form of the document, or to leave it as it is. */
export type Change<D extends AnyDocument, T> =
  | { readonly kind: 'write'; readonly document: D; readonly value: T }
  | { readonly kind: 'leave'; readonly value: T }
  /** `last` is told before the document goes: it leaves no outbox behind. */
  | { readonly kind: 'remove'; readonly value: T; readonly last?: readonly OutboxEntry[] }

export interface Changed<D, T> {
  readonly value: T
  /** The document after the change; undefined when there is none. */
  readonly stored: Stored<D> | undefined
  readonly written: boolean
}

/**
 * Reads a document, lets `change` decide, and writes conditionally; when another writer was first, reads and decides
 * again. After eight lost races the failure `WriteConflict`. `change` must be free of effects. Throws PortError.
 */
export async function changeDocument<K extends DocumentKind, T>(
  store: Store,
  kind: K,
  key: string,
  change: (
    stored: Stored<DocumentOf[K]> | undefined,
  ) => Result<Change<DocumentOf[K], T>> | Promise<Result<Change<DocumentOf[K], T>>>,
  session?: string,
  outbox: OutboxFate = 'sent',
): Promise<Result<Changed<DocumentOf[K], T>>> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const stored = await store.read(kind, key, session)
    const decided = await change(stored)
    if (!decided.ok) return decided
    try {
      return succeed(await carryOut(store, stored, decided.value, outbox))
    } catch (error) {
      if (!isPortError(error, 'precondition', 'conflict')) throw error
    }
  }
  return fail('WriteConflict', `Others changed ${kind} ${key} ${ATTEMPTS} times while this request tried to.`, {
    retryAfterMs: 1000,
  })
}

async function carryOut<D extends AnyDocument, T>(
  store: Store,
  stored: Stored<D> | undefined,
  change: Change<D, T>,
  outbox: OutboxFate,
): Promise<Changed<D, T>> {
  if (change.kind === 'leave') return { value: change.value, stored, written: false }
  if (change.kind === 'remove') {
    if (stored) await store.remove(stored, change.last)
    return { value: change.value, stored: undefined, written: stored !== undefined }
  }
  const after = stored
    ? await store.replace(stored, change.document, outbox)
    : await store.create(change.document, outbox)
  return { value: change.value, stored: after, written: true }
}
