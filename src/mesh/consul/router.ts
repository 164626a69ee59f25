import type { CandidateRoutes } from '../../model/desired-traffic.ts'
import type { KubeObject } from '../../model/kube.ts'
import { markedMetadata } from '../marks.ts'
import type { RenderInput } from '../provider.ts'
import { AFFINITY_HEADER, bothOf, cookieHeader, type HttpMatch, type Way, waysOf } from './match.ts'
import { SERVICE_ROUTER } from './names.ts'
import { type RouteSettings, type SetWay, settle } from './route-settings.ts'

/** A route of a ServiceRouter as we write and read it. */
export interface RouterRoute {
  readonly match?: { readonly http?: HttpMatch }
  readonly destination?: Readonly<Record<string, unknown>> & { readonly serviceSubset?: string }
}

/** Requests that are handled alike, before versions are told apart. */
interface Block {
  readonly ways: readonly Way[]
  readonly settings: RouteSettings
}

/** The policy's routes in order, then all other requests; in each the candidate's come before those that are split. */
export function serviceRouter(input: RenderInput): KubeObject {
  const routes = blocksOf(input).flatMap((block) => [...candidateWays(input, block), ...plainWays(input, block)])
  return { ...SERVICE_ROUTER, metadata: markedMetadata(input), spec: { routes } }
}

/** Policy and match as they stand; the renderer refuses what `unsayableRoutes` names. */
function blocksOf({ policy }: RenderInput): readonly Block[] {
  const { traffic } = policy
  const named = (traffic?.routes ?? []).map((route) => ({
    ways: route.match.flatMap((match) => waysOf(match, route.rewrite?.path)),
    settings: { timeout: route.timeout ?? traffic?.timeout, retries: route.retries ?? traffic?.retries },
  }))
  return [...named, { ways: [{ match: {} }], settings: { timeout: traffic?.timeout, retries: traffic?.retries } }]
}

function plainWays(input: RenderInput, { ways, settings }: Block): readonly RouterRoute[] {
  return ways.flatMap((way) => settle(way, settings, protocolOf(input))).map((set) => routeOf(set))
}

function candidateWays(input: RenderInput, { ways, settings }: Block): readonly RouterRoute[] {
  const { candidate } = input
  if (!candidate) return []
  return candidateMatches(candidate)
    .flatMap((match) => ways.map((way) => bothOf(way, match)))
    .filter((way) => typeof way !== 'string')
    .flatMap((way) => settle(way, settings, protocolOf(input)))
    .map((set) => routeOf(set, candidate.version))
}

/** What goes to a candidate past the split: what matches, then whoever had it before. */
function candidateMatches({ match = [], affinity }: CandidateRoutes): readonly HttpMatch[] {
  const cookie = affinity && [cookieHeader(AFFINITY_HEADER, affinity.cookie, affinity.value)]
  return [...match.flatMap((one) => waysOf(one)).map((way) => way.match), ...(cookie ? [{ header: cookie }] : [])]
}

function routeOf({ way, fields }: SetWay, serviceSubset?: string): RouterRoute {
  const { match, prefixRewrite } = way
  const destination = {
    ...(serviceSubset === undefined ? {} : { serviceSubset }),
    ...(prefixRewrite === undefined ? {} : { prefixRewrite }),
    ...fields,
  }
  const http = Object.keys(match).length === 0 ? { pathPrefix: '/' } : match
  return { match: { http }, ...(Object.keys(destination).length === 0 ? {} : { destination }) }
}

/** Pointers to matches of the policy that cannot be joined with the candidate's: two patterns for one path. */
export function unsayableRoutes({ policy, candidate }: RenderInput): readonly string[] {
  if (!candidate) return []
  const matches = candidateMatches(candidate)
  return (policy.traffic?.routes ?? []).flatMap((route, index) =>
    route.match.flatMap((one, at) => {
      const clashes = waysOf(one).some((way) => matches.some((match) => bothOf(way, match) === 'unsayable'))
      return clashes ? [`/traffic/routes/${index}/match/${at}/path`] : []
    }),
  )
}

function protocolOf({ spec }: RenderInput) {
  return spec.ports[0]?.protocol ?? 'http'
}
