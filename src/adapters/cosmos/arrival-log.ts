import { createHash } from 'node:crypto'
import type { Container } from '@azure/cosmos'
import { isPortError } from '../../ports/port-error.ts'
import type { Page } from '../../ports/store.ts'
import { type ArrivalCursor, formatCursor, parseCursor } from './arrival-cursor.ts'
import { cosmosFailure } from './cosmos-failure.ts'
import { type Condition, queryAll, selectTop } from './cosmos-query.ts'
import { safeId } from './safe-id.ts'

/** An item of a log that is read in the order of arrival: events, audit records. */
export interface LogItem {
  readonly id: string
  /** The subject: what is about one thing lies together. */
  readonly pk: string
}

/** As Cosmos DB gives it back. */
export type ArrivedItem<Item extends LogItem> = Item & {
  /** When Cosmos DB took it, in whole seconds since the epoch. */
  readonly _ts: number
}

export interface LogQuery {
  readonly subject?: string
  /** What else must hold of an item. */
  readonly where?: readonly Condition[]
  readonly after?: string
  readonly limit: number
}

/** Items younger than this may still be joined by others that arrive before them in the order of arrival. */
const unsettledSeconds = 10
/** Most items that a cursor remembers by hash: bounds its length to about 2 KB. */
const maxSeen = 200

/** Where an entry with this id lies. */
export function placeInLog(id: string, subject: string): LogItem {
  return { id: safeId(id), pk: subject }
}

/** Keeps an item. False when it is there already: then it is left as it is. */
export async function appendToLog(log: Container, item: LogItem, abortSignal: AbortSignal): Promise<boolean> {
  try {
    await log.items.create(item, { abortSignal })
    return true
  } catch (error) {
    const failure = cosmosFailure(error)
    if (!isPortError(failure, 'conflict')) throw failure
    return false
  }
}

/**
 * Items by time of arrival (`_ts`, then id). `_ts` has whole seconds, and partitions have clocks of their own, so an
 * item may turn up before one that was read already. A cursor therefore points behind what is settled and names what
 * was read of the rest: nothing is lost, nothing comes twice. `show` makes of an item what callers see.
 */
export async function readLog<Item extends LogItem, Shown>(
  log: Container,
  query: LogQuery,
  nowMs: number,
  signal: AbortSignal,
  show: (item: Item) => Shown,
): Promise<Page<Shown & { readonly cursor: string }>> {
  const cursor = query.after === undefined ? { seen: [] } : parseCursor(query.after)
  const limit = Math.min(Math.max(query.limit, 1), 1000)
  const conditions: Condition[] = [...(query.where ?? [])]
  if (query.subject !== undefined) conditions.push({ text: 'c.pk = @pk', values: { '@pk': query.subject } })
  if (cursor.behind !== undefined) {
    const [ts, id] = cursor.behind
    conditions.push({ text: '(c._ts > @ts OR (c._ts = @ts AND c.id > @id))', values: { '@ts': ts, '@id': id } })
  }
  const select = selectTop(limit + cursor.seen.length + 1, '*', conditions, 'c._ts, c.id')
  const rows = await queryAll<ArrivedItem<Item>>(log, select, { partition: query.subject, signal })
  const settledBefore = Math.floor(nowMs / 1000) - unsettledSeconds
  const arrived = follow(rows, cursor, settledBefore)
  const value = arrived.slice(0, limit).map(({ row, cursor }) => ({ ...show(row), cursor }))
  const next = value.at(-1)?.cursor
  return arrived.length > limit && next !== undefined ? { value, next } : { value }
}

/** The rows that the cursor has not seen, each with the cursor that continues behind it. */
function follow<Item extends LogItem>(
  rows: readonly ArrivedItem<Item>[],
  cursor: ArrivalCursor,
  settledBefore: number,
): { readonly row: Item; readonly cursor: string }[] {
  const seen = new Set(cursor.seen)
  const hashes = rows.map(hashOf)
  const arrived: { readonly row: Item; readonly cursor: string }[] = []
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
    const next: ArrivalCursor = { seen: [...seen], ...(behind === undefined ? {} : { behind }) }
    if (isNew) arrived.push({ row, cursor: formatCursor(next) })
  }
  return arrived
}

function hashOf(item: LogItem): string {
  return createHash('sha256').update(`${item.pk}\n${item.id}`).digest('base64url').slice(0, 8)
}
