import type { PolicyRoute, RewriteSpec } from '../../model/policy/traffic.ts'
import type { RenderInput } from '../provider.ts'
import { bothMatches } from './both-matches.ts'
import { type HttpMatch, httpMatches, isWithin, prefixMatch } from './http-match.ts'

/** One field of the service, or of the rollout, that stands in the way. */
export interface FieldError {
  readonly pointer: string
  readonly reason: string
}

/** Which requests a route is for. */
export interface RouteScope {
  /** Name of the port. */
  readonly port: string
  /** The path at or below which requests come, `/` for all. */
  readonly base: string
  /** Longer paths of the same host that lead elsewhere. */
  readonly without: readonly string[]
}

/** A part of the requests that is handled alike: a route of the policy, or all the rest. */
export interface Section {
  /** Absent: the rest. */
  readonly route?: PolicyRoute
  readonly pointer: string
  readonly matches: readonly SectionMatch[]
}

export interface SectionMatch {
  readonly match: HttpMatch
  /** What the path is rewritten to, where the route asks for it. */
  readonly path?: { readonly full: string } | { readonly prefix: string }
}

/** The routes of the policy for a port in their order, then the rest; and what cannot be written as matches. */
export function sectionsOf(
  { policy }: RenderInput,
  scope: RouteScope,
): { readonly sections: readonly Section[]; readonly errors: readonly FieldError[] } {
  const errors: FieldError[] = []
  const routes = (policy.traffic?.routes ?? []).flatMap((route, index): readonly Section[] => {
    if (route.ports && !route.ports.includes(scope.port)) return []
    const pointer = `/traffic/routes/${index}`
    const matches = route.match.flatMap((asked, at) =>
      httpMatches([asked]).flatMap((match): readonly SectionMatch[] => {
        const found = inScope(match, scope)
        if (found === 'none') return []
        if (found !== 'unclear') return [withRewrite(found, match, route.rewrite)]
        errors.push({ pointer: `${pointer}/match/${at}`, reason: 'cannot stand beside the path of an exposure' })
        return []
      }),
    )
    return matches.length === 0 ? [] : [{ route, pointer, matches }]
  })
  const rest: Section = { pointer: '/traffic', matches: [{ match: { path: prefixMatch(scope.base) } }] }
  return { sections: [...routes, rest], errors }
}

function inScope(match: HttpMatch, { base, without }: RouteScope): HttpMatch | 'none' | 'unclear' {
  const found = bothMatches(match, { path: prefixMatch(base) })
  if (typeof found === 'string') return found
  const { type, value } = found.path
  if (type === 'RegularExpression') return without.length > 0 ? 'unclear' : found
  return without.some((other) => isWithin(value, other)) ? 'none' : found
}

/** The path in place of the whole one, or of the prefix where the route matches by prefix. */
function withRewrite(match: HttpMatch, asked: HttpMatch, rewrite: RewriteSpec | undefined): SectionMatch {
  if (rewrite?.path === undefined) return { match }
  return { match, path: rewritten(match, asked, rewrite.path) }
}

/** As rewriting `asked` to `to` shows on `match`, which takes a part of its requests. */
function rewritten(match: HttpMatch, asked: HttpMatch, to: string): NonNullable<SectionMatch['path']> {
  const isPrefix = asked.path.type === 'PathPrefix' && asked.path.value !== '/'
  if (!isPrefix) return { full: to }
  const beyond = match.path.value.slice(asked.path.value.length)
  const path = beyond === '' ? to : `${to.replace(/\/+$/, '')}${beyond}`
  return match.path.type === 'PathPrefix' ? { prefix: path } : { full: path }
}

/** The part of a section's requests that also fits `other`. */
export function narrowed({ route, ...section }: Section, other: HttpMatch): readonly (SectionMatch | 'unclear')[] {
  return section.matches.flatMap((own): readonly (SectionMatch | 'unclear')[] => {
    const both = bothMatches(own.match, other)
    if (both === 'none') return []
    if (both === 'unclear') return [both]
    if (!own.path || 'full' in own.path) return [{ ...own, match: both }]
    const beyond = both.path.value.slice(own.match.path.value.length)
    const path = beyond === '' ? own.path.prefix : `${own.path.prefix.replace(/\/+$/, '')}${beyond}`
    return [{ match: both, path: both.path.type === 'PathPrefix' ? { prefix: path } : { full: path } }]
  })
}
