import { createHash } from 'node:crypto'
import type { Container } from '@azure/cosmos'
import type { ArrivedEvent, EventRecord } from '../../model/event.ts'
import type { Actor } from '../../model/identity.ts'
import { isPortError } from '../../ports/port-error.ts'
import type { Page } from '../../ports/store.ts'
import { cosmosFailure } from './cosmos-failure.ts'
import { type Condition, queryAll, selectTop } from './cosmos-query.ts'
import { type EventCursor, formatCursor, parseCursor } from './event-cursor.ts'
import { safeId } from './safe-id.ts'

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

interface EventItem {
  readonly id: string
  /** The subject: the events of one thing lie together. */
  readonly pk: string
  readonly event: CloudEvent
  /** When Cosmos DB took it, in whole seconds since the epoch. */
  readonly _ts: number
}

/** Events younger than this may still be joined by others that arrive before them in the order of arrival. */
const unsettledSeconds = 10
/** Most events that a cursor remembers by hash: bounds its length to about 2 KB. */
const maxSeen = 200

/** Keeps an event; one that is there already is left as it is. */
export async function appendEvent(events: Container, event: EventRecord, abortSignal: AbortSignal): Promise<void> {
  const item = { id: safeId(event.id), pk: event.subject, event: toCloudEvent(event) }
  try {
    await events.items.create(item, { abortSignal })
  } catch (error) {
    const failure = cosmosFailure(error)
    if (!isPortError(failure, 'conflict')) throw failure
  }
}

/**
 * Events by time of arrival (`_ts`, then id). `_ts` has whole seconds, and partitions have clocks of their own, so an
 * event may turn up before one that was read already. A cursor therefore points behind what is settled and names what
 * was read of the rest: nothing is lost, nothing comes twice.
 */
export async function readEvents(
  events: Container,
  query: { subject?: string; after?: string; limit: number },
  nowMs: number,
  signal: AbortSignal,
): Promise<Page<ArrivedEvent>> {
  const cursor = query.after === undefined ? { seen: [] } : parseCursor(query.after)
  const limit = Math.min(Math.max(query.limit, 1), 1000)
  const conditions: Condition[] = []
  if (query.subject !== undefined) conditions.push({ text: 'c.pk = @pk', values: { '@pk': query.subject } })
  if (cursor.behind !== undefined) {
    const [ts, id] = cursor.behind
    conditions.push({ text: '(c._ts > @ts OR (c._ts = @ts AND c.id > @id))', values: { '@ts': ts, '@id': id } })
  }
  const select = selectTop(limit + cursor.seen.length + 1, '*', conditions, 'c._ts, c.id')
  const rows = await queryAll<EventItem>(events, select, { partition: query.subject, signal })
  const settledBefore = Math.floor(nowMs / 1000) - unsettledSeconds
  const arrived = follow(rows, cursor, settledBefore)
  const value = arrived.slice(0, limit)
  const next = value.at(-1)?.cursor
  return arrived.length > limit && next !== undefined ? { value, next } : { value }
}

/** The rows that the cursor has not seen, each with the cursor that continues behind it. */
function follow(rows: readonly EventItem[], cursor: EventCursor, settledBefore: number): ArrivedEvent[] {
  const seen = new Set(cursor.seen)
  const hashes = rows.map(hashOf)
  const arrived: ArrivedEvent[] = []
  let behind = cursor.behind
  let firstOpen = 0
  for (const [index, row] of rows.entries()) {
    const isNew = !seen.has(hashes[index] ?? '')
    seen.add(hashes[index] ?? '')
    for (; firstOpen <= index; firstOpen += 1) {
      const open = rows[firstOpen]
      if (open === undefined || (open._ts >= settledBefore && seen.size <= maxSeen)) break
      behind = [open._ts, open.id]
      seen.delete(hashes[firstOpen] ?? '')
    }
    const next: EventCursor = { seen: [...seen], ...(behind === undefined ? {} : { behind }) }
    if (isNew) arrived.push({ ...fromCloudEvent(row.event), cursor: formatCursor(next) })
  }
  return arrived
}

function hashOf(item: EventItem): string {
  return createHash('sha256').update(`${item.pk}\n${item.id}`).digest('base64url').slice(0, 8)
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
