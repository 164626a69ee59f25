import type { KubeObject } from '../../model/kube.ts'

/** The parts of a VirtualService's http route that we write and read. Other members are carried along. */
export interface HttpRoute {
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

/**
 * Weights by subset of a VirtualService in the form that we write: every route names subsets and nothing else. When
 * routes differ, the highest of each subset (so the sum is no longer 100 and compares as changed). Undefined otherwise.
 */
export function routeWeights(object: KubeObject): Weights | undefined {
  const routes = httpRoutes(object)
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
  const http = httpRoutes(object).map((route) => ({
    ...route,
    route: (route.route ?? []).map((part) => ({ ...part, weight: weights[part.destination.subset ?? ''] ?? 0 })),
  }))
  return { ...object, spec: { ...object.spec, http } }
}

/** A VirtualService of ours whose routes name `versions` too, at weight 0, in the order of names. */
export function withVersions(object: KubeObject, versions: readonly string[]): KubeObject {
  const http = httpRoutes(object).map((route) => {
    const parts = route.route ?? []
    const [model] = parts
    const missing = versions.filter((version) => !parts.some((part) => part.destination.subset === version))
    if (!model || missing.length === 0) return route
    const added = missing.map((subset) => ({ ...model, destination: { ...model.destination, subset }, weight: 0 }))
    return { ...route, route: [...parts, ...added].sort(bySubset) }
  })
  return { ...object, spec: { ...object.spec, http } }
}

function bySubset(a: Destination, b: Destination): number {
  return (a.destination.subset ?? '') < (b.destination.subset ?? '') ? -1 : 1
}
