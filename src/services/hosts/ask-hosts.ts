import { shortId } from '../../model/digest.ts'
import { keyOf } from '../../model/documents.ts'
import { succeed } from '../../model/failure.ts'
import { hostClusters } from '../../model/host.ts'
import { timestamp } from '../../model/names.ts'
import { changeDocument } from '../../ports/change-document.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Store } from '../../ports/store.ts'

/** A cluster was given other gateways, or another mesh: hosts there are looked at again. Throws PortError. */
export async function askHostsOn(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  cluster: string,
): Promise<void> {
  const hosts = (await store.all('host')).filter((host) => hostClusters(host).includes(cluster))
  for (const host of hosts) {
    await changeDocument(store, 'host', keyOf(host), (stored) => {
      if (!stored) return succeed({ kind: 'leave' as const, value: undefined })
      const now = timestamp(clock.now())
      const message = { kind: 'reconcile', service: keyOf(host), cluster } as const
      const entry = {
        id: shortId(20, keyOf(host), cluster, 'ask', stored.tag),
        kind: 'work',
        queue: 'work',
        message,
      } as const
      return succeed({
        kind: 'write',
        document: { ...stored.value, outbox: [...stored.value.outbox, entry], updatedAt: now },
        value: undefined,
      })
    })
  }
}
