import { fail, type Result, succeed } from '../model/failure.ts'
import type { Rollout } from '../model/rollout.ts'
import type { ServiceKey } from '../model/service.ts'
import type { Store } from '../ports/store.ts'
import { newestEnded } from './newest-ended.ts'

/**
 * The rollout that a word on a service means: its live one; when none is live the one that ended last, as verbs are
 * idempotent. Several live ones are the failure `RolloutState`, which names them.
 */
export async function rolloutOfService(store: Store, key: ServiceKey, verb: string): Promise<Result<Rollout>> {
  const service = (await store.read('service', key))?.value
  if (!service) return fail('NotFound', `There is no service ${key}.`)
  const [first, ...others] = service.rollouts
  if (first && others.length > 0) {
    const ids = service.rollouts.map(({ id }) => id).join(', ')
    return fail('RolloutState', `Service ${key} has several live rollouts: ${ids}.`, {
      hint: `Name one by its id: POST /rollouts/{id}/${verb}.`,
    })
  }
  const meant = first ?? (await newestEnded(store, service))
  return meant ? succeed(meant) : fail('RolloutState', `Service ${key} has no rollout.`)
}
