import type { HostDocument } from '../../model/documents.ts'
import { succeed } from '../../model/failure.ts'
import { type HostKey, hostClusters } from '../../model/host.ts'
import { timestamp } from '../../model/names.ts'
import { type Change, changeDocument } from '../../ports/change-document.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Store } from '../../ports/store.ts'

/** What became of a host's document after the last object is gone from a cluster. */
export type LeftHost = 'left' | 'unsent' | 'wanted'

/** The host stops naming the cluster, or goes itself when nobody holds anything of it. Throws PortError. */
export async function leaveHost(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  key: HostKey,
  cluster: string,
): Promise<LeftHost> {
  const found = await store.read('host', key)
  if (found && found.value.outbox.length > 0) await store.relay('host', key)
  const changed = await changeDocument(store, 'host', key, (stored) =>
    succeed(stored ? leave(stored.value, cluster, timestamp(clock.now())) : NOTHING),
  )
  return changed.ok ? changed.value.value : 'unsent'
}

const NOTHING: Change<HostDocument, LeftHost> = { kind: 'leave', value: 'left' }

function leave(host: HostDocument, cluster: string, updatedAt: string): Change<HostDocument, LeftHost> {
  if (hostClusters(host).includes(cluster)) return { kind: 'leave', value: 'wanted' }
  const leaving = host.leaving.filter((name) => name !== cluster)
  const isOver = leaving.length === 0 && Object.keys(host.holders).length === 0
  if (isOver) return host.outbox.length === 0 ? { kind: 'remove', value: 'left' } : { kind: 'leave', value: 'unsent' }
  if (leaving.length === host.leaving.length) return NOTHING
  return { kind: 'write', document: { ...host, leaving, updatedAt }, value: 'left' }
}
