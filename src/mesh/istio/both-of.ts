import type { RouteMatch, TextMatch } from '../../model/route-match.ts'
import { type NeutralMatch, withoutSlash } from './request-match.ts'

/** `none`: no request can fit both. `unsayable`: two patterns for one thing, which Istio has no words for. */
export type Both<T> = T | 'none' | 'unsayable'

/** The match that a request fits when it fits both. */
export function bothOf(a: NeutralMatch, b: NeutralMatch): Both<NeutralMatch> {
  const path = either(a.path, b.path, bothPaths)
  const methods = either(a.methods, b.methods, bothMethods)
  const headers = either(a.headers, b.headers, bothRecords)
  const query = either(a.query, b.query, bothRecords)
  const cookies = either(a.cookies, b.cookies, bothCookies)
  const parts = [path, methods, headers, query, cookies]
  if (parts.includes('none')) return 'none'
  if (parts.includes('unsayable')) return 'unsayable'
  const all = Object.entries({ path, methods, headers, query, cookies }).filter(([, part]) => part !== undefined)
  return Object.fromEntries(all) as NeutralMatch
}

function either<T>(
  a: T | undefined,
  b: T | undefined,
  both: (a: NonNullable<T>, b: NonNullable<T>) => Both<T>,
): Both<T> | undefined {
  if (a === undefined || a === null) return b
  return b === undefined || b === null ? a : both(a, b)
}

type PathMatch = NonNullable<RouteMatch['path']>

function bothPaths(a: PathMatch, b: PathMatch): Both<PathMatch> {
  if ('exact' in b && !('exact' in a)) return bothPaths(b, a)
  if ('exact' in a) {
    const fits =
      'prefix' in b
        ? `${a.exact}/`.startsWith(`${withoutSlash(b.prefix)}/`)
        : 'exact' in b
          ? a.exact === b.exact
          : wholly(b.regex, a.exact)
    return fits ? a : 'none'
  }
  if ('prefix' in a && 'prefix' in b) {
    const [longer, shorter] = a.prefix.length >= b.prefix.length ? [a, b] : [b, a]
    return `${withoutSlash(longer.prefix)}/`.startsWith(`${withoutSlash(shorter.prefix)}/`) ? longer : 'none'
  }
  return 'regex' in a && 'regex' in b && a.regex === b.regex ? a : 'unsayable'
}

function bothTexts(a: TextMatch, b: TextMatch): Both<TextMatch> {
  if ('exact' in b && !('exact' in a)) return bothTexts(b, a)
  if ('exact' in a) {
    const fits =
      'prefix' in b ? a.exact.startsWith(b.prefix) : 'exact' in b ? a.exact === b.exact : wholly(b.regex, a.exact)
    return fits ? a : 'none'
  }
  if ('prefix' in a && 'prefix' in b) {
    const [longer, shorter] = a.prefix.length >= b.prefix.length ? [a, b] : [b, a]
    return longer.prefix.startsWith(shorter.prefix) ? longer : 'none'
  }
  return 'regex' in a && 'regex' in b && a.regex === b.regex ? a : 'unsayable'
}

type Texts = Readonly<Record<string, TextMatch>>

function bothRecords(a: Texts, b: Texts): Both<Texts> {
  const all: Record<string, TextMatch> = { ...a }
  for (const [name, match] of Object.entries(b)) {
    const there = all[name]
    const both = there === undefined ? match : bothTexts(there, match)
    if (typeof both === 'string') return both
    all[name] = both
  }
  return all
}

function bothMethods(
  a: NonNullable<NeutralMatch['methods']>,
  b: NonNullable<NeutralMatch['methods']>,
): Both<NonNullable<NeutralMatch['methods']>> {
  const both = a.filter((method) => b.includes(method))
  return both.length === 0 ? 'none' : both
}

type Cookies = NonNullable<NeutralMatch['cookies']>

function bothCookies(a: Cookies, b: Cookies): Both<Cookies> {
  const all = [...a]
  for (const cookie of b) {
    const index = all.findIndex(({ name }) => name === cookie.name)
    const there = all[index]
    if (!there) all.push(cookie)
    else if (there.value === undefined) all[index] = cookie
    else if (cookie.value !== undefined && cookie.value !== there.value) return 'none'
  }
  return all.length > 2 ? 'unsayable' : all
}

/** The schema takes only patterns that RE2 and JavaScript read alike. */
function wholly(regex: string, text: string): boolean {
  return new RegExp(`^(?:${regex})$`).test(text)
}
