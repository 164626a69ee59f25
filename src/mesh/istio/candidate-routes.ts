import type { Affinity, CandidateRoutes } from '../../model/desired-traffic.ts'
import { bothOf } from './both-of.ts'
import { type NeutralMatch, neutralMatch, requestMatches } from './request-match.ts'
import { type Destination, type HttpRoute, SIDE_ROUTE_NAMES } from './route.ts'
import type { Variant } from './variants.ts'

/** The port that routes are for: how its destinations are written. */
export interface RoutedPort {
  /** Absent: the service has no other port. */
  readonly port?: { readonly name: string; readonly port: number }
  destination(version: string): Destination['destination']
}

/** The routes that take requests to the candidate before the variant's own route splits the rest. */
export function candidateRoutes(
  candidate: CandidateRoutes | undefined,
  to: RoutedPort,
  variant: Variant,
): readonly HttpRoute[] {
  if (!candidate) return []
  const { version, match, affinity } = candidate
  const suffix = `${to.port === undefined ? '' : `.${to.port.name}`}${variant.suffix}`
  const route = [{ destination: to.destination(version) }]
  const side = (kind: keyof typeof SIDE_ROUTE_NAMES, asked: readonly NeutralMatch[]): readonly HttpRoute[] => {
    const matches = within(variant, asked)
    if (matches.length === 0) return []
    const fits = requestMatches(matches, to.port?.port)
    return [{ name: SIDE_ROUTE_NAMES[kind] + suffix, match: fits, route, ...variant.settings }]
  }
  return [
    ...(match ? side('match', match.map(neutralMatch)) : []),
    ...(affinity ? side('affinity', [{ cookies: [{ name: affinity.cookie, value: affinity.value }] }]) : []),
  ]
}

/** What of the asked requests the variant takes. Renders are refused before, where Istio has no words for it. */
function within({ matches }: Variant, asked: readonly NeutralMatch[]): readonly NeutralMatch[] {
  if (!matches) return asked
  return asked.flatMap((one) =>
    matches.flatMap((match) => {
      const both = bothOf(one, match)
      return typeof both === 'string' ? [] : [both]
    }),
  )
}

/**
 * What a route copies. A rollout's copies are written as `mirror`, those of the policy as `mirrors`; with both, the rollout's
 * stands first in the list. So they can be told apart in what is live.
 */
export function mirrorsOf(
  candidate: CandidateRoutes | undefined,
  to: RoutedPort,
  { mirror }: Variant,
): Readonly<Record<string, unknown>> {
  const asked = candidate?.mirror === undefined ? undefined : { version: candidate.version, percent: candidate.mirror }
  if (!mirror) {
    if (!asked) return {}
    return { mirror: to.destination(asked.version), mirrorPercentage: { value: asked.percent } }
  }
  const all = [...(asked ? [asked] : []), mirror]
  const mirrors = all.map(({ version, percent }) => ({
    destination: to.destination(version),
    percentage: { value: percent },
  }))
  return { mirrors }
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
