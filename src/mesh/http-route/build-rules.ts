import { canonicalJson } from '../../model/digest.ts'
import { durationMs } from '../../model/names.ts'
import type { MirrorSpec, RedirectSpec } from '../../model/policy/traffic.ts'
import type { RenderInput } from '../provider.ts'
import { versionServiceNames } from '../version-services.ts'
import { type HttpMatch, httpMatches } from './http-match.ts'
import { mayOvertake, type Precedence } from './precedence.ts'
import { type BackendRef, type Filter, SIDE_WEIGHT } from './rule.ts'
import { type FieldError, narrowed, type RouteScope, type Section, type SectionMatch, sectionsOf } from './sections.ts'

/** What a route is for, and what the data plane makes of it. */
export interface RuleOptions extends Omit<RouteScope, 'port'> {
  readonly port: { readonly name: string; readonly port: number }
  readonly precedence: Precedence
  /** Timeouts are not a rule's affair here. */
  readonly noTimeouts?: boolean
}

/** A rule as it is put together: its matches are not yet written as the kind of route wants them. */
export interface DraftRule {
  readonly matches: readonly HttpMatch[]
  readonly rest: RuleRest
}

/** A rule without its matches. */
export interface RuleRest {
  readonly filters?: readonly Filter[]
  readonly backendRefs?: readonly BackendRef[]
  readonly timeouts?: { readonly request: string }
}

/** The rules of a route, in the order of the policy, or what stands in the way. */
export function draftRules(
  input: RenderInput,
  options: RuleOptions,
): { readonly rules: readonly DraftRule[]; readonly errors: readonly FieldError[] } {
  const { sections, errors } = sectionsOf(input, { ...options, port: options.port.name })
  const parts = sections.flatMap((section) => partsOf(input, options, section))
  const unclear = parts.flatMap((part) => ('error' in part ? [part.error] : []))
  const pieces = parts.flatMap((part) => ('error' in part ? [] : [part]))
  return { rules: grouped(pieces), errors: [...errors, ...unclear, ...overtaken(pieces, options.precedence)] }
}

/** One match with what becomes of the requests that fit it. */
interface Piece {
  readonly section: Section
  /** It sends to the candidate all that fits. */
  readonly isSide: boolean
  readonly match: HttpMatch
  readonly rest: RuleRest
}

function partsOf(
  input: RenderInput,
  options: RuleOptions,
  section: Section,
): readonly (Piece | { error: FieldError })[] {
  const { candidate } = input
  const rest = restOf(input, options, section)
  const own = section.matches.map((one) => pieceOf(section, false, one, rest.split))
  const wanted = httpMatches(candidate?.match ?? [])
  const side = wanted.flatMap((match) => narrowed(section, match))
  return [
    ...side.map((one) => {
      if (one !== 'unclear') return pieceOf(section, rest.side !== rest.split, one, rest.side)
      const reason = `cannot be told apart from ${section.pointer}: one value by two regular expressions`
      return { error: { pointer: '/match', reason } }
    }),
    ...own,
  ]
}

function pieceOf(section: Section, isSide: boolean, { match, path }: SectionMatch, rest: RuleRest): Piece {
  const host = section.route?.rewrite?.host
  if (path === undefined && host === undefined) return { section, isSide, match, rest }
  const urlRewrite = {
    ...(host === undefined ? {} : { hostname: host }),
    ...(path === undefined ? {} : { path: replaced(path) }),
  }
  const filters = [{ type: 'URLRewrite', urlRewrite }, ...(rest.filters ?? [])]
  return { section, isSide, match, rest: { ...rest, filters } }
}

function replaced(path: NonNullable<SectionMatch['path']>): Readonly<Record<string, string>> {
  if ('full' in path) return { type: 'ReplaceFullPath', replaceFullPath: path.full }
  return { type: 'ReplacePrefixMatch', replacePrefixMatch: path.prefix }
}

/** What becomes of a section's requests, and of those among them that the candidate alone gets. */
function restOf(
  input: RenderInput,
  options: RuleOptions,
  { route }: Section,
): { readonly split: RuleRest; readonly side: RuleRest } {
  const { weights, candidate, policy } = input
  if (route?.redirect) {
    const rest = { filters: [redirectFilter(route.redirect)] }
    return { split: rest, side: rest }
  }
  const services = versionServiceNames(input)
  const to = (version: string): Omit<BackendRef, 'weight'> & { name: string } => ({
    group: '',
    kind: 'Service',
    name: services[version] ?? '',
    port: options.port.port,
  })
  const timeout = route?.timeout ?? policy.traffic?.timeout
  const timeouts =
    timeout === undefined || options.noTimeouts ? {} : { timeouts: { request: gatewayDuration(durationMs(timeout)) } }
  const asked = route?.mirror ?? policy.traffic?.mirror
  const copies = candidate?.mirror === undefined ? [] : [{ version: candidate.version, percent: candidate.mirror }]
  const mirrors = asked ? [mirrorFilter(asked, to)] : []
  const all = [...mirrors, ...copies.map((mirror) => mirrorFilter(mirror, to))]
  const backendRefs = Object.keys(weights)
    .sort()
    .map((version) => ({ ...to(version), weight: weights[version] ?? 0 }))
  const withFilters = (filters: readonly Filter[]) => (filters.length === 0 ? {} : { filters })
  const alone = candidate ? [{ ...to(candidate.version), weight: SIDE_WEIGHT }] : []
  return {
    split: { ...withFilters(all), backendRefs, ...timeouts },
    side: { ...withFilters(mirrors), backendRefs: alone, ...timeouts },
  }
}

function redirectFilter({ scheme, host, port, path, status }: RedirectSpec): Filter {
  const requestRedirect = {
    ...(scheme === undefined ? {} : { scheme }),
    ...(host === undefined ? {} : { hostname: host }),
    ...(port === undefined ? {} : { port }),
    ...(path === undefined ? {} : { path: { type: 'ReplaceFullPath', replaceFullPath: path } }),
    statusCode: status,
  }
  return { type: 'RequestRedirect', requestRedirect }
}

function mirrorFilter({ version, percent }: MirrorSpec, to: (version: string) => { readonly name: string }): Filter {
  const part = percent === 100 ? {} : { percent }
  return { type: 'RequestMirror', requestMirror: { backendRef: to(version), ...part } }
}

/** As GEP-2257 writes it: whole numbers of at most five digits. */
export function gatewayDuration(ms: number): string {
  const [seconds, rest] = [Math.floor(ms / 1000), ms % 1000]
  if (rest === 0) return `${seconds}s`
  return seconds === 0 ? `${rest}ms` : `${seconds}s${rest}ms`
}

/** Neighbours that do the same are one rule; one that replaces a prefix must stand alone. */
function grouped(pieces: readonly Piece[]): readonly DraftRule[] {
  const rules: { matches: HttpMatch[]; rest: RuleRest }[] = []
  for (const { match, rest } of pieces) {
    const last = rules.at(-1)
    const isSame = last !== undefined && canonicalJson(last.rest) === canonicalJson(rest) && !replacesPrefix(rest)
    if (isSame) last.matches.push(match)
    else rules.push({ matches: [match], rest })
  }
  return rules
}

function replacesPrefix({ filters = [] }: RuleRest): boolean {
  return filters.some((filter) => canonicalJson(filter).includes('ReplacePrefixMatch'))
}

/** Routes of which the data plane would give requests to a later one. */
function overtaken(pieces: readonly Piece[], precedence: Precedence): readonly FieldError[] {
  const found = new Map<string, FieldError>()
  for (const [index, later] of pieces.entries()) {
    for (const earlier of pieces.slice(0, index)) {
      if (isIndifferent(later, earlier)) continue
      if (!mayOvertake(later.match, earlier.match, precedence)) continue
      const name = earlier.section.route?.name
      const by = later.section.route ? `route ${later.section.route.name}` : 'requests that no route names'
      const reason = `comes before ${by}, which the mesh would prefer for some requests, for it takes the closer match: change the order, or set them apart`
      found.set(earlier.section.pointer, {
        pointer: `${earlier.section.pointer}/match`,
        reason: name ? `${name} ${reason}` : reason,
      })
    }
  }
  return [...found.values()]
}

/** Is it all the same which of the two takes a request? */
function isIndifferent(later: Piece, earlier: Piece): boolean {
  // What the candidate takes of a later section it takes of the earlier one too, by a match that is at least as close.
  if (later.section !== earlier.section) return later.isSide
  const { route, matches } = later.section
  // Each match of a section has its own part for the candidate, which is at least as close and comes first.
  return later.isSide !== earlier.isSide || route?.rewrite?.path === undefined || matches.length === 1
}
