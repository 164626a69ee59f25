import type { RequestMatch as PolicyMatch } from '../../model/policy/request-match.ts'
import type { RouteMatch, TextMatch } from '../../model/route-match.ts'

/** Which requests are meant, of the policy or of a rollout: all the given parts must fit. */
export interface NeutralMatch {
  readonly path?: RouteMatch['path'] | undefined
  readonly methods?: PolicyMatch['methods'] | undefined
  readonly headers?: Readonly<Record<string, TextMatch>> | undefined
  /** All of these; two at most. */
  readonly cookies?: readonly NamedCookie[] | undefined
  readonly query?: Readonly<Record<string, TextMatch>> | undefined
}
interface NamedCookie {
  readonly name: string
  /** Any when left out. */
  readonly value?: string | undefined
}

/** A match of a VirtualService's http route: all its parts must fit. */
export type RequestMatch = Readonly<Record<string, unknown>>

/** A match of the policy or of a rollout, in the one form. */
export function neutralMatch({ cookie, ...rest }: PolicyMatch | RouteMatch): NeutralMatch {
  return { ...rest, ...(cookie ? { cookies: [cookie] } : {}) }
}

/** The matches for which a request fits one of `matches`, on a port or on any. */
export function requestMatches(matches: readonly NeutralMatch[], port: number | undefined): readonly RequestMatch[] {
  const onPort = port === undefined ? {} : { port }
  return matches.flatMap(({ headers, cookies, path, methods, query }) => {
    const named = { ...headers, ...(cookies ? { cookie: cookiesMatch(cookies) } : {}) }
    const rest = {
      ...(Object.keys(named).length === 0 ? {} : { headers: named }),
      ...(methods ? { method: methodMatch(methods) } : {}),
      ...(query ? { queryParams: query } : {}),
      ...onPort,
    }
    return path === undefined ? [rest] : uriMatches(path).map((uri) => ({ uri, ...rest }))
  })
}

/**
 * Does the header `cookie` hold these cookies, each with its value or any? RE2, fitted to the whole header (RFC 6265 §4.2.1:
 * pairs parted by `; `).
 */
export function cookiesMatch(cookies: readonly NamedCookie[]): { readonly regex: string } {
  const [first = '', second] = cookies.map(({ name, value }) => {
    return `${literally(name)}=${value === undefined ? '[^;]*' : literally(value)}`
  })
  const between = '\\s*;(.*;)?\\s*'
  const pairs = second === undefined ? first : `(${first}${between}${second}|${second}${between}${first})`
  return { regex: `(.*;\\s*)?${pairs}(\\s*;.*)?` }
}

function methodMatch(methods: readonly string[]): Readonly<Record<string, string>> {
  const [first, ...more] = methods
  return more.length === 0 ? { exact: first ?? '' } : { regex: methods.join('|') }
}

/** Istio's own prefix is one of characters: `/a` would fit `/ab`. */
function uriMatches(path: NonNullable<RouteMatch['path']>): readonly RequestMatch[] {
  if (!('prefix' in path)) return [path]
  const segments = withoutSlash(path.prefix)
  return segments === '' ? [{ prefix: '/' }] : [{ exact: segments }, { prefix: `${segments}/` }]
}

/** `/a` of `/a/`, nothing of `/`. */
export function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '')
}

/** A text as a regular expression of itself. */
export function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
