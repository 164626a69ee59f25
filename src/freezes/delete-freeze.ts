import type { Result } from '../model/failure.ts'
import type { RequestContext } from '../model/request.ts'
import type { Clock } from '../ports/clock.ts'
import { deleteDocument } from '../ports/delete-document.ts'
import type { Store } from '../ports/store.ts'
import { checkFreezeReach } from './check-freeze-reach.ts'

/** Ends a freeze: what waited for it goes on at its next attempt. */
export function deleteFreeze(
  deps: { readonly store: Store; readonly clock: Clock },
  name: string,
  context: RequestContext,
): Promise<Result<undefined>> {
  return deleteDocument(deps, 'freeze', name, context, ({ spec }) => checkFreezeReach(deps.store, context.caller, spec))
}
