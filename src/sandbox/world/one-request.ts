import type { Chance } from './chance.ts'
import { bucketOf } from './latency.ts'
import { PLAIN, requestKinds, shapeOf } from './request-kinds.ts'
import { lostOutcome, statusOf } from './request-labels.ts'
import type { RequestTally } from './request-tally.ts'
import { followRoutes, type Split } from './routing.ts'
import { LOCAL_REPLY_MS, type ServiceTraffic, type Span } from './traffic.ts'
import { errorShare, latencyOf } from './version-behaviour.ts'
import type { Caller, RequestSpec, WorldPod } from './world-spec.ts'

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
  /** `name=value`: the cookie that the answer sets. */
  readonly setCookie?: string
  /** The version that got a copy. */
  readonly copiedTo?: string
}

/** A single request at a time, counted like those of the demand; of one of the caller's kinds when none is given. */
export function oneRequest(
  traffic: ServiceTraffic,
  caller: Caller,
  atMs: number,
  { chance, tally }: { readonly chance: Chance; readonly tally: RequestTally },
  request: RequestSpec = pick(requestKinds(caller), chance)?.request ?? PLAIN,
): RequestResult {
  const shape = shapeOf(request, traffic.spec.port)
  const { splits, copies } = followRoutes(caller.meshed ? traffic.rules : undefined, shape, traffic.pods)
  const split = pick(splits, chance)
  const answer = { chance, tally, caller, atMs }
  const taken = takeRequest(traffic, split?.pods ?? [], split?.flags ?? 'NC', answer)
  const copied = copies && chance.next() < copies.share
  const copiedTo = copied ? takeRequest(traffic, copies.pods, '', { ...answer, copy: true }).version : undefined
  return {
    ...taken,
    ...(split?.setCookie === undefined ? {} : { setCookie: split.setCookie }),
    ...(copiedTo === undefined ? {} : { copiedTo }),
  }
}

interface Sending extends Pick<Span, 'chance' | 'tally'> {
  readonly caller: Caller
  readonly atMs: number
  readonly copy?: boolean
}

/** One of `pods` takes a request; the caller's proxy answers when there is none. */
function takeRequest(
  traffic: ServiceTraffic,
  pods: readonly WorldPod[],
  flags: Split['flags'],
  { chance, tally, caller, atMs, copy = false }: Sending,
): RequestResult {
  const pod = pods[Math.floor(chance.next() * pods.length)]
  const version = pod && traffic.spec.versions[pod.version]
  const failed = version === undefined || chance.next() < errorShare(version, atMs, atMs + 1)
  const outcome = version === undefined ? lostOutcome(flags) : { failed, errorCode: version.errorCode, flags }
  const latencyMs = version === undefined ? LOCAL_REPLY_MS : latencyOf(version).sample(chance)
  tally.add(
    { traffic, caller, pod, outcome, copy },
    { count: 1, sumMs: latencyMs, buckets: new Map([[bucketOf(latencyMs), 1]]) },
  )
  const status = statusOf(traffic.spec.protocol, outcome)
  return { version: pod?.version, pod: pod?.name, status: status.http, grpcStatus: status.grpc, latencyMs }
}

/** One of the parts, each with the chance of its share. */
function pick<T extends { readonly share: number }>(parts: readonly T[], chance: Chance): T | undefined {
  if (parts.length === 1) return parts[0]
  let mark = chance.next()
  for (const part of parts) {
    mark -= part.share
    if (mark < 0) return part
  }
  return parts.at(-1)
}
