import { PortError } from '../ports/port-error.ts'

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'NameLookup',
  EAI_AGAIN: 'NameLookup',
  ECONNREFUSED: 'ConnectionRefused',
  ECONNRESET: 'ConnectionLost',
  EPIPE: 'ConnectionLost',
  UND_ERR_SOCKET: 'ConnectionLost',
  EHOSTUNREACH: 'NoRoute',
  ENETUNREACH: 'NoRoute',
  ETIMEDOUT: 'Timeout',
  UND_ERR_CONNECT_TIMEOUT: 'Timeout',
  UND_ERR_HEADERS_TIMEOUT: 'Timeout',
  UND_ERR_BODY_TIMEOUT: 'Timeout',
}
const CERTIFICATE = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/

/**
 * A failure below HTTP as PortError `unavailable`. The reason tells a name that does not resolve, a refused connection
 * and a bad certificate apart, by the code that Node or undici gives. The text of the cause is left out of the message:
 * it may hold what was sent.
 */
export function networkFailure(system: string, cause: unknown): PortError {
  const code = errorCode(cause)
  const reason =
    code === undefined ? undefined : (REASONS[code] ?? (CERTIFICATE.test(code) ? 'Certificate' : undefined))
  const message = `${system} cannot be reached${code === undefined ? '' : ` (${code})`}`
  return new PortError('unavailable', system, message, { cause, ...(reason === undefined ? {} : { reason }) })
}

/** The first `code` in an error's chain of causes, such as `ECONNREFUSED`. */
export function errorCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if ('code' in at && typeof at.code === 'string') return at.code
  }
  return undefined
}

/** `Retry-After` as milliseconds: whole seconds, or a date seen from `now`. Undefined when it is absent or broken. */
export function retryAfterMs(header: string | null | undefined, now: number): number | undefined {
  if (header === null || header === undefined || header.trim() === '') return undefined
  if (/^\d{1,6}$/.test(header.trim())) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
