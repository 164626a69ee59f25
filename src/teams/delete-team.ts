import { keyOf } from '../model/documents.ts'
import { fail, type Result } from '../model/failure.ts'
import type { RequestContext } from '../model/request.ts'
import type { Clock } from '../ports/clock.ts'
import { deleteDocument } from '../ports/delete-document.ts'
import type { Store } from '../ports/store.ts'

/** Removes a team that no service, certificate or policy names any more: without it, nobody would say which hosts are its own. */
export function deleteTeam(
  deps: { readonly store: Store; readonly clock: Clock },
  name: string,
  context: RequestContext,
): Promise<Result<undefined>> {
  return deleteDocument(deps, 'team', name, context, async () => {
    const query = { where: { 'spec.team': name }, limit: 5 }
    for (const kind of ['service', 'certificate'] as const) {
      const { value } = await deps.store.list(kind, query)
      if (value.length === 0) continue
      const names = value.map(({ value: document }) => keyOf(document)).join(', ')
      return fail('InUse', `${kind === 'service' ? 'Services' : 'Certificates'} belong to team ${name}: ${names}.`)
        .failure
    }
    const policies = await deps.store.list('policy', { where: { 'spec.appliesTo.team': name }, limit: 5 })
    if (policies.value.length === 0) return undefined
    const names = policies.value.map(({ value }) => keyOf(value)).join(', ')
    return fail('InUse', `Policies are for team ${name}: ${names}.`).failure
  })
}
