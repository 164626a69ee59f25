import { belongsTo } from '../model/access.ts'
import { type Failure, fail } from '../model/failure.ts'
import type { FreezeSpec } from '../model/freeze.ts'
import { type Caller, hasRole } from '../model/identity.ts'
import { splitServiceKey } from '../model/service.ts'
import type { Store } from '../ports/store.ts'

/**
 * Operators freeze anything; everybody else only what lies in namespaces of own teams. Undefined when the caller may.
 * All parts of a scope must fit, so one part that keeps to own namespaces is enough.
 */
export async function checkFreezeReach(store: Store, caller: Caller, spec: FreezeSpec): Promise<Failure | undefined> {
  if (hasRole(caller, 'Mesh.Operator')) return undefined
  const owned = await ownNamespaces(store, caller)
  const keepsTo = (namespaces: readonly string[] | undefined) =>
    namespaces !== undefined && namespaces.length > 0 && namespaces.every((namespace) => owned.has(namespace))
  const { namespaces, services } = spec.scope
  if (keepsTo(namespaces) || keepsTo(services?.map((key) => splitServiceKey(key).namespace))) return undefined
  const reason = `must keep to namespaces of your teams: ${[...owned].sort().join(', ') || 'none'}`
  return fail('Forbidden', `${caller.name} may freeze only what belongs to own teams.`, {
    errors: [{ pointer: '/scope', reason }],
    hint: 'Name namespaces or services of your teams in scope, or ask an operator.',
  }).failure
}

async function ownNamespaces(store: Store, caller: Caller): Promise<ReadonlySet<string>> {
  const teams = (await store.all('team')).filter(({ spec }) => belongsTo(caller, spec))
  return new Set(teams.flatMap(({ spec }) => spec.namespaces))
}
