import { mayReach } from '../model/access.ts'
import type { ServiceDocument } from '../model/documents.ts'
import type { Result } from '../model/failure.ts'
import type { RequestContext } from '../model/request.ts'
import type { Store } from '../ports/store.ts'

/** May the caller do something to a service? Its team says so. */
export async function checkTeam(
  store: Store,
  service: ServiceDocument,
  context: Pick<RequestContext, 'caller'>,
): Promise<Result<undefined>> {
  const team = (await store.read('team', service.spec.team))?.value.spec
  return mayReach(context.caller, service.spec.team, team, service.namespace)
}
