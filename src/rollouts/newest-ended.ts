import { keyOf, type ServiceDocument } from '../model/documents.ts'
import type { Rollout } from '../model/rollout.ts'
import type { Store } from '../ports/store.ts'
import { findRollout } from './read-rollout.ts'

/**
 * The rollout of a service that ended last; undefined when none has. The document names it; where it ended before that was
 * kept, all of them are looked through.
 */
export async function newestEnded(store: Store, service: ServiceDocument): Promise<Rollout | undefined> {
  const named = service.lastEnded === undefined ? undefined : await findRollout(store, service.lastEnded)
  return named ?? newestOfAll(store, keyOf(service))
}

async function newestOfAll(store: Store, service: string): Promise<Rollout | undefined> {
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
