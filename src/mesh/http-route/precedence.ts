import { bothMatches } from './both-matches.ts'
import type { HttpMatch, PathMatch } from './http-match.ts'

/**
 * How a data plane chooses among rules that fit a request: not by their order. `standard`, as the Gateway API says: exact
 * paths, then the longer prefix, then a method, more headers, more parameters. `linkerd`, as its proxy does: the longer
 * part of the path, exact or not, then more headers, more parameters, a method. Equals: the first.
 */
export type Precedence = 'standard' | 'linkerd'

/** Is there a request that fits both and that `later` would take from `earlier`? In doubt, yes. */
export function mayOvertake(later: HttpMatch, earlier: HttpMatch, precedence: Precedence): boolean {
  if (bothMatches(later, earlier) === 'none') return false
  const path = comparePaths(later.path, earlier.path, precedence)
  if (path === 'longer') return true
  if (path === 'shorter') return false
  const [a, b] = [restOf(later, precedence), restOf(earlier, precedence)]
  const index = a.findIndex((count, at) => count !== b[at])
  return index >= 0 && (a[index] ?? 0) > (b[index] ?? 0)
}

/** `longer`: the first may win by its path; `shorter`: it never does, and never draws; `equal`: it may draw. */
function comparePaths(a: PathMatch, b: PathMatch, precedence: Precedence): 'longer' | 'shorter' | 'equal' {
  if (a.type === 'PathPrefix' && b.type === 'PathPrefix') return byLength(a.value.length - b.value.length)
  if (a.type === 'Exact' && b.type === 'Exact') return 'equal'
  if (precedence === 'standard') {
    if (a.type === 'RegularExpression' || b.type === 'RegularExpression') return 'longer'
    return a.type === 'Exact' ? 'longer' : 'shorter'
  }
  if (a.type === 'PathPrefix') return b.type === 'Exact' && b.value !== a.value ? 'shorter' : 'equal'
  if (b.type === 'PathPrefix') return a.type === 'Exact' && a.value === b.value ? 'equal' : 'longer'
  return 'equal'
}

function byLength(difference: number): 'longer' | 'shorter' | 'equal' {
  return difference > 0 ? 'longer' : difference < 0 ? 'shorter' : 'equal'
}

function restOf({ method, headers = [], queryParams = [] }: HttpMatch, precedence: Precedence): readonly number[] {
  const hasMethod = method === undefined ? 0 : 1
  const counts = [headers.length, queryParams.length]
  return precedence === 'standard' ? [hasMethod, ...counts] : [...counts, hasMethod]
}
