import type { DocumentOf } from '../model/documents.ts'
import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import type { RequestContext } from '../model/request.ts'
import { changeDocument } from './change-document.ts'
import { checkPreconditions, type OwnedKind } from './put-document.ts'
import type { Store } from './store.ts'

/** Removes a document that nothing on any cluster hangs on. `refuse` names what stands in the way. */
export async function deleteDocument<K extends OwnedKind>(
  store: Store,
  kind: K,
  key: string,
  context: RequestContext,
  refuse: (document: DocumentOf[K]) => Promise<Failure | undefined> = async () => undefined,
): Promise<Result<undefined>> {
  const changed = await changeDocument(store, kind, key, async (stored) => {
    if (!stored) return fail('NotFound', `There is no ${kind} ${key}.`)
    const failed = checkPreconditions(key, stored.value.spec, context) ?? (await refuse(stored.value))
    return failed ? { ok: false, failure: failed } : succeed({ kind: 'remove' as const, value: undefined })
  })
  return changed.ok ? succeed(undefined) : changed
}
