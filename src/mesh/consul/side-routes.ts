import { digest } from '../../model/digest.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { SideRoute } from '../../model/placement.ts'
import { AFFINITY_HEADER } from './match.ts'
import type { RouterRoute } from './router.ts'

export function routerRoutes(router: KubeObject): readonly RouterRoute[] {
  const routes = router.spec?.routes
  return Array.isArray(routes) ? (routes as RouterRoute[]) : []
}

/** Which kind of route to a candidate it is; undefined: one that the splitter divides. */
export function sideKindOf({ match, destination }: RouterRoute): 'match' | 'affinity' | undefined {
  if (destination?.serviceSubset === undefined) return undefined
  return match?.http?.header?.some(({ name }) => name === AFFINITY_HEADER) ? 'affinity' : 'match'
}

/** What a router in the form that we write sends to versions past the split, in a fixed order. */
export function sideRoutes(router: KubeObject): readonly SideRoute[] {
  const parts = new Map<string, unknown[]>()
  for (const route of routerRoutes(router)) {
    const kind = sideKindOf(route)
    if (!kind) continue
    const key = `${kind} ${route.destination?.serviceSubset}`
    parts.set(key, [...(parts.get(key) ?? []), route.match])
  }
  return [...parts.keys()].sort().map((key) => {
    const [kind, version = ''] = key.split(' ') as [SideRoute['kind'], string]
    return { kind, version, content: digest(parts.get(key)).slice(0, 27) }
  })
}

/** A router of ours without what it sends by these kinds of side routes. */
export function withoutSideRoutes(router: KubeObject, kinds: ReadonlySet<SideRoute['kind']>): KubeObject {
  const routes = routerRoutes(router).filter((route) => {
    const kind = sideKindOf(route)
    return kind === undefined || !kinds.has(kind)
  })
  return { ...router, spec: { ...router.spec, routes } }
}
