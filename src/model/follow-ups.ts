import { shortId } from './digest.ts'
import { type NotificationDocument, SCHEMA } from './documents.ts'
import type { EventRecord } from './event.ts'
import { timestamp } from './names.ts'
import { noticeOf } from './notification.ts'
import type { QueueName, WorkMessage } from './outbox.ts'

/** What an event brings about besides being kept: a document that is made once, and work on it. */
export interface FollowUp {
  readonly document: NotificationDocument
  readonly queue: QueueName
  readonly message: WorkMessage
}

/** Sent notifications are kept for seven days, so that no event is told again. */
const KEPT_S = 7 * 24 * 3600
/** A message that was lost is found by the sweep after this. */
const BACKSTOP_MS = 60_000

/**
 * What must follow an event, the same for the same event. Whoever relays the event makes each document (one that is there
 * already was made before) and sends its message, in this order, before the event leaves the outbox; a message too many
 * does no harm, for the document says what is left to do.
 */
export function followUpsOf(event: EventRecord): readonly FollowUp[] {
  if (noticeOf(event) === undefined) return []
  const name = shortId(24, 'notification', event.id)
  const document: NotificationDocument = {
    schema: SCHEMA,
    kind: 'notification',
    name,
    event,
    outbox: [],
    dueAt: timestamp(Date.parse(event.time) + BACKSTOP_MS),
    ttl: KEPT_S,
    createdAt: event.time,
    updatedAt: event.time,
  }
  return [{ document, queue: 'work', message: { kind: 'notify', notification: name } }]
}
