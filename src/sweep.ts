import type { DocumentKind } from './model/documents.ts'
import { timestamp } from './model/names.ts'
import type { QueueName, WorkMessage } from './model/outbox.ts'
import { splitServiceKey } from './model/service.ts'
import { watchQueue } from './model/watch-queue.ts'
import type { Clock } from './ports/clock.ts'
import type { Store } from './ports/store.ts'
import type { WorkQueue } from './ports/work-queue.ts'

interface SweepDeps {
  readonly store: Store
  readonly queue: WorkQueue
  readonly clock: Clock
}

/** At most this many documents a sweep; the rest is for the next one. */
const MOST = 500
/** What is late by less has a message on its way. */
const LATE_MS = 10_000
/** A writer relays within half a second; what is older was left behind. */
const LEFT_BEHIND_MS = 10_000

/** What a sweep found; `oldestS` is the age in seconds of the oldest outbox left behind. */
interface Found {
  readonly due: number
  readonly unrelayed: number
  readonly oldestS: number
}

/** Puts whatever is due, or was left in an outbox, on the queues. Only enumerates: the work is the workers'. */
export async function sweep(deps: SweepDeps): Promise<Found> {
  const now = deps.clock.now()
  const due = await deps.store.due(timestamp(now - LATE_MS), MOST)
  for (const { kind, key } of due) {
    for (const message of messagesFor(kind, key)) await deps.queue.send(queueFor(message), message)
  }
  const left = await deps.store.unrelayed(timestamp(now - LEFT_BEHIND_MS), MOST)
  for (const { kind, key } of left) await deps.queue.send('work', { kind: 'relay', document: { kind, key } })
  const oldestS = Math.max(0, ...left.map(({ writtenMs }) => Math.round((now - writtenMs) / 1000)))
  return { due: due.length, unrelayed: left.length, oldestS }
}

/** Puts a probe and a comparison of every registered cluster on the queue, and one new choice of clusters by label. */
export async function enumerateClusters(deps: SweepDeps): Promise<number> {
  let count = 0
  let first: string | undefined
  let after: string | undefined
  do {
    const page = await deps.store.list('cluster', { limit: 1000, ...(after === undefined ? {} : { after }) })
    for (const { value: cluster } of page.value) {
      await deps.queue.send('work', { kind: 'probe', cluster: cluster.name })
      await deps.queue.send('work', { kind: 'resync', cluster: cluster.name })
    }
    first ??= page.value[0]?.value.name
    count += page.value.length
    after = page.next
  } while (after !== undefined)
  // A change of a cluster asks for it at once; this is for a message that was given up.
  if (first !== undefined) await deps.queue.send('work', { kind: 'select', cluster: first })
  return count
}

/** What is due of a service may be of its rollouts, or of a change on its way. */
function messagesFor(kind: DocumentKind, key: string): readonly WorkMessage[] {
  const message = messageFor(kind, key)
  if (kind === 'service')
    return [
      { kind: 'advance', service: key },
      { kind: 'wave', service: key },
    ]
  return message ? [message] : []
}

function messageFor(kind: DocumentKind, key: string): WorkMessage | undefined {
  if (kind === 'cluster') return { kind: 'probe', cluster: key }
  if (kind === 'certificate') return { kind: 'rotate', certificate: key }
  if (kind === 'mesh-ca') return { kind: 'rotate-ca', ca: key }
  if (kind === 'trust') return { kind: 'trust', ca: key }
  if (kind === 'found') return { kind: 'watch', found: key }
  if (kind === 'policy') return { kind: 'spread', policy: key }
  if (kind === 'notification') return { kind: 'notify', notification: key }
  if (kind === 'delivery') {
    const [certificate = '', cluster = ''] = key.split('/')
    return { kind: 'deliver', certificate, cluster }
  }
  if (kind === 'host') return { kind: 'host', host: key }
  if (kind === 'command') return { kind: 'command', command: key }
  if (kind !== 'placement') return undefined
  const { namespace, name } = splitServiceKey(key)
  return { kind: 'reconcile', service: `${namespace}/${name}`, cluster: key.slice(namespace.length + name.length + 2) }
}

function queueFor(message: WorkMessage): QueueName {
  if (message.kind === 'rotate' || message.kind === 'rotate-ca') return 'lifecycle'
  if (message.kind === 'watch') return watchQueue(message.found)
  return message.kind === 'advance' || message.kind === 'command' ? 'urgent' : 'work'
}
