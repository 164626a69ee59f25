import { entityTag } from '../model/digest.ts'
import { type Failure, fail, type Result } from '../model/failure.ts'
import type { Caller } from '../model/identity.ts'
import type { SpanNote } from '../ports/telemetry.ts'
import { authenticate } from './authenticate.ts'
import { checkRole, explainGroups } from './authorize.ts'
import { checkedCall } from './checked-call.ts'
import { isUnchanged } from './conditional-get.ts'
import type { HttpDeps } from './http-deps.ts'
import { createRouter, type Match } from './match-route.ts'
import type { HttpRequest, HttpResponse } from './message.ts'
import { failureOf, problemResponse } from './problem.ts'
import type { Answer, Route } from './route.ts'
import { ROUTES } from './routes.ts'
import { securityHeaders } from './security-headers.ts'

const router = createRouter(ROUTES)

/** Nobody is asked for on open paths. */
const NOBODY: Caller = { id: '', name: 'anonymous', kind: 'person', roles: [], groups: [] }

/** The way in: routes a request, checks who asks and for what, calls the use case, maps its result. Never throws. */
export function handle(deps: HttpDeps, request: HttpRequest): Promise<HttpResponse> {
  const match = router(request.method === 'HEAD' ? 'GET' : request.method, request.path)
  const route = match.kind === 'route' ? match.route.path : 'none'
  const method = METHODS.includes(request.method) ? request.method : 'OTHER'
  const requestId = deps.random.uuid()
  const about = { 'http.request.method': method, 'http.route': route, 'meshwright.request_id': requestId }
  const started = deps.clock.now()
  const answer = async (note: SpanNote) => {
    const response = await answerSafely(deps, request, match, requestId)
    const { status } = response
    note({ 'http.response.status_code': status })
    deps.telemetry.record('meshwright.http.duration', deps.clock.now() - started, { method, route, status })
    return response
  }
  return deps.telemetry.span(`http ${method} ${route}`, about, answer, request.headers.traceparent)
}
const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

async function answerSafely(
  deps: HttpDeps,
  request: HttpRequest,
  match: Match,
  requestId: string,
): Promise<HttpResponse> {
  const response = await respond(deps, request, match, requestId).catch((error: unknown) => {
    const failure = failureOf(error)
    const fields = { requestId, method: request.method, path: request.path, error }
    deps.logger.log(failure.code === 'InternalError' ? 'error' : 'warn', 'http.failed', fields)
    return problemResponse(failure, request.path, requestId)
  })
  const headers = { ...securityHeaders(request.baseUrl), 'x-request-id': requestId, ...response.headers }
  if (request.method !== 'HEAD' || response.body === undefined) return { ...response, headers }
  return { status: response.status, headers }
}

async function respond(deps: HttpDeps, request: HttpRequest, match: Match, requestId: string): Promise<HttpResponse> {
  if (match.kind === 'none') {
    const detail = 'Nothing is served at this path.'
    const hint = 'GET /openapi.json lists every path; those of the API begin with /api/v1.'
    return problemResponse({ code: 'NotFound', detail, hint }, request.path, requestId)
  }
  if (request.method === 'OPTIONS') return { status: 204, headers: { allow: allowed(request.path) } }
  if (match.kind === 'method') {
    const detail = `${request.method} is not taken here.`
    const allow = allowed(request.path)
    return problemResponse({ code: 'MethodNotAllowed', detail }, request.path, requestId, { allow })
  }
  const { route } = match
  const who = await admit(deps, request, route, requestId)
  if (!who.ok) return problemResponse(who.failure, request.path, requestId, who.headers)
  const answered = await run(deps, request, match, who.caller, requestId)
  if (!answered.ok) {
    return problemResponse(explainGroups(answered.failure, who.groupsLeftOut), request.path, requestId)
  }
  return responseOf(request, answered.value)
}

type Admission =
  | { readonly ok: true; readonly caller: Caller; readonly groupsLeftOut: boolean }
  | { readonly ok: false; readonly failure: Failure; readonly headers?: Readonly<Record<string, string>> }

/** Authentication and role. What is behind them is not looked at before. */
async function admit(deps: HttpDeps, request: HttpRequest, route: Route, requestId: string): Promise<Admission> {
  if (route.access === 'open') return { ok: true, caller: NOBODY, groupsLeftOut: false }
  const who = await authenticate(deps, request.headers.authorization)
  if (!who.ok) {
    deps.logger.log('info', 'http.unauthenticated', { requestId, path: request.path, why: who.why })
    const { failure } = fail('Unauthenticated', 'The request carries no token that is taken here.')
    return { ok: false, failure, headers: { 'www-authenticate': who.challenge } }
  }
  const failure = checkRole(who.caller, route.access)
  return failure ? { ok: false, failure: explainGroups(failure, who.groupsLeftOut) } : who
}

async function run(
  deps: HttpDeps,
  request: HttpRequest,
  match: Extract<Match, { kind: 'route' }>,
  caller: Caller,
  requestId: string,
): Promise<Result<Answer>> {
  const call = await checkedCall(deps, request, match, caller, requestId)
  return call.ok ? match.route.handle(call.value) : call
}

function responseOf(request: HttpRequest, answer: Answer): HttpResponse {
  const reads = request.method === 'GET' || request.method === 'HEAD'
  const tagged = answer.etag ?? (reads && answer.json !== undefined ? entityTag(request.path, answer.json) : undefined)
  const headers: Record<string, string> = { ...answer.headers, ...(tagged === undefined ? {} : { etag: tagged }) }
  if (reads && tagged !== undefined && isUnchanged(request.headers['if-none-match'], tagged)) {
    return { status: 304, headers }
  }
  if (answer.json !== undefined) {
    return {
      status: answer.status,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(answer.json),
    }
  }
  return { status: answer.status, headers, ...(answer.body === undefined ? {} : { body: answer.body }) }
}

/** The header Allow of a path: what its routes take, and what every path takes. */
function allowed(path: string): string {
  const match = router('', path)
  const methods = match.kind === 'method' ? match.allow : []
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ')
}
