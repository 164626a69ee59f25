import type { Table } from '../emulator.ts'
import type { Container } from './account.ts'
import { type PartitionKey, rangeOf } from './partitions.ts'
import { documentRid, etagOf } from './resource-ids.ts'
import type { Json } from './sql/syntax.ts'

export type Document = { readonly [name: string]: Json }

/** A document with its place: partition key, order of creation, and sequence number of its last change. */
export interface Item {
  readonly partitionKey: PartitionKey
  /** Id of its partition key range. */
  readonly range: string
  /** Counts documents of the container; their natural order. */
  readonly number: number
  /** Sequence number of the last change, counted over the container. */
  readonly lsn: number
  readonly document: Document
}

/** The documents of one container. Everything here is synchronous, so that each request is one step. */
export interface Documents {
  get(partitionKey: PartitionKey, id: string): Item | undefined
  /** Of one range, of one partition, or all; in the order of creation. */
  list(within?: { range?: string; partitionKey?: PartitionKey }): Item[]
  /** Changed after the given sequence number; in the order of change. */
  changesSince(lsn: number, range: string): Item[]
  /** Creates or overwrites. */
  put(partitionKey: PartitionKey, content: Document): Item
  delete(item: Item): void
  /** The last sequence number used. */
  lsn(): number
}

/** Opens the documents that the table holds. The counters are in the table too, as of the last removal, under the empty key. */
export function openDocuments(container: Container, table: Table, now: () => number): Documents {
  // In the order of the last change: a changed item is taken out and added again.
  const items = new Map<string, Item>()
  const counters = load(table, items)
  const isExpired = (item: Item) => expiresAtS(item.document, container.defaultTtl) <= now() / 1000

  const live = (item: Item): boolean => {
    if (!isExpired(item)) return true
    forget(item)
    return false
  }
  const forget = (item: Item) => {
    const key = keyOf(item.partitionKey, String(item.document.id))
    items.delete(key)
    // Items tell how far the counters are; one that goes takes that along.
    table.put('', counters)
    table.delete(key)
  }
  const advance = (isNew: boolean) => {
    counters.lsn++
    if (isNew) counters.number++
  }

  // What nobody asks for again would stay for ever.
  for (const item of [...items.values()]) live(item)

  const get = (partitionKey: PartitionKey, id: string) => {
    const item = items.get(keyOf(partitionKey, id))
    return item && live(item) ? item : undefined
  }

  return {
    get,
    list({ range, partitionKey } = {}) {
      const isWithin = (item: Item) =>
        (range === undefined || item.range === range) &&
        (partitionKey === undefined || item.partitionKey === partitionKey)
      return [...items.values()].filter((item) => isWithin(item) && live(item)).sort((a, b) => a.number - b.number)
    },
    changesSince: (lsn, range) =>
      [...items.values()].filter((item) => item.lsn > lsn && item.range === range && live(item)),
    put(partitionKey, content) {
      const id = String(content.id)
      const key = keyOf(partitionKey, id)
      const known = get(partitionKey, id)
      advance(!known)
      const { lsn } = counters
      const number = known?.number ?? counters.number
      const document = withSystemProperties(content, container, number, lsn, Math.floor(now() / 1000))
      const range = rangeOf(partitionKey, container.partitions)
      const item: Item = { partitionKey, range, number, lsn, document }
      items.delete(key)
      items.set(key, item)
      table.put(key, item)
      return item
    },
    delete(item) {
      advance(false)
      forget(item)
    },
    lsn: () => counters.lsn,
  }
}

function load(table: Table, items: Map<string, Item>): { lsn: number; number: number } {
  const rows = [...table.entries()]
  const kept = (rows.find(([key]) => key === '')?.[1] ?? { lsn: 0, number: 0 }) as { lsn: number; number: number }
  const stored = rows.filter(([key]) => key !== '') as (readonly [string, Item])[]
  for (const [key, item] of stored.sort(([, a], [, b]) => a.lsn - b.lsn)) items.set(key, item)
  const values = [kept, ...stored.map(([, item]) => item)]
  return {
    lsn: values.reduce((most, { lsn }) => Math.max(most, lsn), 0),
    number: values.reduce((most, { number }) => Math.max(most, number), 0),
  }
}

function keyOf(partitionKey: PartitionKey, id: string): string {
  return JSON.stringify([partitionKey, id])
}

function withSystemProperties(
  content: Document,
  container: Container,
  number: number,
  lsn: number,
  timestampS: number,
): Document {
  const rid = documentRid(container.rid, number)
  return {
    ...content,
    _rid: rid,
    _self: `${container.self}docs/${rid}/`,
    _etag: etagOf(lsn, timestampS),
    _attachments: 'attachments/',
    _ts: timestampS,
  }
}

/** Seconds since the epoch: the item's own `ttl` counts only in a container with a default (-1: no default end). */
function expiresAtS(document: Document, defaultTtl: number | undefined): number {
  if (defaultTtl === undefined) return Number.POSITIVE_INFINITY
  const ttl = typeof document.ttl === 'number' ? document.ttl : defaultTtl
  return ttl === -1 ? Number.POSITIVE_INFINITY : Number(document._ts) + ttl
}
