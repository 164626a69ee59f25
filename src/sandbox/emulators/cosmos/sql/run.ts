import { createHash } from 'node:crypto'
import type { Item } from '../documents.ts'
import { badRequest } from '../errors.ts'
import { buildObject, comparePrimitives, evaluate, type Scope, valueAt } from './evaluate.ts'
import { type Json, type Query, QueryError, type Value } from './syntax.ts'

/** The request's body: the text and its parameters. */
export interface QuerySpec {
  readonly query: string
  readonly parameters?: readonly { readonly name: string; readonly value?: Json }[]
}

export interface Page {
  readonly results: readonly Json[]
  /** Where the next page goes on; absent at the end. */
  readonly continuation: string | undefined
}

export interface Paging {
  readonly maxItems: number
  readonly continuation: string | undefined
}

const maxPageBytes = 4 * 1024 * 1024

/** A result's place in the answer: by the ORDER BY values, then by range and order of creation. */
interface Place {
  readonly order: readonly Value[]
  readonly range: number
  readonly number: number
}

interface Token {
  readonly query: string
  readonly after: Place
  /** How many results the pages so far had, for TOP. */
  readonly taken: number
}

export function parametersOf(spec: QuerySpec): ReadonlyMap<string, Value> {
  return new Map((spec.parameters ?? []).map(({ name, value }) => [name, value]))
}

/** TOP's number, undefined without TOP; throws QueryError when it is no whole number. */
export function topOf(query: Query, parameters: ReadonlyMap<string, Value>): number | undefined {
  if (!query.top) return undefined
  const top = evaluate(query.top, { document: null, parameters })
  if (typeof top !== 'number' || !Number.isInteger(top) || top < 0) throw new QueryError('TOP takes a whole number.')
  return top
}

/**
 * One page of a query's results. Documents written between two pages are seen if they come after the last one read;
 * none comes twice. A page also ends at 4 MB. Throws QueryError and, for a token of another query, a 400.
 */
export function runQuery(query: Query, spec: QuerySpec, items: readonly Item[], paging: Paging): Page {
  const parameters = parametersOf(spec)
  const fingerprint = createHash('sha256').update(JSON.stringify(spec)).digest('base64url').slice(0, 12)
  const token = paging.continuation === undefined ? undefined : readToken(paging.continuation, fingerprint)
  const found = items
    .filter(({ document }) => !query.where || evaluate(query.where, { document, parameters }) === true)
    .map((item) => ({ item, place: placeOf(item, query) }))
    .sort((a, b) => comparePlaces(a.place, b.place, query))
    .filter(({ place }) => !token || comparePlaces(place, token.after, query) > 0)

  const top = topOf(query, parameters) ?? Number.POSITIVE_INFINITY
  let taken = token?.taken ?? 0
  let bytes = 0
  const results: Json[] = []
  for (const [index, { item, place }] of found.entries()) {
    if (taken >= top) break
    taken++
    const result = project(query, { document: item.document, parameters })
    if (result !== undefined) results.push(result)
    bytes += result === undefined ? 0 : JSON.stringify(result).length
    const isFull = results.length >= paging.maxItems || bytes >= maxPageBytes
    if (isFull && taken < top && index < found.length - 1) {
      return { results, continuation: writeToken({ query: fingerprint, after: place, taken }) }
    }
  }
  return { results, continuation: undefined }
}

function project({ projection }: Query, scope: Scope): Value {
  if (projection.kind === 'all') return scope.document
  if (projection.kind === 'value') return evaluate(projection.column.value, scope)
  return buildObject(
    projection.columns.map(({ name, value }) => [name, value]),
    scope,
  )
}

function placeOf({ document, range, number }: Item, query: Query): Place {
  const order = query.orderBy.map(({ steps }) => {
    const value = valueAt(document, steps)
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
    // Cosmos DB includes or omits these depending on the index, and the SDK cannot merge them over partitions.
    throw new QueryError(
      `ORDER BY ${query.alias}.${steps.join('.')} met a document without a string, number or boolean there, which is not emulated: keep such documents out with WHERE.`,
    )
  })
  return { order, range: Number(range), number }
}

function comparePlaces(left: Place, right: Place, { orderBy }: Query): number {
  for (const [index, { descending }] of orderBy.entries()) {
    const order = comparePrimitives(left.order[index], right.order[index])
    if (order !== 0) return descending ? -order : order
  }
  return left.range - right.range || left.number - right.number
}

function writeToken(token: Token): string {
  return Buffer.from(JSON.stringify(token)).toString('base64url')
}

function readToken(text: string, fingerprint: string): Token {
  try {
    const token = JSON.parse(Buffer.from(text, 'base64url').toString()) as Token
    if (token.query === fingerprint && Array.isArray(token.after.order)) return token
  } catch {
    // Falls through: whatever it is, it is no token of ours.
  }
  throw badRequest('Invalid Continuation Token')
}
