import type { Affinity, CandidateRoutes } from '../../model/desired-traffic.ts'
import { type Failure, fail } from '../../model/failure.ts'
import type { RouteMatch } from '../../model/route-match.ts'
import { cookieMatch, requestMatches } from './request-match.ts'
import { type Destination, type HttpRoute, SIDE_ROUTE_NAMES } from './route.ts'

/** The port that routes are for: how its destinations are written, and what its own route has besides them. */
export interface RoutedPort {
  /** Absent: the service has no other port. */
  readonly port?: { readonly name: string; readonly port: number }
  destination(version: string): Destination['destination']
  readonly settings: Readonly<Record<string, unknown>>
}

/** The routes that take requests to the candidate before the port's own route splits the rest. */
export function candidateRoutes(candidate: CandidateRoutes | undefined, to: RoutedPort): readonly HttpRoute[] {
  if (!candidate) return []
  const { version, match, affinity } = candidate
  const number = to.port?.port
  const suffix = to.port === undefined ? '' : `.${to.port.name}`
  const route = [{ destination: to.destination(version) }]
  const cookie = affinity && { headers: { cookie: cookieMatch(affinity.cookie, affinity.value) } }
  return [
    ...(match
      ? [{ name: SIDE_ROUTE_NAMES.match + suffix, match: requestMatches(match, number), route, ...to.settings }]
      : []),
    ...(cookie
      ? [
          {
            name: SIDE_ROUTE_NAMES.affinity + suffix,
            match: [{ ...cookie, ...(number === undefined ? {} : { port: number }) }],
            route,
            ...to.settings,
          },
        ]
      : []),
  ]
}

/** What a port's own route copies to the candidate. */
export function mirrorOf(candidate: CandidateRoutes | undefined, to: RoutedPort): Readonly<Record<string, unknown>> {
  if (candidate?.mirror === undefined) return {}
  return { mirror: to.destination(candidate.version), mirrorPercentage: { value: candidate.mirror } }
}

/** The answers of `version` set the cookie by which the next request of the same client is known. */
export function rememberedBy(
  candidate: CandidateRoutes | undefined,
  version: string,
): Readonly<Record<string, unknown>> {
  if (!candidate?.affinity || candidate.version !== version) return {}
  return { headers: { response: { add: { 'Set-Cookie': setCookie(candidate.affinity) } } } }
}

function setCookie({ cookie, value, maxAgeMs }: Affinity): string {
  const text = `${cookie}=${value}; Path=/; Max-Age=${Math.round(maxAgeMs / 1000)}; HttpOnly; SameSite=Lax`
  // Envoy reads %…% in a header as a variable; the name of a cookie may hold a per cent sign.
  return text.replaceAll('%', '%%')
}

/** A part of a match that a newer Meshwright stored and this one does not know would let more requests through: refuse. */
export function unknownMatches(candidate: CandidateRoutes | undefined): Failure | undefined {
  const known: readonly string[] = ['headers', 'cookie', 'path'] satisfies (keyof RouteMatch)[]
  const unknown = (candidate?.match ?? []).flatMap((match, index) =>
    Object.keys(match).flatMap((part) => (known.includes(part) ? [] : [`/match/${index}/${part}`])),
  )
  if (unknown.length === 0) return undefined
  return fail('UnsupportedFeature', `This version of Meshwright does not know ${unknown.join(', ')}.`, {
    errors: unknown.map((pointer) => ({ pointer, reason: 'is not known to this version' })),
    hint: 'Update Meshwright, or abort the rollout and start it without the match.',
  }).failure
}
