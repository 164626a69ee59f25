import { digest } from '../../model/digest.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { SideRoute } from '../../model/placement.ts'
import { type Destination, type HttpRoute, httpRoutes, routesOf, sideKindOf, tcpRoutes } from './route.ts'

/** What a VirtualService in the form that we write sends to versions besides their weights, in a fixed order. */
export function sideRoutes(object: KubeObject): readonly SideRoute[] {
  const parts = new Map<string, unknown[]>()
  const add = (kind: SideRoute['kind'], version: string | undefined, content: unknown) => {
    const key = `${kind} ${version ?? ''}`
    parts.set(key, [...(parts.get(key) ?? []), content])
  }
  for (const route of httpRoutes(object)) {
    const kind = sideKindOf(route)
    if (kind) {
      const { name, match } = route
      for (const { destination } of destinationsOf(route)) add(kind, destination?.subset, { name, match, destination })
      continue
    }
    const { name, mirror, mirrors, mirrorPercentage, mirrorPercent } = route as HttpRoute & Mirrored
    const [first] = mirrors && mirrors.length > 1 ? mirrors : []
    const subset = mirror?.subset ?? first?.destination?.subset
    if (mirror || first) add('mirror', subset, { name, mirror, first, mirrorPercentage, mirrorPercent })
    for (const { destination, headers } of destinationsOf(route)) {
      if (headers) add('affinity', destination?.subset, { name, headers })
    }
  }
  return [...parts.keys()].sort().map((key) => {
    const [kind, version = ''] = key.split(' ') as [SideRoute['kind'], string]
    return { kind, version, content: digest(parts.get(key)).slice(0, 27) }
  })
}

/** A VirtualService of ours without what it sends by these kinds of side routes. */
export function withoutSideRoutes(object: KubeObject, kinds: ReadonlySet<SideRoute['kind']>): KubeObject {
  const http = httpRoutes(object).flatMap((route) => {
    const kind = sideKindOf(route)
    if (kind) return kinds.has(kind) ? [] : [route]
    const plain = kinds.has('mirror') ? withoutMirror(route) : route
    return [kinds.has('affinity') ? withoutHeaders(plain) : plain]
  })
  return { ...object, spec: { ...object.spec, ...routesOf(http, tcpRoutes(object)) } }
}

interface Mirrored {
  readonly mirror?: { readonly subset?: string }
  /** One: the policy's own. Two: a rollout's, then the policy's. */
  readonly mirrors?: readonly { readonly destination?: { readonly subset?: string } }[]
  readonly mirrorPercentage?: unknown
  readonly mirrorPercent?: unknown
}

function withoutMirror(route: HttpRoute & Mirrored): HttpRoute {
  const { mirror: _, mirrors, mirrorPercentage: ___, mirrorPercent: ____, ...rest } = route
  return mirrors ? { ...rest, mirrors: mirrors.slice(-1) } : rest
}

/** Headers on the destinations of a split are set for the cookie alone. */
function withoutHeaders(route: HttpRoute): HttpRoute {
  return route.route ? { ...route, route: route.route.map(({ headers: _, ...part }) => part) } : route
}

function destinationsOf({ route }: HttpRoute): readonly Partial<Destination>[] {
  return Array.isArray(route) ? route : []
}
