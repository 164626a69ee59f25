import type { KubernetesObject } from './json.ts'
import { isObject } from './json.ts'
import { badRequest, failure, KubernetesError } from './status.ts'

export interface Page {
  readonly items: readonly KubernetesObject[]
  readonly resourceVersion: string
  readonly continue?: string
  readonly remainingItemCount?: number
}

export interface PageRequest {
  /** The list that is paged: its path and selectors. */
  readonly list: string
  /** 0: everything. */
  readonly limit: number
  readonly token: string
  /** Whether selectors narrow the list: the real server then does not count what remains. */
  readonly narrowed: boolean
}

/** Lists in pages that all show the revision of the first one. */
export interface Pager {
  /** `read` gives the whole list as it is now, in order. Throws KubernetesError 400 or 410. */
  page(request: PageRequest, revision: number, read: () => KubernetesObject[]): Page
  /** Forgets all revisions but the present one, as etcd's compaction does: older tokens are answered with 410. */
  compact(): void
}

/** etcd keeps old revisions for five minutes. */
const keptMs = 5 * 60_000
/** More lists than this are not held open at a time; the oldest one ends first. */
const mostSnapshots = 100

interface Snapshot {
  readonly items: readonly KubernetesObject[]
  readonly taken: number
}

export function pager(now: () => number): Pager {
  const snapshots = new Map<string, Snapshot>()

  function snapshotFor(list: string, revision: number): Snapshot | undefined {
    for (const [key, { taken }] of snapshots) if (now() - taken > keptMs) snapshots.delete(key)
    return snapshots.get(`${revision} ${list}`)
  }
  function keep(list: string, revision: number, items: readonly KubernetesObject[]): void {
    snapshots.set(`${revision} ${list}`, { items, taken: now() })
    const [oldest] = snapshots.keys()
    if (snapshots.size > mostSnapshots && oldest !== undefined) snapshots.delete(oldest)
  }

  return {
    page(request, revision, read) {
      if (!request.token) {
        const items = read()
        const page = cut(items, request, revision)
        if (page.continue) keep(request.list, revision, items)
        return page
      }
      const { rv, start } = readToken(request.token)
      const items = rv < 0 ? read() : snapshotFor(request.list, rv)?.items
      if (!items) throw expired(start)
      const rest = items.filter((item) => keyOf(item) >= start)
      return cut(rest, request, rv < 0 ? revision : rv)
    },
    compact: () => snapshots.clear(),
  }
}

function cut(items: readonly KubernetesObject[], { limit, narrowed }: PageRequest, revision: number): Page {
  const resourceVersion = String(revision)
  const last = items[limit - 1]
  if (limit <= 0 || items.length <= limit || !last) return { items, resourceVersion }
  return {
    items: items.slice(0, limit),
    resourceVersion,
    continue: writeToken(revision, `${keyOf(last)}\0`),
    ...(narrowed ? {} : { remainingItemCount: items.length - limit }),
  }
}

function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`
}

function writeToken(rv: number, start: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv, start })).toString('base64url')
}

function readToken(token: string): { rv: number; start: string } {
  const invalid = (why: string) => badRequest(`invalid continue token: continue key is not valid${why}`)
  let read: unknown
  try {
    read = JSON.parse(Buffer.from(token, 'base64url').toString())
  } catch {
    throw invalid('')
  }
  const { v, rv, start } = isObject(read) ? read : {}
  if (v !== 'meta.k8s.io/v1') throw invalid(': server does not recognize this encoded version')
  if (typeof rv !== 'number' || rv === 0) throw invalid(': incorrect encoded start resourceVersion')
  if (typeof start !== 'string' || !start) throw invalid(': encoded start key empty')
  return { rv, start }
}

/** Carries a token that goes on at the present revision, for callers that can bear an inconsistent list. */
function expired(start: string): KubernetesError {
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
    'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
    'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
    'deleted between the time the first chunk was returned and now may show up in the list.'
  const { response } = failure(410, 'Expired', message)
  const status = { ...JSON.parse(String(response.body)), metadata: { continue: writeToken(-1, start) } }
  return new KubernetesError(message, { ...response, body: JSON.stringify(status) })
}
