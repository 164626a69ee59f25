import { keyOf } from '../model/documents.ts'
import type { Rollout } from '../model/rollout.ts'
import type { Store } from '../ports/store.ts'

export interface Caps {
  readonly perCluster: number
  readonly inAll: number
}

/**
 * Is there a place for one more rollout beyond `pending`, on each of its clusters and in all? Two that look at the same
 * moment may both see the last place: the caps bound the load, they are no lock.
 */
export async function hasFreePlace(
  deps: { readonly store: Store; readonly caps: Caps },
  rollout: Rollout,
): Promise<boolean> {
  const live = (await liveRollouts(deps.store)).filter(
    (other) => other.id !== rollout.id && other.phase !== 'pending' && other.phase !== 'baking',
  )
  if (live.length >= deps.caps.inAll) return false
  return rollout.targets.every(({ cluster }) => {
    const onCluster = live.filter((other) => other.targets.some((target) => target.cluster === cluster))
    return onCluster.length < deps.caps.perCluster
  })
}

/** Every live rollout, in the order of services. */
export async function liveRollouts(store: Store): Promise<readonly (Rollout & { readonly service: string })[]> {
  return (await store.all('service', { filled: 'rollouts' })).flatMap((service) =>
    service.rollouts.map((rollout) => ({ ...rollout, service: keyOf(service) })),
  )
}
