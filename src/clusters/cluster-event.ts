import type { EventRecord } from '../model/event.ts'

/** An event about a cluster; `id` makes it unique among those of its type. */
export function clusterEvent(name: string, type: string, event: Omit<EventRecord, 'type' | 'subject'>): EventRecord {
  return { ...event, id: `${type}:${name}:${event.id}`, type, subject: `clusters/${name}` }
}
