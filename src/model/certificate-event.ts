import type { EventRecord } from './event.ts'
import type { OutboxEntry } from './outbox.ts'

/** An event about a certificate or a mesh CA as an outbox entry; `id` makes it unique among those of its type. */
export function certificateEvent(
  name: string,
  type: string,
  event: Omit<EventRecord, 'type' | 'subject'>,
): OutboxEntry {
  const id = `${type}:${name}:${event.id}`
  return { id, kind: 'event', event: { ...event, id, type, subject: `certificates/${name}` } }
}
