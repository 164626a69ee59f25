import { durationMs } from '../../model/names.ts'
import type { RetryReason, RetrySpec } from '../../model/policy/traffic.ts'
import type { ServiceSpec } from '../../model/service.ts'
import type { Way } from './match.ts'

export type Protocol = ServiceSpec['ports'][number]['protocol']

/** What the policy asks of requests that take one way. */
export interface RouteSettings {
  readonly timeout: string | undefined
  readonly retries: RetrySpec | undefined
}

/** A way and the destination's fields that go with it. */
export interface SetWay {
  readonly way: Way
  readonly fields: Readonly<Record<string, unknown>>
}

/** What may not be done twice: a repeated request of these methods may do again what it did. */
const UNSAFE_METHODS: readonly string[] = ['POST', 'PATCH', 'CONNECT']
/** The server has surely not begun. */
const SURELY_NOT_BEGUN: readonly RetryReason[] = ['connect-failure', 'refused-stream']
const USUAL_REASONS: Readonly<Record<Protocol, readonly RetryReason[]>> = {
  http: [...SURELY_NOT_BEGUN, 'gateway-error'],
  http2: [...SURELY_NOT_BEGUN, 'gateway-error'],
  grpc: [...SURELY_NOT_BEGUN, 'grpc-unavailable', 'grpc-cancelled'],
  tcp: [],
}

/**
 * A way with timeout and retries. Where requests that may not be done twice have fewer reasons for another try, they have a
 * way of their own before the rest. gRPC sends everything by POST, so there nothing tells them apart.
 */
export function settle(way: Way, settings: RouteSettings, protocol: Protocol): readonly SetWay[] {
  const { retries } = settings
  const all = { way, fields: fieldsOf(settings, retries ? reasonsOf(retries, protocol) : []) }
  if (!retries || retries.attempts === 0 || retries.nonIdempotent || protocol === 'grpc') return [all]
  const safe = reasonsOf(retries, protocol).filter((reason) => SURELY_NOT_BEGUN.includes(reason))
  if (safe.length === reasonsOf(retries, protocol).length) return [all]
  const { methods } = way.match
  const unsafe = methods?.filter((method) => UNSAFE_METHODS.includes(method)) ?? UNSAFE_METHODS
  if (unsafe.length === 0) return [all]
  const once = { way: { ...way, match: { ...way.match, methods: unsafe } }, fields: fieldsOf(settings, safe) }
  return methods && unsafe.length === methods.length ? [once] : [once, all]
}

function reasonsOf({ on }: RetrySpec, protocol: Protocol): readonly RetryReason[] {
  return on ?? USUAL_REASONS[protocol]
}

/** Consul tries nothing again unless it is asked to: no attempts are no fields. */
function fieldsOf(
  { timeout, retries }: RouteSettings,
  reasons: readonly RetryReason[],
): Readonly<Record<string, unknown>> {
  const others = reasons.filter((reason) => reason !== 'connect-failure').map((reason) => reason.replace(/^grpc-/, ''))
  return {
    ...(timeout === undefined ? {} : { requestTimeout: seconds(timeout) }),
    ...(retries && retries.attempts > 0 && reasons.length > 0
      ? {
          numRetries: retries.attempts,
          ...(others.length < reasons.length ? { retryOnConnectFailure: true } : {}),
          ...(others.length > 0 ? { retryOn: others } : {}),
        }
      : {}),
  }
}

/** Seconds with a fraction, as Go reads durations. */
export function seconds(duration: string): string {
  return `${durationMs(duration) / 1000}s`
}
