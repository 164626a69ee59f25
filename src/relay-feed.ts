import { type AnyDocument, keyOf } from './model/documents.ts'
import type { Store } from './ports/store.ts'

/**
 * Sends on what the change feed shows to be left in outboxes: what a writer that crashed could not. A document that has
 * been relayed meanwhile costs one read. Throws when the store does not answer: the feed hands the batch out again.
 */
export async function relayFeed(store: Store, documents: readonly unknown[]): Promise<void> {
  for (const document of documents) {
    const { kind, outbox } = (document ?? {}) as Partial<AnyDocument>
    if (kind === undefined || !Array.isArray(outbox) || outbox.length === 0) continue
    await store.relay(kind, keyOf(document as AnyDocument))
  }
}
