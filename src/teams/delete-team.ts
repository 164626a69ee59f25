import { keyOf } from '../model/documents.ts'
import { fail, type Result } from '../model/failure.ts'
import type { RequestContext } from '../model/request.ts'
import type { Clock } from '../ports/clock.ts'
import { deleteDocument } from '../ports/delete-document.ts'
import type { Store } from '../ports/store.ts'

/** Removes a team that no service names any more. */
export function deleteTeam(
  deps: { readonly store: Store; readonly clock: Clock },
  name: string,
  context: RequestContext,
): Promise<Result<undefined>> {
  return deleteDocument(deps, 'team', name, context, async () => {
    const { value } = await deps.store.list('service', { where: { 'spec.team': name }, limit: 5 })
    if (value.length === 0) return undefined
    const services = value.map(({ value: service }) => keyOf(service)).join(', ')
    return fail('InUse', `Services belong to team ${name}: ${services}.`).failure
  })
}
