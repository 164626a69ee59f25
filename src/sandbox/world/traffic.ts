import type { Chance } from './chance.ts'
import { type CookieJars, fillJar, presentJar } from './cookie-jars.ts'
import { type LatencyModel, latencyModel } from './latency.ts'
import { requestKinds, shapeOf } from './request-kinds.ts'
import { lostOutcome } from './request-labels.ts'
import { callerPod, type RequestTally } from './request-tally.ts'
import type { RequestShape, RouteRule } from './route-source.ts'
import { followRoutes } from './routing.ts'
import { errorShare, latencyOf } from './version-behaviour.ts'
import { serviceKey } from './world-pods.ts'
import type { Caller, ServiceRef, ServiceSpec, WorldPod } from './world-spec.ts'

/** Everything that decides what becomes of a service's requests at one time. */
export interface ServiceTraffic {
  readonly ref: ServiceRef
  readonly spec: ServiceSpec
  /** The routes in force; undefined: none. */
  readonly rules: readonly RouteRule[] | undefined
  /** Ready pods of all versions. */
  readonly pods: readonly WorldPod[]
}

/** A caller's proxy answers at once when it knows no pod. */
export const LOCAL_REPLY_MS = 0.4
const LOCAL_REPLY: LatencyModel = latencyModel(LOCAL_REPLY_MS, LOCAL_REPLY_MS)

/** A span of time in which nothing changes, and where its requests are drawn and counted. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
  readonly chance: Chance
  readonly tally: RequestTally
  readonly jars: CookieJars
}

/**
 * The requests of [fromMs, toMs) for a service, with the demand, the behaviour and the route that held all that time.
 * Requests to each pod are Poisson, failures among them binomial, durations drawn by bucket.
 */
export function addTraffic(traffic: ServiceTraffic, span: Span): void {
  const { requestsPerSecond, callers } = traffic.spec.demand
  const allShares = callers.reduce((sum, { share }) => sum + share, 0)
  for (const caller of callers) {
    const expected = (requestsPerSecond * (caller.share / allShares) * (span.toMs - span.fromMs)) / 1000
    const part = { traffic, caller, span }
    if (caller.clients === undefined || !caller.meshed) addRequests(part, expected, undefined)
    else addClients(part, expected, caller.clients)
  }
}

/** A caller of a service in a span. */
interface Part {
  readonly traffic: ServiceTraffic
  readonly caller: Caller
  readonly span: Span
}

/** Clients that hold the cookie of the routes in force come with it; some of the others get it. */
function addClients(part: Part, expected: number, clients: number): void {
  const { traffic, caller, span } = part
  const key = `${serviceKey(traffic.ref)} ${callerPod(caller)}`
  const jar = presentJar(span.jars.get(key), traffic.rules)
  if (jar === undefined) {
    addRequests(part, expected, undefined)
    return
  }
  const holding = Math.min(1, jar.holders / clients)
  if (holding > 0) addRequests(part, expected * holding, jar.cookie)
  const given = holding < 1 ? addRequests(part, expected * (1 - holding), undefined) : 0
  span.jars.set(key, fillJar(jar, clients, given, span.chance))
}

/** Adds a mean number of requests that all come with a cookie or without; answers how many of them are given one. */
function addRequests(part: Part, expected: number, cookie: string | undefined): number {
  const { traffic, caller } = part
  return requestKinds(caller)
    .map(({ share, request }) => addFlow(part, expected * share, shapeOf(request, traffic.spec.port, cookie)))
    .reduce((sum, given) => sum + given, 0)
}

function addFlow({ traffic, caller, span }: Part, expected: number, request: RequestShape): number {
  const { splits, copies } = followRoutes(caller.meshed ? traffic.rules : undefined, request, traffic.pods)
  let given = 0
  for (const { share, pods, flags, setCookie } of splits) {
    if (flags !== '') {
      const outcome = lostOutcome(flags)
      const lost = durations(span.chance.poisson(expected * share), LOCAL_REPLY, span.chance)
      span.tally.add({ traffic, caller, pod: undefined, outcome }, lost)
    }
    addEvenly({ traffic, caller, span }, pods, expected * share)
    if (setCookie !== undefined) given += expected * share
  }
  if (copies) addEvenly({ traffic, caller, span }, copies.pods, expected * copies.share, true)
  return given
}

/** Adds a mean number of requests, or copies, to pods. */
function addEvenly(part: Part, pods: readonly WorldPod[], expected: number, copy = false): void {
  for (const pod of pods) addPodTraffic(part, pod, expected / pods.length, copy)
}

function addPodTraffic({ traffic, caller, span }: Part, pod: WorldPod, expected: number, copy: boolean): void {
  const version = traffic.spec.versions[pod.version]
  const requests = span.chance.poisson(expected)
  if (version === undefined || requests === 0) return
  const failed = span.chance.binomial(requests, errorShare(version, span.fromMs, span.toMs))
  const latency = latencyOf(version)
  for (const [count, outcome] of [
    [requests - failed, { failed: false, errorCode: 200, flags: '' }],
    [failed, { failed: true, errorCode: version.errorCode, flags: '' }],
  ] as const) {
    span.tally.add({ traffic, caller, pod, outcome, copy }, durations(count, latency, span.chance))
  }
}

/** Requests by latency bucket, with the sum of their durations. */
export interface Durations {
  readonly count: number
  readonly sumMs: number
  readonly buckets: ReadonlyMap<number, number>
}

function durations(count: number, model: LatencyModel, chance: Chance): Durations {
  const buckets = new Map<number, number>()
  let [left, sumMs] = [count, 0]
  for (const { index, conditional, meanMs } of model.buckets) {
    if (left === 0) break
    const hits = chance.binomial(left, conditional)
    if (hits > 0) buckets.set(index, hits)
    sumMs += hits * meanMs
    left -= hits
  }
  return { count, sumMs, buckets }
}
