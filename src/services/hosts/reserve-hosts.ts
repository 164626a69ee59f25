import { canonicalJson } from '../../model/digest.ts'
import { type HostDocument, SCHEMA } from '../../model/documents.ts'
import { type Failure, fail, type Result, succeed } from '../../model/failure.ts'
import { type Claims, type HostKey, splitHostKey } from '../../model/host.ts'
import { timestamp } from '../../model/names.ts'
import { type Change, changeDocument } from '../../ports/change-document.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Store } from '../../ports/store.ts'
import { bidsFor, bidsOfOthers, judgeBids, pathsOf, type RefusedBid } from './bids.ts'

/** So long a PUT may take from its reservation to its write. */
export const RESERVED_FOR_MS = 60_000

/** What a service claims, by host. */
export type ClaimsByHost = ReadonlyMap<HostKey, Claims>

/**
 * Sets aside what a service is about to claim, before its document is written: one conditional write a host, and none where
 * it has all that already. What nobody comes for is forgotten. The failure is `HostTaken`. Throws PortError.
 */
export async function reserveHosts(
  deps: { readonly store: Store; readonly clock: Clock },
  service: string,
  claims: ClaimsByHost,
): Promise<Failure | undefined> {
  for (const [key, wanted] of claims) {
    const reserved = await changeDocument(deps.store, 'host', key, (stored) =>
      reserve(key, stored?.value, service, wanted, deps.clock.now()),
    )
    if (!reserved.ok) return reserved.failure
  }
  return undefined
}

/** Why a service cannot have what it claims, as far as can be told without reserving it; undefined: nothing. Throws PortError. */
export async function refuseTakenHosts(
  store: Store,
  service: string,
  claims: ClaimsByHost,
): Promise<Failure | undefined> {
  for (const [key, wanted] of claims) {
    const failure = takenFailure(key, refusedOf((await store.read('host', key))?.value, service, wanted, LATER))
    if (failure) return failure
  }
  return undefined
}

/** Whoever asks now comes after all that are there. */
const LATER = '9999-12-31T23:59:59.999Z'

function refusedOf(
  before: HostDocument | undefined,
  service: string,
  wanted: Claims,
  now: string,
): readonly RefusedBid[] {
  const own = bidsFor(service, wanted, before?.holders[service], now)
  return judgeBids([...bidsOfOthers(before, service), ...own]).refused.filter((bid) => bid.service === service)
}

/** The host's document with a reservation; `now` is epoch milliseconds. */
function reserve(
  key: HostKey,
  before: HostDocument | undefined,
  service: string,
  wanted: Claims,
  now: number,
): Result<Change<HostDocument, undefined>> {
  const at = timestamp(now)
  const taken = takenFailure(key, refusedOf(before, service, wanted, at))
  if (taken) return { ok: false, failure: taken }
  const holder = before?.holders[service]
  const paths = pathsOf(bidsFor(service, wanted, holder, at))
  if (canonicalJson(paths) === canonicalJson(holder?.paths ?? [])) return succeed({ kind: 'leave', value: undefined })
  const until = timestamp(now + RESERVED_FOR_MS)
  const reserved = { paths, until }
  const base = before ?? emptyHost(key, at)
  return succeed({
    kind: 'write',
    value: undefined,
    document: {
      ...base,
      holders: { ...base.holders, [service]: { paths: [], ...holder, reserved } },
      dueAt: base.dueAt !== undefined && base.dueAt < until ? base.dueAt : until,
      updatedAt: at,
    },
  })
}

/** `at` is RFC 3339. */
export function emptyHost(key: HostKey, at: string): HostDocument {
  return {
    schema: SCHEMA,
    kind: 'host',
    ...splitHostKey(key),
    holders: {},
    generation: 0,
    renderRevision: Math.floor(Date.parse(at) / 1000),
    leaving: [],
    outbox: [],
    createdAt: at,
    updatedAt: at,
  }
}

function takenFailure(key: HostKey, refused: readonly RefusedBid[]): Failure | undefined {
  const [first] = refused
  if (!first) return undefined
  const { gateway, host } = splitHostKey(key)
  const others = [...new Set(refused.map(({ by }) => by))].sort()
  const reasons = [...new Set(refused.map(({ by, reason, cluster }) => `${by} ${reason} on ${cluster}`))].sort()
  return fail('HostTaken', `On ${host} (gateway ${gateway}) ${reasons.join('; ')}.`, {
    errors: reasons.map((reason) => ({ pointer: '/exposure', reason })),
    hint: `Choose another path or host, or have ${others.join(', ')} give it up.`,
  }).failure
}
