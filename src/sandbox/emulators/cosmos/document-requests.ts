import type { EmulatorRequest, EmulatorResponse } from '../emulator.ts'
import { type Container, checkId, checkTtl } from './account.ts'
import type { Document, Documents, Item } from './documents.ts'
import { badRequest, conflict, notEmulated, notFound, preconditionFailed, tooLarge } from './errors.ts'
import { type PartitionKey, parsePartitionKeyHeader, partitionKeyOf } from './partitions.ts'

const maxDocumentBytes = 2 * 1024 * 1024

/** POST …/docs: create, or upsert where the header asks for it. */
export function writeDocument(
  request: EmulatorRequest,
  container: Container,
  documents: Documents,
  isUpsert: boolean,
): EmulatorResponse {
  const content = readDocument(request)
  const partitionKey = checkPartitionKey(request, container, content)
  const known = documents.get(partitionKey, String(content.id))
  if (known && !isUpsert) throw conflict()
  if (isUpsert && (request.headers['if-match'] || request.headers['if-none-match'])) {
    throw notEmulated('If-Match on an upsert. Use create, or replace with If-Match')
  }
  return documentResponse(known ? 200 : 201, documents.put(partitionKey, content))
}

/** GET …/docs/id; 304 when If-None-Match names the present etag. */
export function readOne(request: EmulatorRequest, id: string, documents: Documents): EmulatorResponse {
  const item = find(request, id, documents)
  if (request.headers['if-none-match'] === item.document._etag) {
    return { status: 304, headers: { etag: String(item.document._etag) }, body: '' }
  }
  return documentResponse(200, item)
}

/** PUT …/docs/id. */
export function replaceDocument(
  request: EmulatorRequest,
  id: string,
  container: Container,
  documents: Documents,
): EmulatorResponse {
  const content = readDocument(request)
  if (content.id !== id) throw badRequest('Replacing id is not allowed.')
  const partitionKey = checkPartitionKey(request, container, content)
  checkMatch(request, find(request, id, documents))
  return documentResponse(200, documents.put(partitionKey, content))
}

/** DELETE …/docs/id. */
export function deleteDocument(request: EmulatorRequest, id: string, documents: Documents): EmulatorResponse {
  const item = find(request, id, documents)
  checkMatch(request, item)
  documents.delete(item)
  return { status: 204, headers: charge(JSON.stringify(item.document).length), body: '' }
}

/** The partition key that the request is for; throws a 400 without one. */
export function neededPartitionKey(request: EmulatorRequest): PartitionKey {
  const header = request.headers['x-ms-documentdb-partitionkey']
  if (header === undefined) throw badRequest('PartitionKey value must be supplied for this operation.')
  return parsePartitionKeyHeader(header)
}

/** The body as a JSON object; throws a 400. */
export function readObject({ body }: EmulatorRequest): Document {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Document
  } catch {
    // Falls through: not JSON, or not UTF-8.
  }
  throw badRequest('The request payload is invalid. Ensure to provide a valid request payload.')
}

function readDocument(request: EmulatorRequest): Document {
  if (request.body.length > maxDocumentBytes) throw tooLarge()
  const content = readObject(request)
  checkId(content.id)
  checkTtl(content.ttl)
  return content
}

function checkPartitionKey(request: EmulatorRequest, container: Container, content: Document): PartitionKey {
  const header = neededPartitionKey(request)
  if (header === partitionKeyOf(content, container.partitionKeyPath)) return header
  throw badRequest("PartitionKey extracted from document doesn't match the one specified in the header.", 1001)
}

function find(request: EmulatorRequest, id: string, documents: Documents): Item {
  const item = documents.get(neededPartitionKey(request), id)
  if (!item) throw notFound()
  return item
}

function checkMatch(request: EmulatorRequest, item: Item): void {
  const expected = request.headers['if-match']
  if (expected !== undefined && expected !== '*' && expected !== item.document._etag) throw preconditionFailed()
}

function documentResponse(status: number, item: Item): EmulatorResponse {
  const body = JSON.stringify(item.document)
  const headers = { etag: String(item.document._etag), ...charge(body.length, status) }
  return { status, headers: { 'content-type': 'application/json', ...headers }, body }
}

/** Request units, roughly as documented: 1 for reading 1 KiB, 5 for writing it. */
function charge(length: number, status = 204): Record<string, string> {
  const kib = Math.max(1, Math.ceil(length / 1024))
  return { 'x-ms-request-charge': String(status === 200 ? kib : 5 * kib) }
}
