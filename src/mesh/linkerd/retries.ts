import { durationMs } from '../../model/names.ts'
import type { RetryReason, RetrySpec } from '../../model/policy/traffic.ts'
import type { FieldError } from '../http-route/sections.ts'

/** What Linkerd calls the reasons that it can try again for. */
const HTTP: Readonly<Partial<Record<RetryReason, string>>> = { 'gateway-error': 'gateway-error', '5xx': '5xx' }
const GRPC: Readonly<Partial<Record<RetryReason, string>>> = {
  'grpc-unavailable': 'unavailable',
  'grpc-cancelled': 'cancelled',
  'grpc-deadline-exceeded': 'deadline-exceeded',
  'grpc-resource-exhausted': 'resource-exhausted',
}

interface Retries {
  readonly annotations: Readonly<Record<string, string>>
  readonly errors: readonly FieldError[]
}

/** Retries as annotations of a route, or why Linkerd cannot try again just so. */
export function retryAnnotations(retries: RetrySpec | undefined, isGrpc: boolean): Retries {
  if (!retries) return { annotations: {}, errors: [] }
  const errors = retryErrors(retries, isGrpc ? GRPC : HTTP, isGrpc)
  if (errors.length > 0) return { annotations: {}, errors }
  const reasons = (retries.on ?? []).map((reason) => (isGrpc ? GRPC : HTTP)[reason])
  const { perTryTimeout } = retries
  const annotations = {
    [`retry.linkerd.io/${isGrpc ? 'grpc' : 'http'}`]: reasons.join(','),
    'retry.linkerd.io/limit': String(retries.attempts),
    ...(perTryTimeout === undefined ? {} : { 'retry.linkerd.io/timeout': `${durationMs(perTryTimeout)}ms` }),
  }
  return { annotations, errors }
}

function retryErrors(
  { attempts, on = [], nonIdempotent }: RetrySpec,
  known: Readonly<Partial<Record<RetryReason, string>>>,
  isGrpc: boolean,
): readonly FieldError[] {
  const pointer = '/traffic/retries'
  const names = Object.keys(known).join(', ')
  if (attempts === 0)
    return [
      {
        pointer: `${pointer}/attempts`,
        reason: 'Linkerd tries nothing again by itself, and a 0 it does not read: leave retries out',
      },
    ]
  const unknown = on.filter((reason) => known[reason] === undefined)
  return [
    ...(on.length === 0
      ? [
          {
            pointer: `${pointer}/on`,
            reason: `must name what is tried again, of ${names}: Linkerd does not know connect-failure`,
          },
        ]
      : []),
    ...unknown.map((reason) => ({
      pointer: `${pointer}/on`,
      reason: `${reason} cannot be told apart; of ${isGrpc ? 'gRPC' : 'HTTP'} it knows ${names}`,
    })),
    ...(isGrpc || nonIdempotent
      ? []
      : [
          { pointer: `${pointer}/nonIdempotent`, reason: 'must be true: Linkerd tries requests of every method again' },
        ]),
  ]
}
