import type { EmulatorResponse } from '../emulators/emulator.ts'
import { bodyText, type Send, ServiceError } from './send.ts'

/** A container by name. */
export interface ContainerName {
  readonly database: string
  readonly container: string
}

/** A part of a container whose changes come in one order. */
export interface FeedRange {
  readonly id: string
}

/** Where reading begins: after a continuation, or for the first time. */
export type FeedPosition =
  | { readonly after: string }
  | { readonly from: 'now' | 'beginning' }
  | { readonly from: 'time'; readonly timeMs: number }

export interface FeedPage {
  readonly documents: readonly unknown[]
  /** The position behind this page. */
  readonly continuation: string
}

/** How far a function has read a range, kept in the lease container. `etag` is undefined before the first write. */
export interface Lease {
  readonly id: string
  readonly rangeId: string
  readonly continuation: string
  readonly etag: string | undefined
}

/** What the change feed trigger wants of Cosmos DB. Every call rejects when the service fails or cannot be reached. */
export interface ChangeFeedSource {
  ranges(of: ContainerName): Promise<readonly FeedRange[]>
  read(of: ContainerName, range: FeedRange, position: FeedPosition, maxItems: number): Promise<FeedPage>
  loadLease(leases: ContainerName, id: string): Promise<Lease | undefined>
  /** Writes a lease if it is still the one that was loaded; undefined when another writer was first. */
  saveLease(leases: ContainerName, lease: Lease): Promise<Lease | undefined>
  /** Makes a lease container (partition key `/id`) when there is none. */
  createLeases(leases: ContainerName): Promise<void>
}

/**
 * A change feed source over the REST protocol of Cosmos DB. Signing is the business of `send`.
 * https://learn.microsoft.com/rest/api/cosmos-db/list-documents
 */
export function changeFeedSourceOver(endpoint: string, send: Send): ChangeFeedSource {
  const call = (
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: object,
  ): Promise<EmulatorResponse> => {
    const content = body ? { 'content-type': 'application/json' } : {}
    return send({
      method,
      url: new URL(`${endpoint.replace(/\/$/, '')}/${path}`),
      headers: { 'x-ms-version': '2020-07-15', accept: 'application/json', ...content, ...headers },
      body: new TextEncoder().encode(body ? JSON.stringify(body) : ''),
    })
  }
  return {
    async ranges(of) {
      const response = expect(await call('GET', `${pathOf(of)}/pkranges`, {}), [200], `Ranges of ${of.container}`)
      return read<{ PartitionKeyRanges: FeedRange[] }>(response).PartitionKeyRanges
    },
    async read(of, range, position, maxItems) {
      const headers = {
        'a-im': 'Incremental feed',
        'x-ms-documentdb-partitionkeyrangeid': range.id,
        'x-ms-max-item-count': String(maxItems),
        ...positionHeaders(position),
      }
      const response = await call('GET', `${pathOf(of)}/docs`, headers)
      const known = 'after' in position ? position.after : ''
      const continuation = response.headers.etag ?? known
      if (response.status === 304) return { documents: [], continuation }
      const page = read<{ Documents: unknown[] }>(expect(response, [200], `Change feed of ${of.container}`))
      return { documents: page.Documents, continuation }
    },
    async loadLease(leases, id) {
      const path = `${pathOf(leases)}/docs/${encodeURIComponent(id)}`
      const response = await call('GET', path, partition(id))
      if (response.status === 404) return undefined
      const stored = read<LeaseDocument>(expect(response, [200], `Lease ${id}`))
      return { id, rangeId: stored.LeaseToken, continuation: stored.ContinuationToken, etag: stored._etag }
    },
    async saveLease(leases, lease) {
      const document = { id: lease.id, LeaseToken: lease.rangeId, ContinuationToken: lease.continuation, version: 0 }
      const docs = `${pathOf(leases)}/docs`
      const response =
        lease.etag === undefined
          ? await call('POST', docs, partition(lease.id), document)
          : await call(
              'PUT',
              `${docs}/${encodeURIComponent(lease.id)}`,
              { ...partition(lease.id), 'if-match': lease.etag },
              document,
            )
      if ([404, 409, 412].includes(response.status)) return undefined
      return { ...lease, etag: read<LeaseDocument>(expect(response, [200, 201], `Lease ${lease.id}`))._etag }
    },
    async createLeases(leases) {
      const body = { id: leases.container, partitionKey: { paths: ['/id'], kind: 'Hash', version: 2 } }
      const response = await call('POST', `dbs/${encodeURIComponent(leases.database)}/colls`, {}, body)
      expect(response, [201, 409], `Creating ${leases.container}`)
    },
  }
}

interface LeaseDocument {
  readonly LeaseToken: string
  readonly ContinuationToken: string
  readonly _etag: string
}

function pathOf(name: ContainerName): string {
  return `dbs/${encodeURIComponent(name.database)}/colls/${encodeURIComponent(name.container)}`
}

function partition(id: string): Record<string, string> {
  return { 'x-ms-documentdb-partitionkey': JSON.stringify([id]) }
}

function positionHeaders(position: FeedPosition): Record<string, string> {
  if ('after' in position) return { 'if-none-match': position.after }
  if (position.from === 'time') return { 'if-modified-since': new Date(position.timeMs).toUTCString() }
  return position.from === 'now' ? { 'if-none-match': '*' } : {}
}

function expect(response: EmulatorResponse, statuses: readonly number[], what: string): EmulatorResponse {
  if (!statuses.includes(response.status)) throw new ServiceError(what, response)
  return response
}

function read<T>(response: EmulatorResponse): T {
  return JSON.parse(bodyText(response)) as T
}
