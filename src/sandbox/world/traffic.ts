import type { Chance } from './chance.ts'
import { bucketOf, type LatencyModel, latencyModel } from './latency.ts'
import { type Outcome, statusOf } from './request-labels.ts'
import type { RequestTally } from './request-tally.ts'
import type { RouteShare } from './route-source.ts'
import { type Split, splitRequests } from './routing.ts'
import type { Caller, ServiceRef, ServiceSpec, VersionSpec, WorldPod } from './world-spec.ts'

/** Everything that decides what becomes of a service's requests at one time. */
export interface ServiceTraffic {
  readonly ref: ServiceRef
  readonly spec: ServiceSpec
  /** The route in force; undefined: none. */
  readonly route: readonly RouteShare[] | undefined
  /** Ready pods of all versions. */
  readonly pods: readonly WorldPod[]
}

/** One simulated request. */
export interface RequestResult {
  /** Undefined when no pod took the request. */
  readonly version: string | undefined
  readonly pod: string | undefined
  /** HTTP status; 200 for failed gRPC too. */
  readonly status: number
  /** Empty for HTTP. */
  readonly grpcStatus: string
  readonly latencyMs: number
}

/** A caller's proxy answers at once when it knows no pod. */
const LOCAL_REPLY_MS = 0.4
const LOCAL_REPLY: LatencyModel = latencyModel(LOCAL_REPLY_MS, LOCAL_REPLY_MS)

/** A span of time in which nothing changes, and where its requests are drawn and counted. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
  readonly chance: Chance
  readonly tally: RequestTally
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
    for (const { share, pods, flags } of splitRequests(caller.meshed ? traffic.route : undefined, traffic.pods)) {
      if (flags !== '') {
        const outcome: Outcome = { failed: true, errorCode: 503, flags }
        const lost = durations(span.chance.poisson(expected * share), LOCAL_REPLY, span.chance)
        span.tally.add({ traffic, caller, pod: undefined, outcome }, lost)
      }
      const perPod = (expected * share) / pods.length
      for (const pod of pods) addPodTraffic(traffic, { caller, pod, expected: perPod }, span)
    }
  }
}

interface PodPart {
  readonly caller: Caller
  readonly pod: WorldPod
  /** Mean number of requests. */
  readonly expected: number
}

function addPodTraffic(traffic: ServiceTraffic, { caller, pod, expected }: PodPart, span: Span): void {
  const version = traffic.spec.versions[pod.version]
  const requests = span.chance.poisson(expected)
  if (version === undefined || requests === 0) return
  const failed = span.chance.binomial(requests, errorShare(version, span.fromMs, span.toMs))
  const latency = latencyOf(version)
  for (const [count, outcome] of [
    [requests - failed, { failed: false, errorCode: 200, flags: '' }],
    [failed, { failed: true, errorCode: version.errorCode, flags: '' }],
  ] as const) {
    span.tally.add({ traffic, caller, pod, outcome }, durations(count, latency, span.chance))
  }
}

/** A single request at a time, counted like those of the demand. */
export function oneRequest(
  traffic: ServiceTraffic,
  caller: Caller,
  atMs: number,
  { chance, tally }: { readonly chance: Chance; readonly tally: RequestTally },
): RequestResult {
  const splits = splitRequests(caller.meshed ? traffic.route : undefined, traffic.pods)
  const split = pick(splits, chance)
  const pod = split?.pods[Math.floor(chance.next() * split.pods.length)]
  const version = pod && traffic.spec.versions[pod.version]
  const failed = version === undefined || chance.next() < errorShare(version, atMs, atMs + 1)
  const outcome: Outcome = { failed, errorCode: version?.errorCode ?? 503, flags: split?.flags ?? 'NC' }
  const latencyMs = version === undefined ? LOCAL_REPLY_MS : latencyOf(version).sample(chance)
  tally.add(
    { traffic, caller, pod, outcome },
    { count: 1, sumMs: latencyMs, buckets: new Map([[bucketOf(latencyMs), 1]]) },
  )
  const status = statusOf(traffic.spec.protocol, outcome)
  return { version: pod?.version, pod: pod?.name, status: status.http, grpcStatus: status.grpc, latencyMs }
}

/** One of the splits, each with the chance of its share. */
function pick(splits: readonly Split[], chance: Chance): Split | undefined {
  let mark = chance.next()
  for (const split of splits) {
    mark -= split.share
    if (mark < 0) return split
  }
  return splits.at(-1)
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

/** Mean error share of a span of time, 0 to 1, bursts included. */
function errorShare({ errorPercent, burst }: VersionSpec, fromMs: number, toMs: number): number {
  if (burst === null) return errorPercent / 100
  const inBurst = burstMs(burst, toMs) - burstMs(burst, fromMs)
  const part = inBurst / (toMs - fromMs)
  return (part * burst.errorPercent + (1 - part) * errorPercent) / 100
}

/** Milliseconds of bursts from the epoch to a time. */
function burstMs({ everyMs, forMs }: NonNullable<VersionSpec['burst']>, timeMs: number): number {
  const whole = Math.floor(timeMs / everyMs)
  return whole * Math.min(forMs, everyMs) + Math.min(forMs, timeMs - whole * everyMs)
}

const models = new WeakMap<VersionSpec, LatencyModel>()

function latencyOf(version: VersionSpec): LatencyModel {
  const known = models.get(version)
  if (known) return known
  const model = latencyModel(version.latencyMs, version.latencyP99Ms ?? 4 * version.latencyMs)
  models.set(version, model)
  return model
}
