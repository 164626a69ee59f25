import type { EventRecord } from './event.ts'
import { hostsOf } from './host.ts'
import type { OutboxEntry } from './outbox.ts'
import type { ServiceSpec } from './service.ts'

/** An event about a service as an outbox entry; `id` makes it unique among those of its type. */
export function serviceEvent(key: string, type: string, event: Omit<EventRecord, 'type' | 'subject'>): OutboxEntry {
  const id = `${type}:${key}:${event.id}`
  return { id, kind: 'event', event: { ...event, id, type, subject: `services/${key}` } }
}

/** Work that brings a service on each of the clusters to the given render revision. */
export function reconcileWork(key: string, clusters: Iterable<string>, renderRevision: number): readonly OutboxEntry[] {
  return [...clusters].map((cluster) => ({
    id: `reconcile.${cluster}.${renderRevision}`,
    kind: 'work',
    queue: 'work',
    message: { kind: 'reconcile', service: key, cluster },
  }))
}

/** Work that brings every host of a service, as it was and as it is, to what the service says. */
export function hostWork(
  key: string,
  specs: readonly (ServiceSpec | undefined)[],
  renderRevision: number,
): readonly OutboxEntry[] {
  return [...new Set(specs.flatMap(hostsOf))].map((host) => ({
    id: `host.${host}.${renderRevision}`,
    kind: 'work',
    queue: 'work',
    message: { kind: 'host', host, service: key },
  }))
}
