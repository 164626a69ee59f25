/**
 * Every way in which a request can fail, by its stable code: the HTTP status it answers and what the reader can do.
 * Codes are part of the API: add, never rename.
 */
export const FAILURES = {
  InvalidRequest: {
    status: 400,
    title: 'The request does not fit the schema',
    hint: 'See /docs for the fields of this operation.',
  },
  InvalidJson: { status: 400, title: 'The body is not JSON', hint: 'Send one JSON object as UTF-8.' },
  Unauthenticated: {
    status: 401,
    title: 'No valid token',
    hint: 'Send "Authorization: Bearer" with an Entra ID access token for this API.',
  },
  Forbidden: {
    status: 403,
    title: 'The caller may not do this',
    hint: 'Ask an administrator for the role or the team that is named.',
  },
  NotFound: { status: 404, title: 'There is no such thing', hint: 'Check the name; lists show what there is.' },
  MethodNotAllowed: {
    status: 405,
    title: 'The path does not take this method',
    hint: 'The header Allow names those it takes.',
  },
  RolloutInFlight: {
    status: 409,
    title: 'A live rollout stands in the way',
    hint: 'Abort the rollout or wait for its end.',
  },
  RolloutState: {
    status: 409,
    title: 'The rollout is not in a phase that takes this verb',
    hint: 'GET the rollout to see its phase.',
  },
  NotAtStep: {
    status: 409,
    title: 'The rollout does not wait at the step that is named',
    hint: 'GET the rollout to see its wave and step, which count from 0, and look at what waits there before you approve it.',
  },
  SeparateDuties: {
    status: 409,
    title: 'Who started the rollout may not approve it',
    hint: 'Let another approver approve the step.',
  },
  WeightsPinned: {
    status: 409,
    title: 'The service pins its weights',
    hint: 'Remove traffic.weights from the service first.',
  },
  HostTaken: {
    status: 409,
    title: 'Another service holds the path of the host',
    hint: 'GET /hosts/{gateway}/{host} shows who holds which path.',
  },
  InUse: { status: 409, title: 'Something still refers to it', hint: 'Remove the references that are named first.' },
  Deleting: { status: 409, title: 'It is being deleted', hint: 'Wait until a GET answers 404.' },
  IdempotencyMismatch: {
    status: 409,
    title: 'The idempotency key was used with another body',
    hint: 'Use a new key for a new request.',
  },
  WriteConflict: {
    status: 409,
    title: 'Others wrote at the same time, again and again',
    hint: 'Send the request again.',
  },
  PreconditionFailed: {
    status: 412,
    title: 'It has changed since it was read',
    hint: 'GET it again and use its new ETag.',
  },
  TooLarge: { status: 413, title: 'The body is too large', hint: 'A body may have 1 MiB at most.' },
  UnsupportedMediaType: {
    status: 415,
    title: 'The content type is not taken',
    hint: 'Send application/json, or application/merge-patch+json for PATCH.',
  },
  UnknownReference: {
    status: 422,
    title: 'The request names something that does not exist',
    hint: 'Create what is named first, or correct the name.',
  },
  GuardRail: {
    status: 422,
    title: 'A guard rail does not allow it',
    hint: 'Keep to the guard rails that are named, or ask an administrator to change them.',
  },
  PlainCallers: {
    status: 422,
    title: 'Callers without mutual TLS are seen',
    hint: 'Bring the callers into the mesh first, use permissive until then, or send "waive": ["PlainCallers"] to refuse them knowingly.',
  },
  ImageRefused: {
    status: 422,
    title: 'The version cannot be made from an image here',
    hint: 'Follow the way out that is named, or deploy the version yourself and start the rollout with its name or labels.',
  },
  UnsupportedFeature: {
    status: 422,
    title: 'The feature cannot be had here',
    hint: 'GET /capabilities shows what can.',
  },
  InvalidCombination: {
    status: 422,
    title: 'The parts of the request do not fit together',
    hint: 'Correct the fields that are named.',
  },
  Conflict: { status: 409, title: 'The state does not allow it', hint: 'GET it to see its state.' },
  Throttled: { status: 429, title: 'Too many requests', hint: 'Wait as long as Retry-After says.' },
  InternalError: {
    status: 500,
    title: 'Meshwright failed',
    hint: 'Send the request again; report the requestId if it stays.',
  },
  NotBuilt: { status: 501, title: 'Not built yet', hint: 'CHANGELOG.md says what this version does.' },
  Unavailable: {
    status: 503,
    title: 'Something that Meshwright needs does not answer',
    hint: 'Send the request again later.',
  },
} as const

export type FailureCode = keyof typeof FAILURES

/** One expected failure as a value. */
export interface Failure {
  readonly code: FailureCode
  /** What is wrong with this request, in a sentence. */
  readonly detail: string
  /** `pointer` is a JSON pointer (RFC 6901) into the body, or `query/name`, `header/name`, `path/name`. */
  readonly errors?: readonly { readonly pointer: string; readonly reason: string }[]
  readonly hint?: string
  readonly retryAfterMs?: number
}

/** What a use case returns: its value or an expected failure. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure }

export function succeed<T>(value: T): Result<T> {
  return { ok: true, value }
}

export function fail(
  code: FailureCode,
  detail: string,
  more: Omit<Failure, 'code' | 'detail'> = {},
): { ok: false; failure: Failure } {
  return { ok: false, failure: { code, detail, ...more } }
}
