import { durationMs } from '../../model/names.ts'
import type { HttpMethod } from '../../model/policy/request-match.ts'
import type {
  FaultSpec,
  PolicyRoute,
  RedirectSpec,
  RetryReason,
  RetrySpec,
  TrafficSpec,
} from '../../model/policy/traffic.ts'
import type { ServiceSpec } from '../../model/service.ts'

export type Protocol = ServiceSpec['ports'][number]['protocol']

type Fields = Readonly<Record<string, unknown>>

/** What may not be done twice: a repeated request of these methods may do again what it did. */
export const UNSAFE_METHODS: readonly HttpMethod[] = ['POST', 'PATCH', 'CONNECT']

/** The server has surely not begun. */
const SURELY_NOT_BEGUN: readonly RetryReason[] = ['connect-failure', 'refused-stream']

const HTTP_REASONS: readonly RetryReason[] = [...SURELY_NOT_BEGUN, 'gateway-error']
/** Only what a server has surely not begun, or answers as a broken way to it, is tried again. */
const USUAL_REASONS: Readonly<Record<Protocol, readonly RetryReason[]>> = {
  http: HTTP_REASONS,
  http2: HTTP_REASONS,
  grpc: [...SURELY_NOT_BEGUN, 'grpc-unavailable', 'grpc-cancelled'],
  tcp: [],
}

/**
 * Must requests that may not be done twice have a route of their own? gRPC sends everything by POST, so there nothing tells
 * them apart: what is asked for counts for all calls.
 */
export function splitsByMethod(retries: RetrySpec | undefined, protocol: Protocol): boolean {
  if (!retries || retries.attempts === 0 || retries.nonIdempotent || protocol === 'grpc') return false
  return reasons(retries, protocol).some((reason) => !SURELY_NOT_BEGUN.includes(reason))
}

/** Timeout, retries and fault of a route of the policy, or of what no route takes. `unsafe`: for `UNSAFE_METHODS` alone. */
export function routeSettings(
  traffic: TrafficSpec | undefined,
  route: PolicyRoute | undefined,
  protocol: Protocol,
  unsafe: boolean,
): Fields {
  const timeout = route?.timeout ?? traffic?.timeout
  const retries = route?.retries ?? traffic?.retries
  const fault = route?.fault ?? traffic?.fault
  return {
    ...(timeout === undefined ? {} : { timeout: seconds(timeout) }),
    ...(retries === undefined ? {} : { retries: retryPolicy(retries, protocol, unsafe) }),
    ...(fault === undefined ? {} : { fault: faultOf(fault) }),
  }
}

function reasons({ on }: RetrySpec, protocol: Protocol): readonly RetryReason[] {
  return on ?? USUAL_REASONS[protocol]
}

function retryPolicy(retries: RetrySpec, protocol: Protocol, unsafe: boolean): Fields {
  const on = reasons(retries, protocol).filter((reason) => !unsafe || SURELY_NOT_BEGUN.includes(reason))
  if (retries.attempts === 0 || on.length === 0) return { attempts: 0 }
  const { perTryTimeout } = retries
  return {
    attempts: retries.attempts,
    ...(perTryTimeout === undefined ? {} : { perTryTimeout: seconds(perTryTimeout) }),
    retryOn: on.map((reason) => reason.replace(/^grpc-/, '')).join(','),
  }
}

/** By number; Istio takes their names. */
export const GRPC_STATUS: readonly string[] = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
]

function faultOf({ delay, abort }: FaultSpec): Fields {
  return {
    ...(delay ? { delay: { fixedDelay: seconds(delay.for), percentage: { value: delay.percent } } } : {}),
    ...(abort
      ? {
          abort: {
            percentage: { value: abort.percent },
            ...(abort.status === undefined ? {} : { httpStatus: abort.status }),
            ...(abort.grpcStatus === undefined ? {} : { grpcStatus: GRPC_STATUS[abort.grpcStatus] }),
          },
        }
      : {}),
  }
}

/** Where a route sends its callers instead. */
export function redirectOf({ scheme, host, port, path, status }: RedirectSpec): Fields {
  return {
    ...(scheme === undefined ? {} : { scheme }),
    ...(host === undefined ? {} : { authority: host }),
    ...(port === undefined ? {} : { port }),
    ...(path === undefined ? {} : { uri: path }),
    redirectCode: status,
  }
}

/** Seconds with a fraction: the one form that every reader of protobuf durations takes. */
export function seconds(duration: string): string {
  return `${durationMs(duration) / 1000}s`
}
