import { canonicalJson } from '../../model/digest.ts'
import { type HostDocument, keyOf, type ServiceDocument } from '../../model/documents.ts'
import { type Result, succeed } from '../../model/failure.ts'
import { type Claims, claimsOf, type HostHolder, type HostKey, hostClusters } from '../../model/host.ts'
import { timestamp } from '../../model/names.ts'
import type { OutboxEntry } from '../../model/outbox.ts'
import { type Change, changeDocument } from '../../ports/change-document.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Store } from '../../ports/store.ts'
import { allClusters } from '../check-references.ts'
import { bidsFor, bidsOfOthers, judgeBids, pathsOf } from './bids.ts'
import { heldEvents, refusedEvents } from './host-events.ts'
import { emptyHost } from './reserve-hosts.ts'

export interface SettleRequest {
  readonly host: HostKey
  /** `shop/web`. Absent: those whose reservation is over. */
  readonly service?: string
  /** Session token of the write that asks for this, so that it is seen. */
  readonly session?: string
}

/**
 * Brings a host's document to what a service's document says, and asks for the host on every cluster where that changes
 * something. A document that is older than one looked at before says nothing. Idempotent. Throws PortError.
 */
export async function settleHost(
  deps: { readonly store: Store; readonly clock: Clock },
  { host: key, service, session }: SettleRequest,
): Promise<Result<undefined>> {
  const names = service === undefined ? await overdue(deps, key) : [service]
  const clusters = await allClusters(deps.store)
  for (const name of names) {
    const found = (await deps.store.read('service', name, session))?.value
    const wanted = found && {
      revision: found.renderRevision,
      claims:
        claimsOf(
          found,
          clusters.filter((cluster) => isOn(found, cluster.name)),
        ).get(key) ?? [],
    }
    const settled = await changeDocument(deps.store, 'host', key, (stored) =>
      succeed(settle(key, stored?.value, name, wanted, deps.clock.now())),
    )
    if (!settled.ok) return settled
  }
  return succeed(undefined)
}

async function overdue(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  key: HostKey,
): Promise<readonly string[]> {
  const now = timestamp(clock.now())
  const holders = (await store.read('host', key))?.value.holders ?? {}
  return Object.keys(holders).filter((name) => (holders[name]?.reserved?.until ?? now) <= now)
}

function isOn({ targets, deletingAt }: ServiceDocument, cluster: string): boolean {
  return deletingAt === undefined && Object.hasOwn(targets, cluster)
}

/** What a service's document says of a host. */
interface Wanted {
  readonly revision: number
  readonly claims: Claims
}

/** Pure. `wanted` is absent when there is no such service; `nowMs` is epoch milliseconds. */
export function settle(
  key: HostKey,
  before: HostDocument | undefined,
  service: string,
  wanted: Wanted | undefined,
  nowMs: number,
): Change<HostDocument, undefined> {
  const now = timestamp(nowMs)
  const base = before ?? emptyHost(key, now)
  const holder = base.holders[service]
  if (wanted && holder?.revision !== undefined && wanted.revision < holder.revision) return LEAVE
  const next = nextHolder(base, service, wanted, now)
  const { [service]: _, ...others } = base.holders
  const holders = next ? { ...others, [service]: next } : others
  if (!before && !next) return LEAVE
  return nextHost(base, holders, before, nowMs)
}

const LEAVE = { kind: 'leave', value: undefined } as const

/** Undefined: nothing is left of it here. */
function nextHolder(
  host: HostDocument,
  service: string,
  wanted: Wanted | undefined,
  now: string,
): HostHolder | undefined {
  const holder = host.holders[service]
  const own = bidsFor(service, wanted?.claims ?? [], holder, now)
  const { held, refused } = judgeBids([...bidsOfOthers(host, service), ...own])
  const paths = pathsOf(held.filter((bid) => bid.service === service))
  const lost = refused.filter((bid) => bid.service === service)
  const asked = canonicalJson(pathsOf(own))
  const reserved = holder?.reserved
  // The PUT that reserved it may still be about to write its service.
  const isAwaited = reserved !== undefined && reserved.until > now && canonicalJson(reserved.paths) !== asked
  if (paths.length === 0 && lost.length === 0 && !isAwaited) return undefined
  return {
    paths,
    ...(lost.length === 0
      ? {}
      : { refused: lost.map(({ claim, cluster, by, reason }) => ({ path: claim.path, cluster, by, reason })) }),
    ...(isAwaited ? { reserved } : {}),
    ...(wanted ? { revision: wanted.revision } : {}),
  }
}

function nextHost(
  base: HostDocument,
  holders: HostDocument['holders'],
  before: HostDocument | undefined,
  nowMs: number,
): Change<HostDocument, undefined> {
  const now = timestamp(nowMs)
  const [was, is] = [hostClusters(base), hostClusters({ holders })]
  const leaving = [...new Set([...base.leaving, ...was])].filter((cluster) => !is.includes(cluster)).sort()
  if (Object.keys(holders).length === 0 && leaving.length === 0 && base.outbox.length === 0) {
    return before ? { kind: 'remove', value: undefined } : LEAVE
  }
  const moved = canonicalJson(routesOf(base.holders)) !== canonicalJson(routesOf(holders))
  const dues = Object.values(holders).flatMap(({ reserved }) => reserved?.until ?? [])
  const { dueAt: _, ...rest } = base
  const [dueAt] = dues.toSorted()
  const renderRevision = base.renderRevision + (moved ? 1 : 0)
  const next: HostDocument = {
    ...rest,
    holders,
    leaving,
    ...(dueAt === undefined ? {} : { dueAt }),
    generation: base.generation + (moved ? 1 : 0),
    renderRevision,
  }
  const asked = moved ? work(next, [...is, ...leaving]) : []
  const told = [...heldEvents(base, next, now), ...refusedEvents(base, next, now)]
  if (before && told.length + asked.length === 0 && canonicalJson(next) === canonicalJson(before)) return LEAVE
  const retried = moved ? retries(next) : []
  const outbox = [...base.outbox, ...told, ...asked, ...retried]
  return { kind: 'write', value: undefined, document: { ...next, outbox, updatedAt: now } }
}

/** What of a host clusters must have: since when it is held is nothing to them. */
function routesOf(holders: HostDocument['holders']): unknown {
  return Object.entries(holders)
    .filter(([, { paths }]) => paths.length > 0)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { paths }]) => [name, paths.map(({ clusters, ...claim }) => [claim, Object.keys(clusters).sort()])])
}

function work(host: HostDocument, clusters: readonly string[]): readonly OutboxEntry[] {
  const service = keyOf(host)
  return clusters.map((cluster) => ({
    id: `reconcile.${cluster}.${host.renderRevision}`,
    kind: 'work',
    queue: 'work',
    message: { kind: 'reconcile', service, cluster },
  }))
}

/** Those who were refused something may have it now. */
function retries(host: HostDocument): readonly OutboxEntry[] {
  return Object.entries(host.holders)
    .filter(([, { refused }]) => refused !== undefined)
    .map(([service]) => ({
      id: `host.${service}.${host.renderRevision}`,
      kind: 'work',
      queue: 'work',
      message: { kind: 'host', host: keyOf(host), service },
    }))
}
