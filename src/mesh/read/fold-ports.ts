import { canonicalJson } from '../../model/digest.ts'
import type { Port } from './kube-service.ts'
import { type Fields, freeName, present } from './values.ts'

/** What a route may say in place of `traffic`. */
export const SETTINGS = ['timeout', 'retries', 'fault', 'mirror'] as const

/** A route of a port in the words of the policy. */
export interface ReadRoute {
  readonly name: string
  /** Undefined: all requests. */
  readonly match: readonly Fields[] | undefined
  readonly settings: Fields
}

/** What was read for one port. */
export interface PortRoutes {
  readonly port: Port
  readonly routes: readonly ReadRoute[]
}

/**
 * Routes of all ports as one list. What every route of every port says stands once, in `traffic` itself; what only some say stands on
 * those, for a route cannot take back what `traffic` says.
 */
export function foldPorts(byPort: readonly PortRoutes[]): Fields {
  const [first] = byPort
  if (!first) return {}
  const isSame = byPort.every(({ routes }) => canonicalJson(routes) === canonicalJson(first.routes))
  const groups = isSame
    ? [{ ports: undefined, routes: first.routes }]
    : byPort.map(({ port, routes }) => ({ ports: [port.name], routes }))
  const all = groups.flatMap(({ routes }) => routes).filter(({ settings }) => settings.redirect === undefined)
  const hasRest = groups.every(({ routes }) => routes.some(({ match }) => !match))
  const shared = Object.fromEntries(
    SETTINGS.filter(
      (field) => hasRest && all.length > 0 && all.every(({ settings }) => settings[field] !== undefined),
    ).map((field) => [field, first.routes.find(({ match }) => !match)?.settings[field] ?? all[0]?.settings[field]]),
  )
  const taken = new Set<string>()
  const routes = groups.flatMap(({ ports, routes }) =>
    routes.flatMap(({ name, match, settings }): readonly Fields[] => {
      const own = Object.entries(settings).filter(
        ([field, value]) => canonicalJson(shared[field]) !== canonicalJson(value),
      )
      if (!match && own.length === 0) return []
      const free = freeName(name, taken)
      taken.add(free)
      return [present({ name: free, match: match ?? [{ path: { prefix: '/' } }], ports, ...Object.fromEntries(own) })]
    }),
  )
  return { ...shared, ...(routes.length === 0 ? {} : { routes }) }
}
