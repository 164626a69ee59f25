import { type EmulatorRequest, type EmulatorResponse, jsonResponse } from '../emulator.ts'
import type { Container } from './account.ts'
import { readObject } from './document-requests.ts'
import type { Document, Documents, Item } from './documents.ts'
import { badRequest, CosmosError, notEmulated } from './errors.ts'
import { checkOrderIsIndexed } from './indexing.ts'
import { parsePartitionKeyHeader, rangeOf } from './partitions.ts'
import { parseQuery } from './sql/parse-query.ts'
import { needsPlan, queryPlan } from './sql/plan.ts'
import { type Page, parametersOf, type QuerySpec, runQuery } from './sql/run.ts'
import type { Query } from './sql/syntax.ts'

/** GET …/docs: the read feed. */
export function readFeed(request: EmulatorRequest, container: Container, documents: Documents): EmulatorResponse {
  const spec = { query: 'SELECT * FROM c' }
  const items = documents.list(scopeOf(request, container))
  return pageResponse(container, runQuery(parseQuery(spec.query), spec, items, pagingOf(request)))
}

/**
 * POST …/docs with a query. Over several partitions a query that needs merging is refused with its plan, as the
 * gateway does; the SDK then asks each range.
 */
export function queryDocuments(request: EmulatorRequest, container: Container, documents: Documents): EmulatorResponse {
  const spec = readSpec(request)
  const query = parseQuery(spec.query)
  checkOrderIsIndexed(query.orderBy, container.resource)
  const scope = scopeOf(request, container)
  if (!scope.range && !scope.partitionKey) {
    if (!isTrue(request.headers['x-ms-documentdb-query-enablecrosspartition'])) throw crossPartitionDisabled()
    if (needsPlan(query)) throw crossPartitionNotServable(query, spec)
  }
  return pageResponse(container, runQuery(query, spec, documents.list(scope), pagingOf(request)))
}

/** POST …/docs with `x-ms-cosmos-is-query-plan-request`. */
export function planQuery(request: EmulatorRequest, container: Container): EmulatorResponse {
  const spec = readSpec(request)
  const query = parseQuery(spec.query)
  checkOrderIsIndexed(query.orderBy, container.resource)
  return jsonResponse(200, queryPlan(query, parametersOf(spec)))
}

/**
 * GET …/docs with `A-IM: Incremental feed`: the latest version of what changed in one range (or one partition) since
 * the etag in If-None-Match; `*` is now, none is the beginning, If-Modified-Since a time. 304 when there is nothing new.
 */
export function readChangeFeed(request: EmulatorRequest, container: Container, documents: Documents): EmulatorResponse {
  const { headers } = request
  const mode = headers['a-im'] ?? ''
  if (!/^incremental feed$/i.test(mode)) throw notEmulated(`the change feed mode '${mode}'`)
  const { range, partitionKey } = scopeOf(request, container)
  const of = range ?? (partitionKey !== undefined ? rangeOf(partitionKey, container.partitions) : undefined)
  if (of === undefined) throw badRequest('The change feed is read by partition key range or by partition key.')
  const since = sinceOf(headers['if-none-match'], documents)
  const sinceS = Math.ceil(Date.parse(headers['if-modified-since'] ?? '') / 1000)
  const isWanted = (item: Item) =>
    (partitionKey === undefined || item.partitionKey === partitionKey) &&
    (Number.isNaN(sinceS) || Number(item.document._ts) >= sinceS)
  const changes = documents.changesSince(since, of).filter(isWanted)
  const page = changes.slice(0, pagingOf(request).maxItems)
  const last = page.length < changes.length ? (page.at(-1)?.lsn ?? 0) : documents.lsn()
  const feedHeaders = { etag: `"${last}"`, 'x-ms-request-charge': '1' }
  if (page.length === 0) return { status: 304, headers: feedHeaders, body: '' }
  return listResponse(
    container,
    page.map(({ document, lsn }) => ({ ...document, _lsn: lsn })),
    feedHeaders,
  )
}

function sinceOf(etag: string | undefined, documents: Documents): number {
  if (etag === undefined) return 0
  if (etag === '*') return documents.lsn()
  const match = /^"?(\d+)"?$/.exec(etag)
  if (!match) throw badRequest('The continuation in If-None-Match is invalid.')
  return Number(match[1])
}

function readSpec(request: EmulatorRequest): QuerySpec {
  const { query, parameters } = readObject(request)
  if (typeof query !== 'string') throw badRequest('The request payload is invalid: it has no query.')
  const isParameter = (value: unknown) =>
    typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string'
  if (parameters === undefined) return { query }
  if (!Array.isArray(parameters) || !parameters.every(isParameter))
    throw badRequest('The query parameters are invalid.')
  return { query, parameters }
}

/** What part of the container a request is for; neither means all of it. */
function scopeOf({ headers }: EmulatorRequest, container: Container): { range?: string; partitionKey?: string } {
  if (headers['x-ms-start-epk'] !== undefined) throw notEmulated('reading a part of a partition key range')
  const partitionKey = headers['x-ms-documentdb-partitionkey']
  if (partitionKey !== undefined) return { partitionKey: parsePartitionKeyHeader(partitionKey) }
  const range = headers['x-ms-documentdb-partitionkeyrangeid']
  if (range === undefined) return {}
  if (/^\d+$/.test(range) && Number(range) < container.partitions) return { range }
  throw new CosmosError(410, 'Gone', 'The requested resource is no longer available at the server.', 1002)
}

function pagingOf({ headers }: EmulatorRequest): { maxItems: number; continuation: string | undefined } {
  const asked = Number(headers['x-ms-max-item-count'] ?? 100)
  if (!Number.isInteger(asked) || asked === 0 || asked < -1) throw badRequest('x-ms-max-item-count is invalid.')
  return { maxItems: asked === -1 ? 1000 : asked, continuation: headers['x-ms-continuation'] }
}

function pageResponse(container: Container, { results, continuation }: Page): EmulatorResponse {
  const headers = { 'x-ms-request-charge': String(2 + results.length / 10) }
  return listResponse(container, results, continuation ? { ...headers, 'x-ms-continuation': continuation } : headers)
}

function listResponse(
  container: Container,
  documents: readonly unknown[],
  headers: Record<string, string>,
): EmulatorResponse {
  const count = documents.length
  const body: Document | object = { _rid: container.rid, Documents: documents, _count: count }
  return jsonResponse(200, body, { 'x-ms-item-count': String(count), ...headers })
}

function crossPartitionDisabled(): CosmosError {
  return badRequest(
    'Cross partition query is required but disabled. Please set x-ms-documentdb-query-enablecrosspartition to true, specify x-ms-documentdb-partitionkey, or revise your query to avoid this exception.',
  )
}

function crossPartitionNotServable(query: Query, spec: QuerySpec): CosmosError {
  const message =
    'The provided cross partition query can not be directly served by the gateway. This is a first chance (internal) exception that all newer clients will know how to handle gracefully.'
  return badRequest(message, 1004, { additionalErrorInfo: JSON.stringify(queryPlan(query, parametersOf(spec))) })
}

function isTrue(header: string | undefined): boolean {
  return header?.toLowerCase() === 'true'
}
