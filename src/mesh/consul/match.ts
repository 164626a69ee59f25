import type { RequestMatch } from '../../model/policy/request-match.ts'
import type { RouteMatch, TextMatch } from '../../model/route-match.ts'

/** A match of a ServiceRouter's route: all its parts must fit. Prefixes are of characters. */
export interface HttpMatch {
  readonly pathExact?: string
  readonly pathPrefix?: string
  readonly pathRegex?: string
  readonly header?: readonly Named[]
  readonly queryParam?: readonly Named[]
  readonly methods?: readonly string[]
}
type Named = Readonly<Record<string, string>>

/** Requests that a route takes, and what becomes of their path. */
export interface Way {
  readonly match: HttpMatch
  /** In place of the path, or of the prefix that the match names. */
  readonly prefixRewrite?: string
}

/**
 * The header as routes for clients that had the candidate before write it. Proxies read names of headers whatever their case;
 * the case tells these routes from those of a rollout's match, which write `cookie`.
 */
export const AFFINITY_HEADER = 'Cookie'

/** The ways of which one fits when a request fits the match. */
export function waysOf(match: RequestMatch | RouteMatch, rewrite?: string): readonly Way[] {
  const { path, headers, cookie } = match
  const { methods, query } = match as RequestMatch
  const header = [
    ...Object.entries(headers ?? {}).map(([name, value]) => ({ name, ...value })),
    ...(cookie ? [cookieHeader('cookie', cookie.name, cookie.value)] : []),
  ]
  const queryParam = Object.entries(query ?? {}).map(([name, value]) => ({ name, ...withoutPrefix(value) }))
  const rest = {
    ...(header.length === 0 ? {} : { header }),
    ...(queryParam.length === 0 ? {} : { queryParam }),
    ...(methods ? { methods } : {}),
  }
  return pathWays(path, rewrite).map((way) => ({ ...way, match: { ...way.match, ...rest } }))
}

/** A match of the header in which clients send cookies: RE2, fitted to the whole header (RFC 6265 §4.2.1). */
export function cookieHeader(header: string, name: string, value: string | undefined): Named {
  const pair = `${literally(name)}=${value === undefined ? '[^;]*' : literally(value)}`
  return { name: header, regex: `(.*;\\s*)?${pair}(\\s*;.*)?` }
}

function pathWays(path: RouteMatch['path'], rewrite: string | undefined): readonly Way[] {
  const to = rewrite === undefined ? {} : { prefixRewrite: rewrite }
  if (path === undefined) return [{ match: {}, ...to }]
  if ('exact' in path) return [{ match: { pathExact: path.exact }, ...to }]
  if ('regex' in path) return [{ match: { pathRegex: path.regex }, ...to }]
  const segments = path.prefix.replace(/\/+$/, '')
  const below = rewrite === undefined ? {} : { prefixRewrite: `${rewrite.replace(/\/+$/, '')}/` }
  if (segments === '' && rewrite === undefined) return [{ match: {} }]
  const whole = segments === '' ? '/' : segments
  return [
    { match: { pathExact: whole }, ...to },
    { match: { pathPrefix: `${segments}/` }, ...below },
  ]
}

/** Consul matches no beginning of a query parameter. */
function withoutPrefix(value: TextMatch): TextMatch {
  return 'prefix' in value ? { regex: `${literally(value.prefix)}.*` } : value
}

/** The way of requests that fit both, with the first one's rewrite. `unsayable`: two patterns for one path. */
export function bothOf(a: Way, b: HttpMatch): Way | 'none' | 'unsayable' {
  const path = bothPaths(a.match, b)
  if (typeof path === 'string') return path
  const methods = bothMethods(a.match.methods, b.methods)
  if (methods?.length === 0) return 'none'
  const header = [...(a.match.header ?? []), ...(b.header ?? [])]
  const queryParam = [...(a.match.queryParam ?? []), ...(b.queryParam ?? [])]
  const match = {
    ...path,
    ...(header.length === 0 ? {} : { header }),
    ...(queryParam.length === 0 ? {} : { queryParam }),
    ...(methods ? { methods } : {}),
  }
  if (a.prefixRewrite === undefined) return { match }
  // Of a longer path than the rewrite was made for, the rest is kept.
  const rest = (path.pathExact ?? path.pathPrefix ?? '').slice((a.match.pathExact ?? a.match.pathPrefix ?? '').length)
  return { match, prefixRewrite: a.prefixRewrite + rest }
}

type PathPart = Pick<HttpMatch, 'pathExact' | 'pathPrefix' | 'pathRegex'>

function bothPaths(a: HttpMatch, b: HttpMatch): PathPart | 'none' | 'unsayable' {
  const [one, other] = [pathOf(a), pathOf(b)]
  if (Object.keys(one).length === 0) return other
  if (Object.keys(other).length === 0) return one
  if (one.pathExact !== undefined) return fitsPath(one.pathExact, other) ? one : 'none'
  if (other.pathExact !== undefined) return fitsPath(other.pathExact, one) ? other : 'none'
  if (one.pathPrefix !== undefined && other.pathPrefix !== undefined) {
    if (one.pathPrefix.startsWith(other.pathPrefix)) return one
    return other.pathPrefix.startsWith(one.pathPrefix) ? other : 'none'
  }
  return one.pathRegex !== undefined && one.pathRegex === other.pathRegex ? one : 'unsayable'
}

function pathOf({ pathExact, pathPrefix, pathRegex }: HttpMatch): PathPart {
  if (pathExact !== undefined) return { pathExact }
  if (pathPrefix !== undefined) return { pathPrefix }
  return pathRegex === undefined ? {} : { pathRegex }
}

/** The schema takes only patterns that RE2 and JavaScript read alike. */
function fitsPath(path: string, { pathExact, pathPrefix, pathRegex }: PathPart): boolean {
  if (pathExact !== undefined) return path === pathExact
  if (pathPrefix !== undefined) return path.startsWith(pathPrefix)
  return pathRegex === undefined || new RegExp(`^(?:${pathRegex})$`).test(path)
}

function bothMethods(a: HttpMatch['methods'], b: HttpMatch['methods']): HttpMatch['methods'] {
  if (!a || !b) return a ?? b
  return a.filter((method) => b.includes(method))
}

/** A text as a regular expression of itself. */
export function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
