import type { PolicyRoute, TrafficSpec } from '../../model/policy/traffic.ts'
import type { ServiceSpec } from '../../model/service.ts'
import { literally, type NeutralMatch, neutralMatch, withoutSlash } from './request-match.ts'
import { redirectOf, routeSettings, splitsByMethod, UNSAFE_METHODS } from './route-settings.ts'

type Fields = Readonly<Record<string, unknown>>

/** Requests that one http route of a VirtualService handles alike, before versions are told apart. */
export interface Variant {
  /** Behind what other names begin with, `.route.api.once`; empty for what no route of the policy takes. */
  readonly suffix: string
  /** Undefined: all requests. */
  readonly matches?: readonly NeutralMatch[]
  /** Timeout, retries, fault, rewrite. */
  readonly settings: Fields
  /** Then nothing is sent to any version. */
  readonly redirect?: Fields
  readonly mirror?: TrafficSpec['mirror']
}

/** A port's requests in the order in which routes are tried: those of the policy's routes, then all others. */
export function variantsOf(traffic: TrafficSpec | undefined, port: ServiceSpec['ports'][number]): readonly Variant[] {
  const routes = (traffic?.routes ?? []).filter(({ ports }) => !ports || ports.includes(port.name))
  return [
    ...routes.flatMap((route) => ofRoute(traffic, route, port)),
    ...byMethod({ traffic, route: undefined, port, suffix: '', matches: undefined, rewrite: {} }),
  ]
}

interface Part {
  readonly traffic: TrafficSpec | undefined
  readonly route: PolicyRoute | undefined
  readonly port: ServiceSpec['ports'][number]
  readonly suffix: string
  readonly matches: readonly NeutralMatch[] | undefined
  readonly rewrite: Fields
}

function ofRoute(
  traffic: TrafficSpec | undefined,
  route: PolicyRoute,
  port: ServiceSpec['ports'][number],
): readonly Variant[] {
  const suffix = `.route.${route.name}`
  const matches = route.match.map(neutralMatch)
  if (route.redirect) return [{ suffix, matches, settings: {}, redirect: redirectOf(route.redirect) }]
  const groups = byRewrite(route, matches)
  return groups.flatMap(([rewrite, matches], index) => {
    const part = { traffic, route, port, matches, rewrite }
    return byMethod({ ...part, suffix: index === 0 ? suffix : `${suffix}.${index + 1}` })
  })
}

/** Requests that may not be done twice come first, with retries of their own. */
function byMethod({ traffic, route, port, suffix, matches, rewrite }: Part): readonly Variant[] {
  const mirror = route?.mirror ?? traffic?.mirror
  const variant = (unsafe: boolean, of: readonly NeutralMatch[] | undefined): Variant => ({
    suffix: unsafe ? `${suffix}.once` : suffix,
    ...(of ? { matches: of } : {}),
    settings: { ...rewrite, ...routeSettings(traffic, route, port.protocol, unsafe) },
    ...(mirror ? { mirror } : {}),
  })
  if (!splitsByMethod(route?.retries ?? traffic?.retries, port.protocol)) return [variant(false, matches)]
  const isUnsafe = (method: (typeof UNSAFE_METHODS)[number]) => UNSAFE_METHODS.includes(method)
  const unsafe = (matches ?? [{}]).flatMap((match): NeutralMatch[] => {
    const methods = match.methods?.filter(isUnsafe) ?? UNSAFE_METHODS
    return methods.length === 0 ? [] : [{ ...match, methods: [...methods] }]
  })
  const others = matches?.filter(({ methods }) => !methods?.every(isUnsafe))
  return [
    ...(unsafe.length === 0 ? [] : [variant(true, unsafe)]),
    ...(others?.length === 0 ? [] : [variant(false, others)]),
  ]
}

/**
 * Matches by what becomes of the path: with a prefix the prefix alone is replaced. Istio's own rewrite of a prefix knows no
 * segments and takes "/" where there is none, so all are written as patterns.
 */
function byRewrite(
  { rewrite, match }: PolicyRoute,
  matches: readonly NeutralMatch[],
): readonly (readonly [Fields, readonly NeutralMatch[]])[] {
  if (!rewrite) return [[{}, matches]]
  const authority = rewrite.host === undefined ? {} : { authority: rewrite.host }
  const { path } = rewrite
  if (path === undefined) return [[{ rewrite: authority }, matches]]
  const groups = new Map<string, readonly [Fields, NeutralMatch[]]>()
  for (const [index, { path: from }] of match.entries()) {
    const prefix = from && 'prefix' in from ? from.prefix : undefined
    const one = matches[index] ?? {}
    const key = prefix ?? ''
    const known = groups.get(key)
    if (known) known[1].push(one)
    else groups.set(key, [{ rewrite: { ...authority, uriRegexRewrite: pathRewrite(prefix, path) } }, [one]])
  }
  return [...groups.values()]
}

function pathRewrite(prefix: string | undefined, path: string): Fields {
  if (prefix === undefined) return { match: '^/.*$', rewrite: path }
  const [from, to] = [withoutSlash(prefix), withoutSlash(path)]
  // Of "/a/b" to "/" the slash before "b" stays, and "/a" alone becomes "/".
  if (to === '' || from === '') return { match: `^${literally(from)}/?`, rewrite: `${to}/` }
  return { match: `^${literally(from)}`, rewrite: to }
}
