import type { EmulatorContext, Table } from '../emulator.ts'
import type { Document } from './documents.ts'
import { type Documents, openDocuments } from './documents.ts'
import { badRequest, conflict, notFound, ownerNotFound } from './errors.ts'
import { containerRid, databaseRid, etagOf } from './resource-ids.ts'

export interface Database {
  readonly id: string
  readonly rid: string
  readonly resource: Document
}

export interface Container {
  readonly id: string
  readonly rid: string
  /** `dbs/…/colls/…/`, of resource ids. */
  readonly self: string
  /** `dbs/…/colls/…`, of names. */
  readonly fullName: string
  readonly partitionKeyPath: string
  /** How many partition key ranges it has; fixed when it is created. */
  readonly partitions: number
  /** Seconds, -1 for "only where an item says so", undefined for none. */
  readonly defaultTtl: number | undefined
  readonly resource: Document
}

/** The databases and containers of one account, kept in the storage. A missing one is a thrown 404, a second one a 409. */
export class Account {
  private readonly context: EmulatorContext
  private readonly catalog: Table
  /** Ranges of containers made from now on. */
  private readonly partitions: number
  /** By their keys in the catalog, which nobody else writes. */
  private readonly opened = new Map<string, { container: Container; documents: Documents }>()

  constructor(context: EmulatorContext, partitions: number) {
    this.context = context
    this.catalog = context.storage.table('cosmos')
    this.partitions = partitions
  }

  databases(): Database[] {
    return this.all('database/')
  }

  createDatabase(body: Document): Database {
    const id = checkId(body.id)
    if (this.catalog.get(databaseKey(id))) throw conflict()
    const number = this.nextNumber()
    const rid = databaseRid(number)
    const links = { _colls: 'colls/', _users: 'users/' }
    const database: Database = { id, rid, resource: { ...this.system(`dbs/${rid}/`, rid, number), ...links, id } }
    this.catalog.put(databaseKey(id), database)
    return database
  }

  database(id: string): Database {
    const database = this.catalog.get(databaseKey(id)) as Database | undefined
    if (!database) throw notFound()
    return database
  }

  deleteDatabase(id: string): void {
    for (const container of this.containers(id)) this.deleteContainer(id, container.id)
    this.catalog.delete(databaseKey(id))
  }

  containers(databaseId: string): Container[] {
    this.database(databaseId)
    return this.all(containerKey(databaseId, ''))
  }

  createContainer(databaseId: string, body: Document): Container {
    const database = this.database(databaseId)
    const id = checkId(body.id)
    if (this.catalog.get(containerKey(databaseId, id))) throw conflict()
    const number = this.nextNumber()
    const rid = containerRid(database.rid, number)
    const self = `dbs/${database.rid}/colls/${rid}/`
    const place = { id, rid, self, fullName: `dbs/${databaseId}/colls/${id}`, partitions: this.partitions }
    const container = this.describe(body, place, number)
    this.catalog.put(containerKey(databaseId, id), container)
    return container
  }

  container(databaseId: string, id: string): Container {
    const container = this.catalog.get(containerKey(databaseId, id)) as Container | undefined
    if (!container) throw notFound()
    return container
  }

  replaceContainer(databaseId: string, id: string, body: Document): Container {
    const known = this.container(databaseId, id)
    if (body.id !== id) throw badRequest('Replacing id is not allowed.')
    const container = this.describe(body, known, this.nextNumber())
    if (container.partitionKeyPath !== known.partitionKeyPath) {
      throw badRequest('Document collection partition key cannot be changed.')
    }
    this.catalog.put(containerKey(databaseId, id), container)
    this.opened.delete(containerKey(databaseId, id))
    return container
  }

  deleteContainer(databaseId: string, id: string): void {
    const { rid } = this.container(databaseId, id)
    this.catalog.delete(containerKey(databaseId, id))
    this.opened.delete(containerKey(databaseId, id))
    const table = this.context.storage.table(tableName(rid))
    for (const [key] of [...table.entries()]) table.delete(key)
  }

  /** The documents of a container; without one the 404 is "owner resource does not exist". */
  documents(databaseId: string, id: string): { container: Container; documents: Documents } {
    const key = containerKey(databaseId, id)
    const known = this.opened.get(key)
    if (known) return known
    const container = this.catalog.get(key) as Container | undefined
    if (!container) throw ownerNotFound()
    const { storage, now } = this.context
    const opened = { container, documents: openDocuments(container, storage.table(tableName(container.rid)), now) }
    this.opened.set(key, opened)
    return opened
  }

  private all<T>(prefix: string): T[] {
    return [...this.catalog.entries(prefix)].map(([, value]) => value as T)
  }

  private nextNumber(): number {
    const number = Number(this.catalog.get('counter') ?? 0) + 1
    this.catalog.put('counter', number)
    return number
  }

  private system(self: string, rid: string, number: number): Document {
    const nowS = Math.floor(this.context.now() / 1000)
    return { _rid: rid, _self: self, _etag: etagOf(number, nowS), _ts: nowS }
  }

  private describe(body: Document, { id, rid, self, fullName, partitions }: Place, number: number): Container {
    const indexingPolicy = { ...defaultIndexing, ...(body.indexingPolicy as object | undefined) }
    const resource = { ...body, indexingPolicy, ...containerLinks, ...this.system(self, rid, number) }
    const defaultTtl = checkTtl(body.defaultTtl)
    return { id, rid, self, fullName, partitions, defaultTtl, partitionKeyPath: partitionKeyPath(body), resource }
  }
}

type Place = Pick<Container, 'id' | 'rid' | 'self' | 'fullName' | 'partitions'>

const containerLinks = {
  _docs: 'docs/',
  _sprocs: 'sprocs/',
  _triggers: 'triggers/',
  _udfs: 'udfs/',
  _conflicts: 'conflicts/',
}

const defaultIndexing = {
  indexingMode: 'consistent',
  automatic: true,
  includedPaths: [{ path: '/*' }],
  excludedPaths: [{ path: '/"_etag"/?' }],
}

const databaseKey = (id: string) => `database/${id}`
const containerKey = (databaseId: string, id: string) => `container/${databaseId}/${id}`
const tableName = (rid: string) => `cosmos/${rid}`

/** Throws a 400 for an id that Cosmos DB does not take. */
export function checkId(id: unknown): string {
  if (typeof id !== 'string' || id === '') {
    throw badRequest("The input content is invalid because the required properties - 'id; ' - are missing")
  }
  if (/[/\\?#]/.test(id) || id.endsWith(' ') || Buffer.byteLength(id) > 1023) {
    throw badRequest('The input name is invalid: it has illegal characters, ends with a space or is too long.')
  }
  return id
}

/** A `ttl` or `defaultTtl`: absent, -1 or a positive whole number; else throws a 400. */
export function checkTtl(ttl: unknown): number | undefined {
  if (ttl === undefined || ttl === null) return undefined
  if (typeof ttl === 'number' && Number.isInteger(ttl) && (ttl === -1 || (ttl > 0 && ttl <= 2147483647))) return ttl
  throw badRequest(
    `The input ttl '${ttl}' is invalid. Ensure to provide a nonzero positive integer less than or equal to '2147483647', or -1 which means never expire.`,
  )
}

function partitionKeyPath(body: Document): string {
  const definition = body.partitionKey as { paths?: unknown; kind?: unknown } | undefined
  const paths = definition?.paths
  if (!Array.isArray(paths) || paths.length !== 1 || !/^(\/[^/"']+)+$/.test(String(paths[0]))) {
    throw badRequest('This emulator takes a partition key of exactly one plain path, such as /pk.')
  }
  if ((definition?.kind ?? 'Hash') !== 'Hash') throw badRequest('This emulator takes a partition key of kind Hash.')
  const unique = body.uniqueKeyPolicy as { uniqueKeys?: unknown[] } | undefined
  if (unique?.uniqueKeys?.length) throw badRequest('This emulator knows no unique keys.')
  return String(paths[0])
}
