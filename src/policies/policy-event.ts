import type { EventRecord } from '../model/event.ts'
import type { OutboxEntry } from '../model/outbox.ts'

/** An event about a policy as an outbox entry; `id` makes it unique among those of its type. */
export function policyEvent(name: string, type: string, event: Omit<EventRecord, 'type' | 'subject'>): OutboxEntry {
  const id = `${type}:${name}:${event.id}`
  return { id, kind: 'event', event: { ...event, id, type, subject: `policies/${name}` } }
}

/** Work that takes a policy on its way to services. */
export function spreadWork(policy: string, unique: string, notBefore?: string): OutboxEntry {
  const id = `spread.${unique}`
  const message = { kind: 'spread' as const, policy }
  return { id, kind: 'work', queue: 'work', message, ...(notBefore === undefined ? {} : { notBefore }) }
}
