import type { PolicyRoute, TrafficSpec } from '../../model/policy/traffic.ts'
import type { RenderInput } from '../provider.ts'
import { bothOf } from './both-of.ts'
import { serviceHost } from './names.ts'
import { neutralMatch } from './request-match.ts'

/** A field that cannot stand as it is, and why. */
export interface FieldProblem {
  /** JSON pointer. */
  readonly pointer: string
  readonly reason: string
}

/** What of the traffic policy does not go together on Istio. */
export function trafficProblems(input: RenderInput): readonly FieldProblem[] {
  const { traffic } = input.policy
  const routes = traffic?.routes ?? []
  return [
    ...hostProblems(input),
    ...tcpProblems(input),
    ...faultProblems(traffic),
    ...mirrorProblems(input),
    ...routes.flatMap((route, index) => portProblems(input, route, index)),
    ...routes.flatMap((route, index) => matchProblems(input, route, index)),
  ]
}

/** A route for such a host would take the requests of other services too. */
function hostProblems({ namespace, name, spec }: RenderInput): readonly FieldProblem[] {
  return (spec.hosts ?? []).flatMap((host, index) =>
    host.startsWith('*') && serviceHost(namespace, name).endsWith(host.slice(1))
      ? [{ pointer: `/hosts/${index}`, reason: 'covers other services of the cluster' }]
      : [],
  )
}

const HTTP_FIELDS = ['timeout', 'retries', 'routes', 'fault', 'mirror'] as const
const HTTP_CONNECTIONS = ['maxPendingRequests', 'maxRequests', 'maxRequestsPerConnection'] as const

/** Beside ports that speak HTTP, those that speak TCP only have weights; without any, nothing else can be meant. */
function tcpProblems({ spec, policy, candidate }: RenderInput): readonly FieldProblem[] {
  if (spec.ports.some(({ protocol }) => protocol !== 'tcp')) return []
  const reason = 'is for HTTP, and all ports of the service speak TCP'
  const { traffic } = policy
  const fields = [
    ...HTTP_FIELDS.filter((field) => traffic?.[field] !== undefined),
    ...HTTP_CONNECTIONS.filter((field) => traffic?.connections?.[field] !== undefined).map((f) => `connections/${f}`),
    ...(traffic?.affinity && !('sourceIp' in traffic.affinity) ? ['affinity'] : []),
  ]
  const asked = (['match', 'mirror', 'affinity'] as const).filter((part) => candidate?.[part] !== undefined)
  return [...fields.map((field) => `/traffic/${field}`), ...asked.map((part) => `/${part}`)].map((pointer) => ({
    pointer,
    reason,
  }))
}

/** Istio promises neither timeout nor retries on a route with a fault of the caller's proxy. */
function faultProblems(traffic: TrafficSpec | undefined): readonly FieldProblem[] {
  const routes = traffic?.routes ?? []
  const clashes = (route: PolicyRoute | undefined, pointer: string): readonly FieldProblem[] => {
    if (!(route?.fault ?? traffic?.fault) || route?.redirect) return []
    const timeout = route?.timeout ?? traffic?.timeout
    const attempts = (route?.retries ?? traffic?.retries)?.attempts ?? 0
    const beside = [...(timeout === undefined ? [] : ['timeout']), ...(attempts > 0 ? ['retries'] : [])]
    if (beside.length === 0) return []
    const reason = `stands beside ${beside.join(' and ')}, which Istio does not apply where a fault is made`
    return [{ pointer: `${pointer}/fault`, reason }]
  }
  return [
    ...clashes(undefined, '/traffic'),
    ...routes.flatMap((route, index) => clashes(route, `/traffic/routes/${index}`)),
  ]
}

function mirrorProblems({ policy, spec }: RenderInput): readonly FieldProblem[] {
  const { mirror, routes = [] } = policy.traffic ?? {}
  const asked = [
    { mirror, pointer: '/traffic/mirror/version' },
    ...routes.map((route, index) => ({ mirror: route.mirror, pointer: `/traffic/routes/${index}/mirror/version` })),
  ]
  return asked
    .filter(({ mirror }) => mirror && !Object.hasOwn(spec.versions, mirror.version))
    .map(({ pointer }) => ({ pointer, reason: 'must be one of versions' }))
}

function portProblems({ spec }: RenderInput, route: PolicyRoute, index: number): readonly FieldProblem[] {
  return (route.ports ?? []).flatMap((name, at) => {
    const pointer = `/traffic/routes/${index}/ports/${at}`
    const port = spec.ports.find((port) => port.name === name)
    if (!port) return [{ pointer, reason: 'must be the name of a port of the service' }]
    return port.protocol === 'tcp' ? [{ pointer, reason: 'speaks TCP: routes are for HTTP' }] : []
  })
}

/** Requests that a rollout sends to its candidate are looked for within each route; of two patterns for one thing Istio has no words. */
function matchProblems({ candidate }: RenderInput, route: PolicyRoute, index: number): readonly FieldProblem[] {
  if (route.redirect) return []
  const { match = [], affinity } = candidate ?? {}
  const asked = [
    ...match.map(neutralMatch),
    ...(affinity ? [{ cookies: [{ name: affinity.cookie, value: affinity.value }] }] : []),
  ]
  return route.match
    .map((one, at) => ({ one: neutralMatch(one), pointer: `/traffic/routes/${index}/match/${at}` }))
    .filter(({ one }) => asked.some((other) => bothOf(other, one) === 'unsayable'))
    .map(({ pointer }) => ({
      pointer,
      reason: 'and the match of the rollout set patterns for the same thing, which Istio cannot ask for together',
    }))
}
