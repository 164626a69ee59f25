import type { HostDocument } from '../../model/documents.ts'
import type { Claims, HeldPath, HostHolder, PathClaim } from '../../model/host.ts'

/** One service's wish for one path on one cluster. */
export interface Bid {
  readonly service: string
  readonly claim: PathClaim
  readonly cluster: string
  /** RFC 3339. */
  readonly since: string
}

export interface RefusedBid extends Bid {
  /** The service that stands in the way, and why. */
  readonly by: string
  readonly reason: string
}

/**
 * Who gets what: first come, first served, and of those that came at once the one that stands first. On one cluster a path
 * has one service, and all services of a host serve it alike: one certificate, one answer to plain HTTP.
 */
export function judgeBids(bids: readonly Bid[]): {
  readonly held: readonly Bid[]
  readonly refused: readonly RefusedBid[]
} {
  const held: Bid[] = []
  const refused: RefusedBid[] = []
  for (const bid of bids.toSorted((a, b) => compare(a.since, b.since))) {
    const others = held.filter(({ cluster, service }) => cluster === bid.cluster && service !== bid.service)
    const holder = others.find(({ claim }) => claim.path === bid.claim.path)
    const unlike = others.find(({ claim }) => !servesAlike(claim, bid.claim))
    if (holder) refused.push({ ...bid, by: holder.service, reason: `holds ${bid.claim.path}` })
    else if (unlike) refused.push({ ...bid, by: unlike.service, reason: `serves the host ${describe(unlike.claim)}` })
    else held.push(bid)
  }
  return { held, refused }
}

/** Do two claims ask for the same of the host itself? */
export function servesAlike(a: PathClaim, b: PathClaim): boolean {
  return a.certificate === b.certificate && (a.redirectHttp ?? false) === (b.redirectHttp ?? false)
}

function describe({ certificate, redirectHttp }: PathClaim): string {
  if (certificate === undefined) return 'by plain HTTP'
  return `with certificate ${certificate} ${redirectHttp ? 'and sends plain HTTP there' : 'and without plain HTTP'}`
}

/** Every bid on a host but those of one service: what is held and what is reserved. */
export function bidsOfOthers(host: HostDocument | undefined, service: string): readonly Bid[] {
  return Object.entries(host?.holders ?? {})
    .filter(([name]) => name !== service)
    .flatMap(([name, { paths, reserved }]) => bidsOf(name, [...paths, ...(reserved?.paths ?? [])]))
}

/** A service's bids; a path that it has already on a cluster it has since then. `now` is RFC 3339. */
export function bidsFor(service: string, claims: Claims, holder: HostHolder | undefined, now: string): readonly Bid[] {
  const known = [...(holder?.paths ?? []), ...(holder?.reserved?.paths ?? [])]
  return claims.map(({ cluster, ...claim }) => {
    const since = known.flatMap(({ path, clusters }) => (path === claim.path ? (clusters[cluster] ?? []) : []))
    return { service, claim, cluster, since: since.toSorted(compare)[0] ?? now }
  })
}

function bidsOf(service: string, paths: readonly HeldPath[]): readonly Bid[] {
  return paths.flatMap(({ clusters, ...claim }) =>
    Object.entries(clusters).map(([cluster, since]) => ({ service, claim, cluster, since })),
  )
}

/** Bids as documents keep them: one entry a path, in the order of paths. */
export function pathsOf(bids: readonly Bid[]): readonly HeldPath[] {
  const paths = new Map<string, HeldPath>()
  const sorted = bids.toSorted((a, b) => compare(a.claim.path, b.claim.path) || compare(a.cluster, b.cluster))
  for (const { claim, cluster, since } of sorted) {
    const key = JSON.stringify([claim.path, claim.port, claim.certificate, claim.redirectHttp ?? false])
    const before = paths.get(key)
    paths.set(key, { ...claim, clusters: { ...before?.clusters, [cluster]: since } })
  }
  return [...paths.values()]
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
