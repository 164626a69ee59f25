import type { HttpRequest, HttpResponse } from './message.ts'
import { securityHeaders } from './security-headers.ts'

/** What `GET /healthz` says. */
export const ALIVE = { status: 'ok' } as const

/**
 * Answers `GET /healthz` without the app: whether the process is alive does not depend on settings or on what the app would
 * load, and a platform that asks often, of new instances first of all, should not pay for it. Undefined for anything else.
 */
export function answerLiveness(request: HttpRequest, requestId: string): HttpResponse | undefined {
  if (request.path !== '/healthz' || (request.method !== 'GET' && request.method !== 'HEAD')) return undefined
  const headers = { ...securityHeaders(request.baseUrl), 'content-type': 'application/json', 'x-request-id': requestId }
  return request.method === 'HEAD' ? { status: 200, headers } : { status: 200, headers, body: JSON.stringify(ALIVE) }
}

/** What every other call gets while the app cannot be made, by wrong settings for example: the log says which. */
export function answerUnavailable(request: HttpRequest, requestId: string): HttpResponse {
  const problem = {
    type: '/docs#problem-Unavailable',
    title: 'Something that Meshwright needs does not answer',
    status: 503,
    code: 'Unavailable',
    detail: 'The app could not start. Its log names the setting.',
    instance: request.path,
    hint: 'An operator has to look at the settings of the app.',
    requestId,
  }
  const headers = {
    ...securityHeaders(request.baseUrl),
    'content-type': 'application/problem+json',
    'x-request-id': requestId,
  }
  return { status: 503, headers: { ...headers, 'retry-after': '30' }, body: JSON.stringify(problem) }
}
