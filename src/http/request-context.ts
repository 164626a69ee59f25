import { digest } from '../model/digest.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { Caller } from '../model/identity.ts'
import type { RequestContext } from '../model/request.ts'
import type { HttpRequest } from './message.ts'
import type { Route } from './route.ts'

/** What a write knows of its request besides the body: who asks, preconditions (RFC 9110 §13), idempotency key. */
export function requestContext(
  route: Route,
  request: HttpRequest,
  caller: Caller,
  body: unknown,
  requestId: string,
): Result<RequestContext> {
  const conditions = route.conditional ? preconditions(route, request) : succeed({})
  if (!conditions.ok) return conditions
  const key = route.repeatable ? request.headers['idempotency-key'] : undefined
  if (key === undefined) return succeed({ caller, requestId, ...conditions.value })
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    return header('idempotency-key', 'must have 1 to 255 printable ASCII characters')
  }
  const id = digest(caller.id, route.method, request.path, key)
  return succeed({ caller, requestId, ...conditions.value, idempotency: { id, body: digest(body ?? null) } })
}

function preconditions(route: Route, request: HttpRequest): Result<Pick<RequestContext, 'ifMatch' | 'createOnly'>> {
  const match = request.headers['if-match']
  const ifMatch = match === undefined ? undefined : entityTags(match)
  if (match !== undefined && ifMatch === undefined) {
    return header('if-match', 'must be * or entity tags in double quotes, as the header ETag gave them')
  }
  const none = request.headers['if-none-match']
  if (none !== undefined && (route.method !== 'PUT' || none.trim() !== '*')) {
    return header('if-none-match', route.method === 'PUT' ? 'must be * here' : 'is not taken here')
  }
  return succeed({
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(none === undefined ? {} : { createOnly: true }),
  })
}

function header(name: string, reason: string): { ok: false; failure: ReturnType<typeof fail>['failure'] } {
  return fail('InvalidRequest', `The header ${name} ${reason}.`, { errors: [{ pointer: `header/${name}`, reason }] })
}

/** The tags of If-Match or If-None-Match, `*` as itself; undefined when the text is neither. Weak tags stay marked `W/`. */
export function entityTags(text: string): readonly string[] | undefined {
  if (text.trim() === '*') return ['*']
  if (!/^\s*(W\/)?"[\x21\x23-\x7e]*"(\s*,\s*(W\/)?"[\x21\x23-\x7e]*")*\s*$/.test(text)) return undefined
  return text.match(/(W\/)?"[^"]*"/g) ?? []
}
