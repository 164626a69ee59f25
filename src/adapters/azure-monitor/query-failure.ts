import { isPortError, PortError, type PortErrorKind } from '../../ports/port-error.ts'
import { networkFailure, retryAfterMs } from '../network-failure.ts'
import { noToken } from '../no-token.ts'

/** The part of the SDKs' RestError that is read here. */
interface RestFailure {
  readonly statusCode?: number
  readonly code?: unknown
  readonly response?: { readonly headers: { get(name: string): string | undefined } }
  readonly details?: unknown
}

const KINDS: Readonly<Record<number, PortErrorKind>> = {
  400: 'invalid',
  401: 'denied',
  403: 'denied',
  404: 'not-found',
  422: 'throttled',
  429: 'throttled',
}

/** A failure of a query to Azure Monitor as PortError. Codes and messages of the service are kept; they hold no secret. */
export function queryFailure(system: string, error: unknown, now: number): PortError {
  if (isPortError(error)) return error
  const tokenless = noToken(system, error)
  if (tokenless) return tokenless
  const { statusCode, response } = error as RestFailure
  if (typeof statusCode !== 'number') return unreachable(system, error)
  const { code, message } = told(error as RestFailure)
  const text = [code, message].filter((part) => part !== undefined).join(': ')
  const wait = retryAfterMs(response?.headers.get('retry-after'), now)
  return new PortError(
    KINDS[statusCode] ?? 'unavailable',
    system,
    `${system} answered ${statusCode}${text && `: ${text}`}`,
    {
      ...(code === undefined ? {} : { reason: code }),
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    },
  )
}

/** The SDK's own error is left out: it holds the request with its token. */
function unreachable(system: string, error: unknown): PortError {
  const { message, reason } = networkFailure(system, error)
  return new PortError('unavailable', system, message, reason === undefined ? {} : { reason })
}

/** `{ error: { code, message, innererror? } }`: the innermost message says most. */
function told({ details, code }: RestFailure): { code: string | undefined; message: string | undefined } {
  const outer = (details as { error?: unknown } | undefined)?.error as Told | undefined
  const found = typeof outer?.code === 'string' ? outer.code : typeof code === 'string' ? code : undefined
  const messages = [outer?.message, outer?.innererror?.message].filter((text) => typeof text === 'string')
  return { code: found, message: messages.length === 0 ? undefined : messages.join(' ').slice(0, 500) }
}

interface Told {
  readonly code?: unknown
  readonly message?: unknown
  readonly innererror?: { readonly message?: unknown }
}
