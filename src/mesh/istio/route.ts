import type { KubeObject } from '../../model/kube.ts'

/** The parts of a VirtualService's http route that we write and read. Other members are carried along. */
export interface HttpRoute {
  readonly name?: string
  readonly route?: readonly Destination[]
  readonly [field: string]: unknown
}

export interface Destination {
  readonly destination: { readonly host: string; readonly subset?: string; readonly port?: { readonly number: number } }
  readonly weight?: number
  readonly [field: string]: unknown
}

export type Weights = Readonly<Record<string, number>>

/** The http routes of a VirtualService; empty when it has none. */
export function httpRoutes(object: KubeObject): readonly HttpRoute[] {
  const http = object.spec?.http
  return Array.isArray(http) ? (http as HttpRoute[]) : []
}

/** Its tcp routes. */
export function tcpRoutes(object: KubeObject): readonly HttpRoute[] {
  const tcp = object.spec?.tcp
  return Array.isArray(tcp) ? (tcp as HttpRoute[]) : []
}

/**
 * Names of the routes to a candidate that stand before those that split; with several ports, the port's name follows. The
 * routes that split are named as their ports, whose names hold no dot, or begin with `route.` or `once.`.
 */
export const SIDE_ROUTE_NAMES = { match: 'candidate.match', affinity: 'candidate.affinity' } as const

/** Which kind of route to a candidate it is; undefined: one that splits. */
export function sideKindOf({ name }: HttpRoute): keyof typeof SIDE_ROUTE_NAMES | undefined {
  if (typeof name !== 'string' || !name.startsWith('candidate.')) return undefined
  return name.startsWith(SIDE_ROUTE_NAMES.affinity) ? 'affinity' : 'match'
}

/** Does a route divide requests among versions by weight? Others go to a candidate, or send callers elsewhere. */
function splits(route: HttpRoute): boolean {
  return sideKindOf(route) === undefined && !('redirect' in route)
}

/**
 * Weights by subset of a VirtualService in the form that we write: every route that splits names subsets and nothing else.
 * When they differ, the highest of each subset (so the sum is no longer 100 and compares as changed). Undefined otherwise.
 */
export function routeWeights(object: KubeObject): Weights | undefined {
  const routes = [...httpRoutes(object).filter(splits), ...tcpRoutes(object)]
  const weights: Record<string, number> = {}
  for (const { route } of routes) {
    if (!Array.isArray(route) || route.length === 0) return undefined
    for (const { destination, weight } of route as readonly Partial<Destination>[]) {
      if (destination?.subset === undefined) return undefined
      const share = weight ?? (route.length === 1 ? 100 : 0)
      weights[destination.subset] = Math.max(weights[destination.subset] ?? 0, share)
    }
  }
  return routes.length === 0 ? undefined : weights
}

/** Do two splits send the same shares? A version that is left out has 0. */
export function sameWeights(a: Weights, b: Weights): boolean {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every(
    (version) => (a[version] ?? 0) === (b[version] ?? 0),
  )
}

/** A VirtualService of ours with other weights on the destinations that it has. */
export function withWeights(object: KubeObject, weights: Weights): KubeObject {
  return withSplits(object, (parts) =>
    parts.map((part) => ({ ...part, weight: weights[part.destination.subset ?? ''] ?? 0 })),
  )
}

/** A VirtualService of ours whose routes that split name `versions` too, at weight 0, in the order of names. */
export function withVersions(object: KubeObject, versions: readonly string[]): KubeObject {
  return withSplits(object, (parts) => {
    const [model] = parts
    const missing = versions.filter((version) => !parts.some((part) => part.destination.subset === version))
    if (!model || missing.length === 0) return parts
    const added = missing.map((subset) => ({ destination: { ...model.destination, subset }, weight: 0 }))
    return [...parts, ...added].sort(bySubset)
  })
}

/** The routes as fields of a VirtualService: a list that would be empty is left out. */
export function routesOf(http: readonly HttpRoute[], tcp: readonly HttpRoute[]): Readonly<Record<string, unknown>> {
  return { ...(http.length === 0 ? {} : { http }), ...(tcp.length === 0 ? {} : { tcp }) }
}

function withSplits(object: KubeObject, change: (parts: readonly Destination[]) => readonly Destination[]): KubeObject {
  const changed = (route: HttpRoute) => ({ ...route, route: change(route.route ?? []) })
  const http = httpRoutes(object).map((route) => (splits(route) ? changed(route) : route))
  return { ...object, spec: { ...object.spec, ...routesOf(http, tcpRoutes(object).map(changed)) } }
}

function bySubset(a: Destination, b: Destination): number {
  return (a.destination.subset ?? '') < (b.destination.subset ?? '') ? -1 : 1
}
