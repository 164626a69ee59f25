import { type AnyDocument, keyOf } from './model/documents.ts'
import type { Clock } from './ports/clock.ts'
import type { Store } from './ports/store.ts'

/**
 * So long after its write a document is left to its writer, who may still be at work on what the outbox asks (`carry-on.ts`):
 * to send it on beside him would have the same done twice, and more so the more there is to do.
 */
const WRITERS_MS = 5000

/**
 * Sends on what the change feed shows to be left in outboxes: what a writer that crashed could not. A document that has
 * been relayed meanwhile costs one read. Documents come in the order of their writes. Throws when the store does not
 * answer: the feed hands the batch out again.
 */
export async function relayFeed(
  { store, clock }: { readonly store: Pick<Store, 'relay'>; readonly clock: Clock },
  documents: readonly unknown[],
): Promise<void> {
  for (const document of documents) {
    const { kind, outbox, _ts } = (document ?? {}) as Partial<AnyDocument> & { readonly _ts?: unknown }
    if (kind === undefined || !Array.isArray(outbox) || outbox.length === 0) continue
    const leftMs = typeof _ts === 'number' ? _ts * 1000 + WRITERS_MS - clock.now() : 0
    // Cosmos DB's clock may go before ours.
    if (leftMs > 0) await clock.sleep(Math.min(leftMs, WRITERS_MS))
    await store.relay(kind, keyOf(document as AnyDocument))
  }
}
