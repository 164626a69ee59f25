import type { EventRecord } from '../../model/event.ts'
import type { Rollout } from '../../model/rollout.ts'
import type { Store } from '../../ports/store.ts'
import { type Recorded, recordedOf } from './recorded.ts'

const PAGE = 1000
/** A day of looks of two gates at two clusters every ten seconds, and some. */
const MOST_PAGES = 40

/** What is kept of a rollout: its events up to 40,000, the oldest first, with its own history. Throws PortError. */
export async function readRecorded(store: Store, rollout: Rollout): Promise<Recorded> {
  const events: EventRecord[] = []
  let after: string | undefined
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const place = after === undefined ? {} : { after }
    const page = await store.events({ subject: `rollouts/${rollout.id}`, limit: PAGE, ...place })
    events.push(...page.value)
    if (page.next === undefined) return recordedOf(rollout, events, false)
    after = page.next
  }
  return recordedOf(rollout, events, true)
}
