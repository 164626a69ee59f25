import { badRequest } from './errors.ts'
import { valueAt } from './sql/evaluate.ts'
import type { Json } from './sql/syntax.ts'

/** A partition key value in one spelling: JSON, with `{}` for a document that has none. */
export type PartitionKey = string

/**
 * The value of the header `x-ms-documentdb-partitionkey`, an array of one. Throws a 400 when it is no such array.
 */
export function parsePartitionKeyHeader(header: string): PartitionKey {
  const value = parseJson(header)
  if (!Array.isArray(value) || value.length !== 1) throw badRequest('Partition key provided is invalid.')
  const [key] = value
  if (typeof key === 'object' && key !== null && Object.keys(key).length > 0) {
    throw badRequest('Partition key provided is invalid.')
  }
  return JSON.stringify(key)
}

/** The partition key value of a document; throws a 400 when it is an object or an array. */
export function partitionKeyOf(document: Json, path: string): PartitionKey {
  const value = valueAt(document, pathSteps(path))
  if (value === undefined) return '{}'
  if (typeof value === 'object' && value !== null) throw badRequest('Partition key provided is invalid.')
  return JSON.stringify(value)
}

/** `/a/b` as ["a", "b"]. */
export function pathSteps(path: string): string[] {
  return path.split('/').slice(1)
}

export interface PartitionRange {
  readonly id: string
  readonly minInclusive: string
  readonly maxExclusive: string
}

/** Equal shares of the hash space, the first open below, the last up to "FF". */
export function partitionRanges(count: number): readonly PartitionRange[] {
  const bound = (index: number) => toHex(Math.floor((index * 0x1_0000_0000) / count))
  return Array.from({ length: count }, (_, index) => ({
    id: String(index),
    minInclusive: index === 0 ? '' : bound(index),
    maxExclusive: index === count - 1 ? 'FF' : bound(index + 1),
  }))
}

/** The id of the range that holds a partition key. The hash is FNV-1a with MurmurHash3's last mixing, not Azure's. */
export function rangeOf(partitionKey: PartitionKey, count: number): string {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(partitionKey)) hash = Math.imul(hash ^ byte, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  hash = (hash ^ (hash >>> 16)) >>> 0
  return String(Math.floor((hash / 0x1_0000_0000) * count))
}

function toHex(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, '0')
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    throw badRequest('Partition key provided is invalid.')
  }
}
