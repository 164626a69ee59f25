import type { FreezeDocument } from '../model/documents.ts'
import type { Result } from '../model/failure.ts'
import type { FreezeSpec } from '../model/freeze.ts'
import type { RequestContext } from '../model/request.ts'
import type { Clock } from '../ports/clock.ts'
import type { PutOutcome } from '../ports/put-document.ts'
import { putPlainDocument } from '../ports/put-plain-document.ts'
import type { Store } from '../ports/store.ts'
import { checkFreezeReach } from './check-freeze-reach.ts'

/** Freezes what is in its scope, or changes the scope. Who is no operator reaches only namespaces of own teams. */
export async function putFreeze(
  deps: { readonly store: Store; readonly clock: Clock },
  name: string,
  spec: FreezeSpec,
  context: RequestContext,
): Promise<Result<PutOutcome<FreezeDocument>>> {
  const before = (await deps.store.read('freeze', name))?.value.spec
  for (const reached of before ? [before, spec] : [spec]) {
    const refused = await checkFreezeReach(deps.store, context.caller, reached)
    if (refused) return { ok: false, failure: refused }
  }
  return putPlainDocument(deps, 'freeze', name, spec, context)
}
