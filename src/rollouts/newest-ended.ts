import type { Rollout } from '../model/rollout.ts'
import type { ServiceKey } from '../model/service.ts'
import type { Store } from '../ports/store.ts'

/** The rollout of a service that ended last; undefined when none has. */
export async function newestEnded(store: Store, service: ServiceKey): Promise<Rollout | undefined> {
  let newest: Rollout | undefined
  let after: string | undefined
  do {
    const place = after === undefined ? {} : { after }
    const page = await store.list('rollout', { prefix: `${service}/`, limit: 200, ...place })
    for (const { value } of page.value) {
      if ((value.rollout.endedAt ?? '') > (newest?.endedAt ?? '')) newest = value.rollout
    }
    after = page.next
  } while (after !== undefined)
  return newest
}
