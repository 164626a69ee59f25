import {
  type Emulator,
  type EmulatorContext,
  type EmulatorRequest,
  type EmulatorResponse,
  jsonResponse,
} from '../emulator.ts'
import { Account, type Container } from './account.ts'
import { authorize, type CosmosAccess } from './authorization.ts'
import { deleteDocument, readObject, readOne, replaceDocument, writeDocument } from './document-requests.ts'
import type { Documents } from './documents.ts'
import { badRequest, CosmosError, errorResponse, notEmulated } from './errors.ts'
import { planQuery, queryDocuments, readChangeFeed, readFeed } from './feed-requests.ts'
import { partitionRanges } from './partitions.ts'
import { checkSession, sessionToken } from './session.ts'
import { QueryError } from './sql/syntax.ts'

export interface CosmosOptions extends CosmosAccess {
  /** Partition key ranges of a new container; default 1. With 2 or more the SDK has to merge. */
  readonly partitions?: number
}

/**
 * Azure Cosmos DB for NoSQL as its SDKs see it: one account with databases, containers, documents, queries and the
 * change feed. Strongly consistent. It never throttles: a wire may answer with `throttled`. What it does not know it
 * answers with a 400 or a 501 that says so.
 */
export function cosmosEmulator(context: EmulatorContext, options: CosmosOptions): Emulator {
  const account = new Account(context, options.partitions ?? 1)
  let activities = 0
  return async (request) => {
    const activity = String(++activities).padStart(12, '0')
    const common = {
      'x-ms-activity-id': `00000000-0000-4000-8000-${activity}`,
      'x-ms-request-charge': '1',
      date: new Date(context.now()).toUTCString(),
    }
    const response = answer(request, account, options)
    return { ...response, headers: { ...common, ...response.headers } }
  }
}

function answer(request: EmulatorRequest, account: Account, options: CosmosOptions): EmulatorResponse {
  try {
    authorize(request, options)
    return route(request, account)
  } catch (error) {
    if (error instanceof CosmosError) return errorResponse(error)
    if (error instanceof QueryError) return errorResponse(badRequest(error.message))
    throw error
  }
}

function route(request: EmulatorRequest, account: Account): EmulatorResponse {
  const segments = decodeSegments(request.url)
  const [dbs, databaseId, colls, containerId, kind, documentId, more] = segments
  if (segments.length === 0) return accountResponse(request)
  if (dbs === 'dbs' && more === undefined) {
    if (databaseId === undefined) return routeDatabases(request, account)
    if (colls === undefined) return routeDatabase(request, databaseId, account)
    if (colls === 'colls') {
      if (containerId === undefined) return routeContainers(request, databaseId, account)
      if (kind === undefined) return routeContainer(request, databaseId, containerId, account)
      if (kind === 'pkranges') return rangesResponse(account.documents(databaseId, containerId).container)
      if (kind === 'docs') return routeDocuments(request, databaseId, containerId, documentId, account)
    }
  }
  throw notEmulated(`${request.method} ${request.url.pathname}`)
}

function routeDatabases(request: EmulatorRequest, account: Account): EmulatorResponse {
  if (request.method === 'POST' && !isQuery(request)) {
    return resourceResponse(201, account.createDatabase(readObject(request)))
  }
  if (request.method !== 'GET') throw notEmulated('queries for databases')
  const databases = account.databases().map(({ resource }) => resource)
  return jsonResponse(200, { _rid: '', Databases: databases, _count: databases.length })
}

function routeDatabase(request: EmulatorRequest, id: string, account: Account): EmulatorResponse {
  if (request.method === 'GET') return resourceResponse(200, account.database(id))
  if (request.method !== 'DELETE') throw notEmulated(`${request.method} on a database`)
  account.deleteDatabase(id)
  return { status: 204, headers: {}, body: '' }
}

function routeContainers(request: EmulatorRequest, databaseId: string, account: Account): EmulatorResponse {
  if (request.method === 'POST' && !isQuery(request)) {
    return resourceResponse(201, account.createContainer(databaseId, readObject(request)))
  }
  if (request.method !== 'GET') throw notEmulated('queries for containers')
  const containers = account.containers(databaseId).map(({ resource }) => resource)
  const { rid } = account.database(databaseId)
  return jsonResponse(200, { _rid: rid, DocumentCollections: containers, _count: containers.length })
}

function routeContainer(request: EmulatorRequest, databaseId: string, id: string, account: Account): EmulatorResponse {
  if (request.method === 'GET') return resourceResponse(200, account.container(databaseId, id))
  if (request.method === 'PUT') {
    return resourceResponse(200, account.replaceContainer(databaseId, id, readObject(request)))
  }
  if (request.method !== 'DELETE') throw notEmulated(`${request.method} on a container`)
  account.deleteContainer(databaseId, id)
  return { status: 204, headers: {}, body: '' }
}

function routeDocuments(
  request: EmulatorRequest,
  databaseId: string,
  containerId: string,
  id: string | undefined,
  account: Account,
): EmulatorResponse {
  const { container, documents } = account.documents(databaseId, containerId)
  checkSession(request, documents)
  try {
    const response = id === undefined ? onFeed(request, container, documents) : onOne(request, id, container, documents)
    return { ...response, headers: { ...sessionHeaders(container, documents), ...response.headers } }
  } catch (error) {
    if (!(error instanceof CosmosError)) throw error
    const response = errorResponse(error)
    return { ...response, headers: { ...sessionHeaders(container, documents), ...response.headers } }
  }
}

function onFeed(request: EmulatorRequest, container: Container, documents: Documents): EmulatorResponse {
  const { method, headers } = request
  if (method === 'GET') {
    if (headers['a-im'] !== undefined) return readChangeFeed(request, container, documents)
    return readFeed(request, container, documents)
  }
  if (method !== 'POST') throw notEmulated(`${method} on a container's documents`)
  if (isTrue(headers['x-ms-cosmos-is-batch-request'])) throw notEmulated('batch requests')
  if (isTrue(headers['x-ms-cosmos-is-query-plan-request'])) return planQuery(request, container)
  if (isQuery(request)) return queryDocuments(request, container, documents)
  return writeDocument(request, container, documents, isTrue(headers['x-ms-documentdb-is-upsert']))
}

function onOne(request: EmulatorRequest, id: string, container: Container, documents: Documents): EmulatorResponse {
  if (request.method === 'GET') return readOne(request, id, documents)
  if (request.method === 'PUT') return replaceDocument(request, id, container, documents)
  if (request.method === 'DELETE') return deleteDocument(request, id, documents)
  throw notEmulated(`${request.method} on a document`)
}

function sessionHeaders(container: Container, documents: Documents): Record<string, string> {
  return {
    'x-ms-session-token': sessionToken(container, documents),
    'x-ms-content-path': container.rid,
    'x-ms-alt-content-path': container.fullName,
    lsn: String(documents.lsn()),
  }
}

function accountResponse(request: EmulatorRequest): EmulatorResponse {
  if (request.method !== 'GET') throw notEmulated(`${request.method} on the account`)
  const here = [{ name: 'Emulator', databaseAccountEndpoint: `${request.url.origin}/` }]
  return jsonResponse(200, {
    _self: '',
    id: 'emulator',
    _rid: request.url.hostname,
    media: '//media/',
    addresses: '//addresses/',
    _dbs: '//dbs/',
    writableLocations: here,
    readableLocations: here,
    enableMultipleWriteLocations: false,
    userReplicationPolicy: { asyncReplication: false, minReplicaSetSize: 1, maxReplicasetSize: 4 },
    userConsistencyPolicy: { defaultConsistencyLevel: 'Session' },
    systemReplicationPolicy: { minReplicaSetSize: 1, maxReplicasetSize: 4 },
    readPolicy: { primaryReadCoefficient: 1, secondaryReadCoefficient: 1 },
    queryEngineConfiguration: '{}',
  })
}

function rangesResponse(container: Container): EmulatorResponse {
  const ranges = partitionRanges(container.partitions).map((range) => ({
    ...range,
    _rid: container.rid,
    _self: `${container.self}pkranges/${range.id}/`,
    status: 'online',
    throughputFraction: 1 / container.partitions,
    parents: [],
  }))
  return jsonResponse(200, { _rid: container.rid, PartitionKeyRanges: ranges, _count: ranges.length })
}

function resourceResponse(status: number, { resource }: Pick<Container, 'resource'>): EmulatorResponse {
  return jsonResponse(status, resource, { etag: String(resource._etag) })
}

function decodeSegments(url: URL): string[] {
  try {
    return url.pathname.split('/').filter(Boolean).map(decodeURIComponent)
  } catch {
    throw badRequest('The path is invalid.')
  }
}

function isQuery({ headers }: EmulatorRequest): boolean {
  return isTrue(headers['x-ms-documentdb-isquery']) || headers['content-type'] === 'application/query+json'
}

function isTrue(header: string | undefined): boolean {
  return header?.toLowerCase() === 'true'
}
