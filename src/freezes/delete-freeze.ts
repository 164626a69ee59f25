import type { Result } from '../model/failure.ts'
import type { RequestContext } from '../model/request.ts'
import { deleteDocument } from '../ports/delete-document.ts'
import type { Store } from '../ports/store.ts'
import { checkFreezeReach } from './check-freeze-reach.ts'

/** Ends a freeze: what waited for it goes on at its next attempt. */
export function deleteFreeze(store: Store, name: string, context: RequestContext): Promise<Result<undefined>> {
  return deleteDocument(store, 'freeze', name, context, ({ spec }) => checkFreezeReach(store, context.caller, spec))
}
