import type { StrategyDocument } from '../model/documents.ts'
import type { Result } from '../model/failure.ts'
import type { RequestContext } from '../model/request.ts'
import type { StrategySpec } from '../model/strategy.ts'
import type { Clock } from '../ports/clock.ts'
import type { PutOutcome } from '../ports/put-document.ts'
import { putPlainDocument } from '../ports/put-plain-document.ts'
import type { Store } from '../ports/store.ts'
import { windowsProblem } from '../ports/window-state.ts'

/** Keeps named steps and gates for rollouts that start later; live ones keep theirs. A window that never opens is refused. */
export async function putStrategy(
  deps: { readonly store: Store; readonly clock: Clock },
  name: string,
  spec: StrategySpec,
  context: RequestContext,
): Promise<Result<PutOutcome<StrategyDocument>>> {
  const failure = windowsProblem(spec.windows)
  if (failure) return { ok: false, failure }
  return putPlainDocument(deps, 'strategy', name, spec, context)
}
