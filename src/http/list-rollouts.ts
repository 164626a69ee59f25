import { type Result, succeed } from '../model/failure.ts'
import type { Rollout } from '../model/rollout.ts'
import type { Store } from '../ports/store.ts'
import { liveRollouts } from '../rollouts/caps.ts'
import { brokenPlace, decodePlace, encodePlace } from './paging.ts'

export interface RolloutQuery {
  readonly service?: string
  readonly activeOnly: boolean
  readonly limit: number
  readonly after?: string
}

export interface RolloutPage {
  readonly rollouts: readonly Rollout[]
  readonly next?: string
}

/**
 * Rollouts by page: first the live ones in the order of ids, then the ended ones in the order of services and ids; within
 * a page the newest first. A rollout that ends while someone pages may come twice; none is left out.
 */
export async function listRollouts(store: Store, query: RolloutQuery): Promise<Result<RolloutPage>> {
  const place = decodePlace(query.after)
  if (!place.ok) return place
  const [, stage, behind = ''] = /^(live|ended):(.*)$/.exec(place.value ?? 'live:') ?? []
  if (stage === undefined) return brokenPlace()
  const live = stage === 'live' ? await liveBehind(store, query.service, behind) : []
  if (live.length > query.limit) {
    const rollouts = live.slice(0, query.limit)
    return succeed({ rollouts: newestFirst(rollouts), next: encodePlace(`live:${rollouts.at(-1)?.id}`) })
  }
  if (query.activeOnly) return succeed({ rollouts: newestFirst(live) })
  const room = query.limit - live.length
  if (room === 0) return succeed({ rollouts: newestFirst(live), next: encodePlace('ended:') })
  const page = await store.list('rollout', {
    limit: room,
    ...(query.service === undefined ? {} : { prefix: `${query.service}/` }),
    ...(stage === 'ended' && behind !== '' ? { after: behind } : {}),
  })
  const ended = page.value.map(({ value }) => value.rollout)
  const rollouts = [...newestFirst(live), ...newestFirst(ended)]
  return succeed({ rollouts, ...(page.next === undefined ? {} : { next: encodePlace(`ended:${page.next}`) }) })
}

async function liveBehind(store: Store, service: string | undefined, behind: string): Promise<readonly Rollout[]> {
  const live =
    service === undefined ? await liveRollouts(store) : ((await store.read('service', service))?.value.rollouts ?? [])
  return [...live].filter(({ id }) => id > behind).sort((a, b) => (a.id < b.id ? -1 : 1))
}

function newestFirst(rollouts: readonly Rollout[]): readonly Rollout[] {
  return [...rollouts].sort((a, b) => (a.startedAt > b.startedAt ? -1 : a.startedAt < b.startedAt ? 1 : 0))
}
