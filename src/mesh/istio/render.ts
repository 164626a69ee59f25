import { type Failure, fail } from '../../model/failure.ts'
import type { KubeObject } from '../../model/kube.ts'
import { durationMs } from '../../model/names.ts'
import type { RetrySpec } from '../../model/policy/traffic.ts'
import type { ServiceSpec } from '../../model/service.ts'
import { refusalOf } from '../capabilities.ts'
import { markedMetadata } from '../marks.ts'
import { policyProblem } from '../policy-problem.ts'
import type { Barrier, RenderInput, RenderResult } from '../provider.ts'
import { candidateRoutes, mirrorOf, type RoutedPort, rememberedBy, unknownMatches } from './candidate-routes.ts'
import { DESTINATION_RULE, refTo, SETTLE_MS, serviceHost, VIRTUAL_SERVICE } from './names.ts'
import type { HttpRoute } from './route.ts'

type Port = ServiceSpec['ports'][number]

/** A DestinationRule with a subset a version, then a VirtualService that splits between them. */
export function renderIstio(input: RenderInput): RenderResult {
  const failure =
    policyProblem(input) ??
    refusalOf('istio', input.spec, input.policy, input.mesh) ??
    unknownVersions(input) ??
    unknownMatches(input.candidate)
  if (failure) return { ok: false, failure }
  const served = servedVersions(input)
  const settled: Barrier = { kind: 'settled', object: refTo(DESTINATION_RULE, input), durationMs: SETTLE_MS }
  return {
    ok: true,
    steps: [
      { object: destinationRule(input), barriers: [] },
      { object: virtualService(input), barriers: [settled, { kind: 'endpoints-ready', versions: served }] },
    ],
  }
}

/** Versions that get requests, copies included. */
function servedVersions({ weights, candidate }: RenderInput): readonly string[] {
  const served = Object.keys(weights).filter((version) => (weights[version] ?? 0) > 0)
  return [...new Set(candidate ? [...served, candidate.version] : served)].sort()
}

function destinationRule(input: RenderInput): KubeObject {
  const subsets = Object.entries(input.spec.versions)
    .map(([name, { labels }]) => ({ name, labels }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    ...DESTINATION_RULE,
    metadata: markedMetadata(input),
    spec: { host: serviceHost(input.namespace, input.name), subsets },
  }
}

function virtualService(input: RenderInput): KubeObject {
  const { ports } = input.spec
  const hosts = [...new Set([serviceHost(input.namespace, input.name), ...(input.spec.hosts ?? [])])]
  const http = ports.flatMap((port) => portRoutes(input, port, ports.length > 1))
  return { ...VIRTUAL_SERVICE, metadata: markedMetadata(input), spec: { hosts, http } }
}

/** One port's routes. With one port there is nothing to match: a port that the service does not name keeps its own. */
function portRoutes(input: RenderInput, port: Port, several: boolean): readonly HttpRoute[] {
  const { candidate, weights } = input
  const { timeout, retries } = input.policy.traffic ?? {}
  const host = serviceHost(input.namespace, input.name)
  const to: RoutedPort = {
    ...(several ? { port } : {}),
    destination: (subset) => ({ host, subset, ...(several ? { port: { number: port.port } } : {}) }),
    settings: {
      ...(timeout === undefined ? {} : { timeout: seconds(timeout) }),
      ...(retries === undefined ? {} : { retries: retryPolicy(retries, port.protocol) }),
    },
  }
  const route = Object.keys(weights)
    .sort()
    .map((version) => ({
      destination: to.destination(version),
      weight: weights[version] ?? 0,
      ...rememberedBy(candidate, version),
    }))
  const own = { route, ...mirrorOf(candidate, to), ...to.settings }
  return [...candidateRoutes(candidate, to), several ? { name: port.name, match: [{ port: port.port }], ...own } : own]
}

type HttpProtocol = Exclude<Port['protocol'], 'tcp'>

/** Only what a server has surely not begun, or answers as a broken way to it, is tried again. */
const RETRY_ON: Readonly<Record<HttpProtocol, string>> = {
  http: 'connect-failure,refused-stream,gateway-error',
  http2: 'connect-failure,refused-stream,gateway-error',
  grpc: 'connect-failure,refused-stream,unavailable,cancelled',
}

function retryPolicy(retries: RetrySpec, protocol: Port['protocol']): Readonly<Record<string, unknown>> {
  if (retries.attempts === 0 || protocol === 'tcp') return { attempts: 0 }
  const { perTryTimeout } = retries
  return {
    attempts: retries.attempts,
    ...(perTryTimeout === undefined ? {} : { perTryTimeout: seconds(perTryTimeout) }),
    retryOn: RETRY_ON[protocol],
  }
}

/** Seconds with a fraction: the one form that every reader of protobuf durations takes. */
function seconds(duration: string): string {
  return `${durationMs(duration) / 1000}s`
}

function unknownVersions(input: RenderInput): Failure | undefined {
  const named = [...Object.keys(input.weights), ...(input.candidate ? [input.candidate.version] : [])]
  const missing = [...new Set(named)].filter((version) => !Object.hasOwn(input.spec.versions, version))
  if (missing.length === 0) return undefined
  return fail('InvalidCombination', `The route names ${missing.join(', ')}, which the service does not have.`, {
    errors: missing.map((version) => ({ pointer: `/versions/${version}`, reason: 'is missing' })),
  }).failure
}
