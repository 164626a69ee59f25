import { succeed } from '../model/failure.ts'
import { timestamp } from '../model/names.ts'
import { changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import { servicesOn } from './services-on.ts'

const AGAIN_MS = 5_000

/** Removes a cluster that is being let go once no service is on it any more; else looks again in a while. */
export async function finishDelete(
  deps: { readonly store: Store; readonly clock: Clock },
  name: string,
): Promise<void> {
  const left = await servicesOn(deps.store, name)
  await changeDocument(deps.store, 'cluster', name, (stored) => {
    if (!stored?.value.deletingAt) return succeed({ kind: 'leave' as const, value: undefined })
    if (left.length === 0) return succeed({ kind: 'remove' as const, value: undefined })
    const dueAt = timestamp(deps.clock.now() + AGAIN_MS)
    const again = {
      id: `probe.${dueAt}`,
      kind: 'work' as const,
      queue: 'work' as const,
      message: { kind: 'probe' as const, cluster: name },
      notBefore: dueAt,
    }
    return succeed({
      kind: 'write' as const,
      document: { ...stored.value, dueAt, outbox: [...stored.value.outbox, again] },
      value: undefined,
    })
  })
}
