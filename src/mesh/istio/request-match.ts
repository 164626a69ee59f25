import type { RouteMatch } from '../../model/route-match.ts'

/** A match of a VirtualService's http route: all its parts must fit. */
export type RequestMatch = Readonly<Record<string, unknown>>

/** The matches for which a request fits one of `matches`, on a port or on any. */
export function requestMatches(matches: readonly RouteMatch[], port: number | undefined): readonly RequestMatch[] {
  const onPort = port === undefined ? {} : { port }
  return matches.flatMap(({ headers, cookie, path }) => {
    const named = { ...headers, ...(cookie ? { cookie: cookieMatch(cookie.name, cookie.value) } : {}) }
    const rest = { ...(Object.keys(named).length === 0 ? {} : { headers: named }), ...onPort }
    return path === undefined ? [rest] : uriMatches(path).map((uri) => ({ uri, ...rest }))
  })
}

/**
 * Does the header `cookie` hold this cookie, with this value or any? RE2, fitted to the whole header (RFC 6265 §4.2.1:
 * pairs parted by `; `).
 */
export function cookieMatch(name: string, value: string | undefined): { readonly regex: string } {
  const pair = `${literally(name)}=${value === undefined ? '[^;]*' : literally(value)}`
  return { regex: `(.*;\\s*)?${pair}(\\s*;.*)?` }
}

/** Istio's own prefix is one of characters: `/a` would fit `/ab`. */
function uriMatches(path: NonNullable<RouteMatch['path']>): readonly RequestMatch[] {
  if (!('prefix' in path)) return [path]
  const segments = path.prefix.replace(/\/+$/, '')
  return segments === '' ? [{ prefix: '/' }] : [{ exact: segments }, { prefix: `${segments}/` }]
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
