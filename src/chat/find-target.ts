import { belongsTo } from '../model/access.ts'
import { keyOf, type ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { Caller } from '../model/identity.ts'
import { type ServiceKey, serviceKey } from '../model/service.ts'
import type { Store } from '../ports/store.ts'
import type { Target } from './parse-command.ts'

/**
 * The service that a name means. A bare name will do when one service alone has it, or one of the asker's teams alone;
 * else the failure names those there are. Throws PortError.
 */
export async function findService(
  store: Store,
  target: Exclude<Target, { kind: 'rollout' }>,
  caller: Caller | undefined,
): Promise<Result<ServiceKey>> {
  const { name } = target
  if (target.kind === 'service') {
    const key = serviceKey(target.namespace, name)
    return (await store.read('service', key)) ? succeed(key) : fail('NotFound', `There is no service ${key}.`)
  }
  const { value } = await store.list('service', { where: { name }, limit: 100 })
  const all = value.map(({ value: service }) => service)
  const meant = all.length > 1 && caller ? await ofTeamsOf(store, caller, all) : all
  const [first, ...others] = meant.length > 0 ? meant : all
  if (!first) return fail('NotFound', `There is no service ${name}.`)
  if (others.length === 0) return succeed(keyOf(first))
  const keys = [first, ...others].map(keyOf).join(', ')
  return fail('NotFound', `Several services have the name ${name}: ${keys}. Say which.`)
}

async function ofTeamsOf(
  store: Store,
  caller: Caller,
  services: readonly ServiceDocument[],
): Promise<readonly ServiceDocument[]> {
  const names = [...new Set(services.map(({ spec }) => spec.team))]
  const teams = await Promise.all(names.map(async (name) => [name, (await store.read('team', name))?.value] as const))
  const own = teams.flatMap(([name, team]) => (team && belongsTo(caller, team.spec) ? [name] : []))
  return services.filter(({ spec }) => own.includes(spec.team))
}
