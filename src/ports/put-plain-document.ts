import { type DocumentOf, SCHEMA } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import type { RequestContext } from '../model/request.ts'
import type { Clock } from './clock.ts'
import { type PutOutcome, putDocument } from './put-document.ts'
import type { Store } from './store.ts'

/** Kinds that nothing on a cluster hangs on: a PUT of one changes the document and no more. */
export type PlainKind = 'team' | 'freeze' | 'strategy'

/** Create or replace a plain document. */
export function putPlainDocument<K extends PlainKind>(
  deps: { readonly store: Store; readonly clock: Clock },
  kind: K,
  name: string,
  spec: DocumentOf[K]['spec'],
  context: RequestContext,
): Promise<Result<PutOutcome<DocumentOf[K]>>> {
  return putDocument<K>(deps, {
    kind,
    key: name,
    spec,
    context,
    build: async (before, now) => {
      const document = {
        ...before,
        schema: SCHEMA,
        kind,
        name,
        spec,
        generation: (before?.generation ?? 0) + 1,
        idempotency: [],
        outbox: before?.outbox ?? [],
        createdAt: before?.createdAt ?? now,
        updatedAt: now,
      }
      return succeed({ document: document as unknown as DocumentOf[K] })
    },
  })
}
