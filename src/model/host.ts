import type { ClusterDocument } from './documents.ts'
import type { ExposureSpec } from './policy/exposure.ts'
import { type PolicyHolder, servicePolicy } from './policy/service-policy.ts'
import type { ServiceSpec } from './service.ts'

/** `external/web.example.com`: one host name on the gateways of one name. Its second part has a dot, no service's has. */
export type HostKey = string

export function hostKey(gateway: string, host: string): HostKey {
  return `${gateway}/${host}`
}

export function splitHostKey(key: HostKey): { readonly gateway: string; readonly host: string } {
  const [gateway = '', host = ''] = key.split('/')
  return { gateway, host }
}

/** Is it a host, and not a service, that a key names? Both can have placements. */
export function isHostKey(key: string): boolean {
  return splitHostKey(key).host.includes('.')
}

/** `hosts/external/web.example.com`, `services/shop/web`: what events are about. */
export function subjectOf(key: string): string {
  return `${isHostKey(key) ? 'hosts' : 'services'}/${key}`
}

/** What a service asks for at a path of a host. */
export interface PathClaim {
  /** Without a slash at its end, but for `/`. */
  readonly path: string
  /** Name of a port of the service; its first when absent. */
  readonly port?: string
  /** Name of a registered certificate. */
  readonly certificate?: string
  readonly redirectHttp?: boolean
}

/** A path that a service holds on some clusters. */
export interface HeldPath extends PathClaim {
  /** By cluster: RFC 3339 of since when. Who came first keeps it. */
  readonly clusters: Readonly<Record<string, string>>
}

/** A path that a service may not have there. */
export interface RefusedPath {
  readonly path: string
  readonly cluster: string
  /** `shop/web`: who holds it, or decides what it would contradict. */
  readonly by: string
  readonly reason: string
}

/** What a service has of a host. */
export interface HostHolder {
  readonly paths: readonly HeldPath[]
  /** Found after the service was written: its clusters are chosen by label, and another was there first. */
  readonly refused?: readonly RefusedPath[]
  /** Claimed by a PUT that may not have written the service yet. Forgotten at `until` (RFC 3339) if it never did. */
  readonly reserved?: { readonly paths: readonly HeldPath[]; readonly until: string }
  /** Render revision of the service document that was last looked at: an older one says nothing. */
  readonly revision?: number
}

/** What a service claims of one host, on each of the clusters. */
export type Claims = readonly (PathClaim & { readonly cluster: string })[]

/** `/a` of `/a/`; `/` stays. */
export function plainPath(path: string): string {
  return path.replace(/\/+$/, '') || '/'
}

/** Everything that a spec, or one of its overrides, exposes anywhere. */
export function exposuresOf(spec: ServiceSpec): readonly ExposureSpec[] {
  return [...(spec.exposure ?? []), ...(spec.overrides ?? []).flatMap(({ exposure }) => exposure ?? [])]
}

/** The hosts that a service may be exposed on, on whatever cluster. */
export function hostsOf(spec: ServiceSpec | undefined): readonly HostKey[] {
  if (!spec) return []
  return [...new Set(exposuresOf(spec).map(({ gateway, host }) => hostKey(gateway, host)))].sort()
}

/** What a service claims, by host. `clusters` are those that it is on. */
export function claimsOf(
  service: PolicyHolder,
  clusters: readonly Pick<ClusterDocument, 'name' | 'spec'>[],
): ReadonlyMap<HostKey, Claims> {
  const claims = new Map<HostKey, Claims>()
  for (const cluster of clusters) {
    for (const exposure of servicePolicy(service, cluster).policy.exposure ?? []) {
      const key = hostKey(exposure.gateway, exposure.host)
      claims.set(key, [...(claims.get(key) ?? []), { ...claimOf(exposure), cluster: cluster.name }])
    }
  }
  return claims
}

function claimOf({ path, port, tls, redirectHttp }: ExposureSpec): PathClaim {
  return {
    path: plainPath(path),
    ...(port === undefined ? {} : { port }),
    ...(tls ? { certificate: tls.certificate } : {}),
    ...(redirectHttp ? { redirectHttp } : {}),
  }
}

/** Clusters on which something of a host is held. */
export function hostClusters({
  holders,
}: {
  readonly holders: Readonly<Record<string, HostHolder>>
}): readonly string[] {
  const all = Object.values(holders).flatMap(({ paths }) => paths.flatMap(({ clusters }) => Object.keys(clusters)))
  return [...new Set(all)].sort()
}
