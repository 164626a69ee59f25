import type { KubeObject } from '../../model/kube.ts'
import type { ServiceSpec } from '../../model/service.ts'
import { markedMetadata } from '../marks.ts'
import type { RenderInput } from '../provider.ts'
import { candidateRoutes, mirrorsOf, type RoutedPort, rememberedBy } from './candidate-routes.ts'
import { serviceHost, VIRTUAL_SERVICE } from './names.ts'
import { requestMatches } from './request-match.ts'
import { type HttpRoute, routesOf } from './route.ts'
import { type Variant, variantsOf } from './variants.ts'

type Port = ServiceSpec['ports'][number]

/** How requests for the service travel inside the mesh. What gateways let in is another object's affair. */
export function virtualService(input: RenderInput): KubeObject {
  const { ports } = input.spec
  const hosts = hostsOf(input)
  const several = ports.length > 1
  const http = ports.filter(({ protocol }) => protocol !== 'tcp').flatMap((port) => httpRoutesOf(input, port, several))
  const tcp = ports.filter(({ protocol }) => protocol === 'tcp').map((port) => tcpRouteOf(input, port, several))
  return { ...VIRTUAL_SERVICE, metadata: markedMetadata(input), spec: { hosts, ...routesOf(http, tcp) } }
}

/** Each once, and none that a wildcard among them covers: istiod takes that for the same host twice. */
function hostsOf({ namespace, name, spec }: RenderInput): readonly string[] {
  const hosts = [...new Set([serviceHost(namespace, name), ...(spec.hosts ?? [])])]
  const wildcards = hosts.filter((host) => host.startsWith('*'))
  return hosts.filter((host) => !wildcards.some((wildcard) => wildcard !== host && host.endsWith(wildcard.slice(1))))
}

/** One port's routes. With one port there is nothing to match: a port that the service does not name keeps its own. */
function httpRoutesOf(input: RenderInput, port: Port, several: boolean): readonly HttpRoute[] {
  const to = portOf(input, port, several)
  return variantsOf(input.policy.traffic, port).flatMap((variant) => variantRoutes(input, to, port, variant))
}

/** The http routes for the requests of a variant, those to a candidate first. */
export function variantRoutes(input: RenderInput, to: RoutedPort, port: Port, variant: Variant): readonly HttpRoute[] {
  const { candidate, weights } = input
  const name = nameOf(port, to.port !== undefined, variant)
  const match = matchOf(to, variant)
  const head = { ...(name === undefined ? {} : { name }), ...(match ? { match } : {}) }
  if (variant.redirect) return [{ ...head, redirect: variant.redirect }]
  const route = Object.keys(weights)
    .sort()
    .map((version) => ({
      destination: to.destination(version),
      weight: weights[version] ?? 0,
      ...rememberedBy(candidate, version),
    }))
  const own = { ...head, route, ...mirrorsOf(candidate, to, variant), ...variant.settings }
  return [...candidateRoutes(candidate, to, variant), own]
}

/** Never begins with `candidate.`, whatever ports and routes are called. */
function nameOf(port: Port, several: boolean, { suffix }: Variant): string | undefined {
  if (suffix === '') return several ? port.name : undefined
  return `${suffix.slice(1)}${several ? `.${port.name}` : ''}`
}

function matchOf({ port }: RoutedPort, { matches }: Variant): readonly Readonly<Record<string, unknown>>[] | undefined {
  if (matches) return requestMatches(matches, port?.port)
  return port ? [{ port: port.port }] : undefined
}

function tcpRouteOf(input: RenderInput, port: Port, several: boolean): HttpRoute {
  const to = portOf(input, port, several)
  const route = Object.keys(input.weights)
    .sort()
    .map((version) => ({ destination: to.destination(version), weight: input.weights[version] ?? 0 }))
  return { ...(several ? { match: [{ port: port.port }] } : {}), route }
}

/** A port as gateways see it: there is nothing to match, for requests come on the gateway's own ports. */
export function gatewayPort(input: RenderInput, port: Port): RoutedPort {
  const { destination } = portOf(input, port, input.spec.ports.length > 1)
  return { destination }
}

function portOf(input: RenderInput, port: Port, several: boolean): RoutedPort {
  const host = serviceHost(input.namespace, input.name)
  return {
    ...(several ? { port } : {}),
    destination: (subset) => ({ host, subset, ...(several ? { port: { number: port.port } } : {}) }),
  }
}
