import { FAILURES, type Failure } from '../model/failure.ts'
import { isPortError } from '../ports/port-error.ts'
import type { HttpResponse } from './message.ts'

const TYPE = '/docs#problem-'
const DEFAULT_RETRY_MS = 2000

/** A failure as application/problem+json (RFC 9457). `instance` is the path that was asked. */
export function problemResponse(
  failure: Failure,
  instance: string,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  const { status, title, hint } = FAILURES[failure.code]
  const problem = {
    type: TYPE + failure.code,
    title,
    status,
    code: failure.code,
    detail: failure.detail,
    instance,
    ...(failure.errors && failure.errors.length > 0 ? { errors: failure.errors } : {}),
    hint: failure.hint ?? hint,
    requestId,
  }
  return {
    status,
    headers: { 'content-type': 'application/problem+json', ...retryAfter(failure, status), ...headers },
    body: JSON.stringify(problem),
  }
}

function retryAfter(failure: Failure, status: number): Record<string, string> {
  const ms = failure.retryAfterMs ?? (status === 429 || status === 503 ? DEFAULT_RETRY_MS : undefined)
  return ms === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(ms / 1000))) }
}

/** What an error that a handler threw is to the caller. Messages of errors are for the log: they may name inner addresses. */
export function failureOf(error: unknown): Failure {
  if (!isPortError(error)) return { code: 'InternalError', detail: 'Meshwright made a mistake.' }
  const retry = error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }
  switch (error.kind) {
    case 'throttled':
      return { code: 'Throttled', detail: `${error.system} takes no more requests now.`, ...retry }
    case 'unavailable':
      return { code: 'Unavailable', detail: `${error.system} does not answer.`, ...retry }
    case 'denied':
      return { code: 'Unavailable', detail: `${error.system} does not let Meshwright in.`, ...retry }
    case 'conflict':
    case 'precondition':
      return { code: 'WriteConflict', detail: 'Others wrote at the same time.', ...retry }
    default:
      return { code: 'InternalError', detail: `${error.system} did not understand Meshwright.` }
  }
}
