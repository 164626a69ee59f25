import { canonicalJson } from '../../model/digest.ts'
import { fitsPattern, type HttpMatch, isWithin, type PathMatch, type ValueMatch } from './http-match.ts'

/** The match of requests that fit both; `none`: no request does; `unclear`: the API has no match for it. */
export type Both = HttpMatch | 'none' | 'unclear'

/** The requests that two matches share. */
export function bothMatches(a: HttpMatch, b: HttpMatch): Both {
  const path = bothPaths(a.path, b.path)
  const headers = bothValues(a.headers, b.headers)
  const queryParams = bothValues(a.queryParams, b.queryParams)
  if (a.method !== undefined && b.method !== undefined && a.method !== b.method) return 'none'
  if (path === 'none' || headers === 'none' || queryParams === 'none') return 'none'
  if (path === 'unclear' || headers === 'unclear' || queryParams === 'unclear') return 'unclear'
  const method = a.method ?? b.method
  return {
    path,
    ...(headers.length === 0 ? {} : { headers }),
    ...(queryParams.length === 0 ? {} : { queryParams }),
    ...(method === undefined ? {} : { method }),
  }
}

function bothPaths(a: PathMatch, b: PathMatch): PathMatch | 'none' | 'unclear' {
  if (canonicalJson(a) === canonicalJson(b)) return a
  if (isAll(a)) return b
  if (isAll(b)) return a
  if (a.type === 'RegularExpression') return b.type === 'Exact' ? ifPattern(b, a.value) : 'unclear'
  if (b.type === 'RegularExpression') return a.type === 'Exact' ? ifPattern(a, b.value) : 'unclear'
  if (a.type === 'Exact') return b.type === 'PathPrefix' && isWithin(a.value, b.value) ? a : 'none'
  if (b.type === 'Exact') return isWithin(b.value, a.value) ? b : 'none'
  if (isWithin(a.value, b.value)) return a
  return isWithin(b.value, a.value) ? b : 'none'
}

function isAll({ type, value }: PathMatch): boolean {
  return type === 'PathPrefix' && value === '/'
}

function ifPattern(exact: PathMatch, pattern: string): PathMatch | 'none' {
  return fitsPattern(pattern, exact.value) ? exact : 'none'
}

function bothValues(
  a: readonly ValueMatch[] = [],
  b: readonly ValueMatch[] = [],
): readonly ValueMatch[] | 'none' | 'unclear' {
  const all = new Map(a.map((match) => [match.name, match]))
  for (const match of b) {
    const other = all.get(match.name)
    const both = other ? bothOf(other, match) : match
    if (typeof both === 'string') return both
    all.set(match.name, both)
  }
  return [...all.values()].sort((x, y) => (x.name < y.name ? -1 : 1))
}

function bothOf(a: ValueMatch, b: ValueMatch): ValueMatch | 'none' | 'unclear' {
  if (a.type === b.type && a.value === b.value) return a
  if (a.type === 'Exact') return b.type !== 'Exact' && fitsPattern(b.value, a.value) ? a : 'none'
  if (b.type === 'Exact') return fitsPattern(a.value, b.value) ? b : 'none'
  return 'unclear'
}
