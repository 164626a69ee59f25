import type { Container } from '@azure/cosmos'
import type { ArrivedEvent, EventRecord } from '../../model/event.ts'
import type { Actor } from '../../model/identity.ts'
import type { Page } from '../../ports/store.ts'
import { appendToLog, type LogItem, type LogQuery, placeInLog, readLog } from './arrival-log.ts'

const typePrefix = 'io.meshwright.'

/** An event in CloudEvents 1.0 JSON format. */
interface CloudEvent {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: string
  readonly type: string
  readonly subject: string
  readonly time: string
  readonly datacontenttype: 'application/json'
  readonly data: {
    readonly actor: Actor
    readonly reason: string
    readonly message: string
    readonly details?: Readonly<Record<string, unknown>>
  }
}

interface EventItem extends LogItem {
  readonly event: CloudEvent
}

/** Keeps an event. False when it is there already: then it is left as it is. */
export function appendEvent(events: Container, event: EventRecord, signal: AbortSignal): Promise<boolean> {
  const item: EventItem = { ...placeInLog(event.id, event.subject), event: toCloudEvent(event) }
  return appendToLog(events, item, signal)
}

/** Events in the order of arrival. */
export function readEvents(
  events: Container,
  query: LogQuery,
  nowMs: number,
  signal: AbortSignal,
): Promise<Page<ArrivedEvent>> {
  return readLog(events, query, nowMs, signal, ({ event }: EventItem) => fromCloudEvent(event))
}

function toCloudEvent(event: EventRecord): CloudEvent {
  const { id, type, time, subject, actor, reason, message, data } = event
  return {
    specversion: '1.0',
    id,
    source: '/meshwright',
    type: typePrefix + type,
    subject,
    time,
    datacontenttype: 'application/json',
    data: { actor, reason, message, ...(data === undefined ? {} : { details: data }) },
  }
}

function fromCloudEvent({ id, type, time, subject, data }: CloudEvent): EventRecord {
  const { actor, reason, message, details } = data
  const plain = type.startsWith(typePrefix) ? type.slice(typePrefix.length) : type
  return { id, type: plain, time, subject, actor, reason, message, ...(details === undefined ? {} : { data: details }) }
}
