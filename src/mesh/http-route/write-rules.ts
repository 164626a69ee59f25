import type { DraftRule } from './build-rules.ts'
import { type HttpMatch, pathProblem } from './http-match.ts'
import type { Rule } from './rule.ts'
import type { FieldError } from './sections.ts'

type Written = { readonly rules: readonly Rule[]; readonly errors: readonly FieldError[] }

/** Most rules of a route, matches of a rule, matches of all rules, and values in one match: what the API takes. */
const MOST = { rules: 16, matches: 64, all: 128, values: 16, grpcMatches: 8 } as const

/** Rules of an HTTPRoute, or what the API does not take. */
export function httpRules(drafts: readonly DraftRule[]): Written {
  const errors = [...sizeErrors(drafts, MOST.matches), ...drafts.flatMap(({ matches }) => matches.flatMap(matchErrors))]
  return { rules: drafts.map(({ matches, rest }) => ({ matches, ...rest })), errors }
}

/** Rules of a GRPCRoute: services and methods in place of paths. */
export function grpcRules(drafts: readonly DraftRule[]): Written {
  const errors: FieldError[] = [...sizeErrors(drafts, MOST.grpcMatches)]
  const rules = drafts.map(({ matches, rest }) => {
    if (rest.filters?.some(({ type }) => type !== 'RequestMirror'))
      errors.push({ pointer: '/traffic/routes', reason: 'a gRPC call can be neither redirected nor rewritten' })
    const written = matches.map((match) => {
      const found = grpcMatch(match)
      if (typeof found !== 'string') return found
      errors.push({ pointer: '/traffic/routes', reason: found })
      return {}
    })
    // What takes every call has no match at all.
    const isAll = written.every((match) => Object.keys(match).length === 0)
    return { ...(isAll ? {} : { matches: written }), ...rest }
  })
  return { rules, errors }
}

function grpcMatch({ path, method, headers, queryParams }: HttpMatch): Readonly<Record<string, unknown>> | string {
  if (method !== undefined && method !== 'POST') return `a gRPC call is never a ${method}`
  if (queryParams) return 'a gRPC call has no query'
  const named = headers ? { headers } : {}
  if (path.type === 'PathPrefix' && path.value === '/') return named
  const [, service, call, ...more] = path.value.split('/')
  const isWhole = path.type === 'Exact' ? call !== undefined : path.type === 'PathPrefix' && call === undefined
  if (!isWhole || !service || more.length > 0 || call === '')
    return `${path.value} is neither a gRPC service (prefix /package.Service) nor a method of one (exact /package.Service/Method)`
  const to = call === undefined ? { service } : { service, method: call }
  return { method: { type: 'Exact', ...to }, ...named }
}

function sizeErrors(drafts: readonly DraftRule[], most: number): readonly FieldError[] {
  const errors: FieldError[] = []
  const pointer = '/traffic/routes'
  if (drafts.length > MOST.rules)
    errors.push({ pointer, reason: `come to ${drafts.length} rules; a route takes ${MOST.rules}` })
  const counts = drafts.map(({ matches }) => matches.length)
  const [largest, all] = [Math.max(0, ...counts), counts.reduce((sum, count) => sum + count, 0)]
  if (largest > most) errors.push({ pointer, reason: `come to ${largest} matches in a rule, which takes ${most}` })
  if (all > MOST.all) errors.push({ pointer, reason: `come to ${all} matches; a route takes ${MOST.all}` })
  return errors
}

function matchErrors({ path, headers = [], queryParams = [] }: HttpMatch): readonly FieldError[] {
  const pointer = '/traffic/routes'
  const problem = pathProblem(path)
  const many = [headers, queryParams].some((values) => values.length > MOST.values)
  return [
    ...(problem === undefined ? [] : [{ pointer, reason: problem }]),
    ...(many ? [{ pointer, reason: `a match takes ${MOST.values} headers, the cookie among them` }] : []),
  ]
}
