import { fail, type Result, succeed } from '../../model/failure.ts'
import { serviceOfRollout } from '../../model/rollout.ts'
import { findRollout } from '../read-rollout.ts'
import { type Forecast, type ForecastDeps, forecast } from './forecast.ts'

/** What is left of a live rollout. One that is over, or on its way back, is the failure `RolloutState`. */
export async function planRest(deps: ForecastDeps, id: string): Promise<Result<Forecast>> {
  const service = (await deps.store.read('service', serviceOfRollout(id) ?? ''))?.value
  const rollout = service?.rollouts.find((live) => live.id === id)
  if (!service || !rollout) {
    const ended = await findRollout(deps.store, id)
    if (!ended) return fail('NotFound', `There is no rollout ${id}.`)
    return fail('RolloutState', `Rollout ${id} is over (${ended.phase}): nothing of it is left to plan.`)
  }
  if (rollout.phase === 'rolling-back') {
    return fail('RolloutState', `Rollout ${id} is on its way back: nothing of it is left to plan.`)
  }
  return succeed(await forecast(deps, service, rollout))
}
