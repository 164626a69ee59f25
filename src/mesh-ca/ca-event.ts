import type { EventRecord } from '../model/event.ts'
import type { OutboxEntry } from '../model/outbox.ts'

/** An event about a mesh CA as an outbox entry; `id` makes it unique among those of its type. */
export function caEvent(name: string, type: string, event: Omit<EventRecord, 'type' | 'subject'>): OutboxEntry {
  const id = `${type}:${name}:${event.id}`
  return { id, kind: 'event', event: { ...event, id, type, subject: `certificates/${name}` } }
}

/** Work that looks at a mesh CA; `unique` tells it apart from other looks. */
export function rotateCaWork(name: string, unique: string, notBefore?: string): OutboxEntry {
  return {
    id: `rotate-ca.${unique}`,
    kind: 'work',
    queue: 'lifecycle',
    message: { kind: 'rotate-ca', ca: name },
    ...(notBefore === undefined ? {} : { notBefore }),
  }
}

/** Work that looks at what the cluster trusts. */
export function trustWork(name: string, unique: string): OutboxEntry {
  return { id: `trust.${unique}`, kind: 'work', queue: 'work', message: { kind: 'trust', ca: name } }
}
