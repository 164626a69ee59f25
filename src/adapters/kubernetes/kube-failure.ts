import { PortError, type PortErrorKind } from '../../ports/port-error.ts'

/** The parts of a Kubernetes `Status` that tell failures apart. */
interface Status {
  readonly message?: string
  readonly reason?: string
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly field?: string }[] }
}

const maxMessage = 1000
const UNKNOWN_KIND = 'the server could not find the requested resource'
/** How a server-side apply says that a field has a type that the schema does not allow: with status 500. */
const WRONG_TYPE = 'failed to create typed patch object'

const KINDS: Readonly<Record<number, PortErrorKind>> = {
  400: 'invalid',
  401: 'denied',
  403: 'denied',
  404: 'not-found',
  405: 'invalid',
  406: 'invalid',
  409: 'conflict',
  410: 'precondition',
  413: 'invalid',
  415: 'invalid',
  422: 'invalid',
  429: 'throttled',
}

/**
 * An answer that is no success, as PortError. The API server explains itself in a `Status`; what is not one came from
 * something in between, or from a path that no API group serves.
 */
export function kubeFailure(system: string, code: number, body: string, retryAfterMs?: number): PortError {
  const status = parseStatus(body)
  const told = (status?.message ?? body).trim().slice(0, maxMessage)
  const message = `${system} answered ${code}${told === '' ? '' : `: ${told}`}`
  if (code >= 300 && code < 400) {
    return new PortError('unavailable', system, `${system} answered ${code}: redirects are not followed`, {
      reason: 'Redirect',
    })
  }
  if (code === 404 && (status === undefined || told === UNKNOWN_KIND)) {
    return new PortError('not-found', system, message, { reason: 'UnknownKind' })
  }
  if (code === 409) return conflict(system, message, status)
  if (code === 422 && status?.details?.causes?.some(({ field }) => field === 'metadata.uid')) {
    return new PortError('precondition', system, message, { reason: 'Uid' })
  }
  if (code === 500 && told.startsWith(WRONG_TYPE)) return new PortError('invalid', system, message)
  const kind = KINDS[code] ?? 'unavailable'
  const reason = status?.reason ?? (code === 401 ? 'Unauthorized' : undefined)
  return new PortError(kind, system, message, {
    ...(reason === undefined ? {} : { reason }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

/** 409 is three things: a field of another manager, a name that is taken, or a condition of ours that does not hold. */
function conflict(system: string, message: string, status: Status | undefined): PortError {
  if (status?.details?.causes?.some(({ reason }) => reason === 'FieldManagerConflict')) {
    return new PortError('conflict', system, message, { reason: 'FieldManagerConflict' })
  }
  if (status?.reason === 'AlreadyExists') return new PortError('conflict', system, message, { reason: 'AlreadyExists' })
  return new PortError('precondition', system, message, { reason: status?.reason ?? 'Conflict' })
}

function parseStatus(body: string): Status | undefined {
  try {
    const value = JSON.parse(body) as (Status & { readonly kind?: string }) | null
    return value?.kind === 'Status' ? value : undefined
  } catch {
    return undefined
  }
}
