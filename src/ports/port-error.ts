export type PortErrorKind =
  /** It is not there. */
  | 'not-found'
  /** It is there already, or another writer was first. */
  | 'conflict'
  /** A condition that the caller named does not hold (ETag, uid, resourceVersion). */
  | 'precondition'
  /** Too many requests; see `retryAfterMs`. */
  | 'throttled'
  /** No answer, a broken one, or 5xx: the effect is unknown. */
  | 'unavailable'
  /** 401, 403. */
  | 'denied'
  /** The other side says that the request is wrong. */
  | 'invalid'

/** The closed family of errors that ports throw. Adapters translate the SDKs' errors to it and let no other out. */
export class PortError extends Error {
  override readonly name = 'PortError'
  readonly kind: PortErrorKind
  /** What was asked, of which system: `Kubernetes east`, `Cosmos DB`. Holds no secret. */
  readonly system: string
  readonly retryAfterMs?: number
  /** A finer reason where the system gives one: `FieldManagerConflict`, `NameLookup`, `TokenRefused`… */
  readonly reason?: string

  constructor(
    kind: PortErrorKind,
    system: string,
    message: string,
    more: { retryAfterMs?: number; reason?: string; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.kind = kind
    this.system = system
    if (more.retryAfterMs !== undefined) this.retryAfterMs = more.retryAfterMs
    if (more.reason !== undefined) this.reason = more.reason
  }
}

export function isPortError(error: unknown, ...kinds: readonly PortErrorKind[]): error is PortError {
  return error instanceof PortError && (kinds.length === 0 || kinds.includes(error.kind))
}
