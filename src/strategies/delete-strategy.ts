import type { Result } from '../model/failure.ts'
import type { RequestContext } from '../model/request.ts'
import type { Clock } from '../ports/clock.ts'
import { deleteDocument } from '../ports/delete-document.ts'
import type { Store } from '../ports/store.ts'

/** Removes a strategy. Live rollouts copied what they need of it. */
export function deleteStrategy(
  deps: { readonly store: Store; readonly clock: Clock },
  name: string,
  context: RequestContext,
): Promise<Result<undefined>> {
  return deleteDocument(deps, 'strategy', name, context)
}
