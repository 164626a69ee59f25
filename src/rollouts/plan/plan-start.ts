import { fail, type Result, succeed } from '../../model/failure.ts'
import type { RequestContext } from '../../model/request.ts'
import type { RolloutRequest } from '../../model/rollout.ts'
import { serviceKey } from '../../model/service.ts'
import { checkTeam } from '../check-team.ts'
import { type DraftDeps, draftRollout } from '../draft-rollout.ts'
import { type Forecast, type ForecastDeps, forecast } from './forecast.ts'

/** What a start with this request would come to, with the failures that the start itself would have. Nothing is written. */
export async function planStart(
  deps: DraftDeps & ForecastDeps,
  namespace: string,
  name: string,
  request: RolloutRequest,
  context: Pick<RequestContext, 'caller'>,
): Promise<Result<Forecast>> {
  const key = serviceKey(namespace, name)
  const service = (await deps.store.read('service', key))?.value
  if (!service) return fail('NotFound', `There is no service ${key}.`)
  const reach = await checkTeam(deps.store, service, context)
  if (!reach.ok) return reach
  if (service.deletingAt) return fail('Deleting', `Service ${key} is being deleted.`)
  const draft = { id: `${namespace}.${name}.plan`, request, context: { caller: context.caller } }
  const drafted = await draftRollout(deps, service, draft)
  if (!drafted.ok) return drafted
  const { document, rollout } = drafted.value
  return succeed(await forecast(deps, document, rollout))
}
