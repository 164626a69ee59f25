import type { TeamDocument } from '../model/documents.ts'
import type { Result } from '../model/failure.ts'
import type { RequestContext } from '../model/request.ts'
import type { TeamSpec } from '../model/team.ts'
import type { Clock } from '../ports/clock.ts'
import type { PutOutcome } from '../ports/put-document.ts'
import { putPlainDocument } from '../ports/put-plain-document.ts'
import type { Store } from '../ports/store.ts'

/** Registers a team, or replaces what it owns and who belongs to it. */
export function putTeam(
  deps: { readonly store: Store; readonly clock: Clock },
  name: string,
  spec: TeamSpec,
  context: RequestContext,
): Promise<Result<PutOutcome<TeamDocument>>> {
  return putPlainDocument(deps, 'team', name, spec, context)
}
