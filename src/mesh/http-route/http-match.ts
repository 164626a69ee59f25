import type { RequestMatch } from '../../model/policy/request-match.ts'
import type { TextMatch } from '../../model/route-match.ts'
import { cookiesMatch, literally } from '../istio/request-match.ts'

/** Which requests a rule of an HTTPRoute takes, with the API's defaults written out: all the parts must fit. */
export interface HttpMatch {
  readonly path: PathMatch
  readonly method?: string
  readonly headers?: readonly ValueMatch[]
  readonly queryParams?: readonly ValueMatch[]
}

export interface PathMatch {
  /** A prefix is one of whole segments: `/a` takes `/a` and `/a/b`, not `/ab`. */
  readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression'
  readonly value: string
}

export interface ValueMatch {
  readonly type: 'Exact' | 'RegularExpression'
  readonly name: string
  readonly value: string
}

export const ALL_PATHS: PathMatch = { type: 'PathPrefix', value: '/' }

/** The matches for which a request fits one of `matches`: one for each method of each. */
export function httpMatches(matches: readonly RequestMatch[]): readonly HttpMatch[] {
  return matches.flatMap(({ path, methods, headers, cookie, query }) => {
    const named = { ...headers, ...(cookie ? { cookie: cookiesMatch([cookie]) } : {}) }
    const match = {
      path: path ? pathMatch(path) : ALL_PATHS,
      ...(Object.keys(named).length === 0 ? {} : { headers: valueMatches(named) }),
      ...(query ? { queryParams: valueMatches(query) } : {}),
    }
    return methods ? methods.map((method) => ({ ...match, method })) : [match]
  })
}

function pathMatch(path: NonNullable<RequestMatch['path']>): PathMatch {
  if ('exact' in path) return { type: 'Exact', value: path.exact }
  if ('regex' in path) return { type: 'RegularExpression', value: path.regex }
  return prefixMatch(path.prefix)
}

/** A slash at its end adds nothing to a prefix of whole segments. */
export function prefixMatch(prefix: string): PathMatch {
  return { type: 'PathPrefix', value: prefix.replace(/\/+$/, '') || '/' }
}

/** In the order of names, for the API keeps them as a map. There is no prefix: it becomes a regular expression. */
function valueMatches(values: Readonly<Record<string, TextMatch>>): readonly ValueMatch[] {
  return Object.keys(values)
    .sort()
    .map((name) => {
      const value = values[name] as TextMatch
      if ('exact' in value) return { type: 'Exact', name, value: value.exact }
      const regex = 'regex' in value ? value.regex : `${literally(value.prefix)}.*`
      return { type: 'RegularExpression', name, value: regex }
    })
}

/** Does a path lie at or below a prefix of whole segments? */
export function isWithin(path: string, prefix: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`)
}

/** A pattern of a match, fitted to a whole value. Patterns are such as JavaScript and RE2 read alike. */
export function fitsPattern(pattern: string, value: string): boolean {
  return new RegExp(`^(?:${pattern})$`, 's').test(value)
}

/** What the API takes in an exact path or a prefix, beside characters that paths cannot hold. */
export function pathProblem({ type, value }: PathMatch): string | undefined {
  if (type === 'RegularExpression') return undefined
  if (!/^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/.test(value))
    return `${value} holds characters that no path has`
  if (/\/\/|\/\.\.?(\/|$)|%2f/i.test(value)) return `${value} holds "//", "/.", "/.." or "%2f"`
  return undefined
}
