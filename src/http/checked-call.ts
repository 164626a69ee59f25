import type * as z from 'zod'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { Caller } from '../model/identity.ts'
import type { RequestContext } from '../model/request.ts'
import type { HttpDeps } from './http-deps.ts'
import type { Match } from './match-route.ts'
import type { HttpRequest } from './message.ts'
import { pathParameter } from './params.ts'
import { MOST_BODY_BYTES, readJson, tooLarge } from './read-json.ts'
import { requestContext } from './request-context.ts'
import type { BodySpec, Call, RawBodySpec, Route } from './route.ts'
import { type FieldError, schemaErrors } from './schema-errors.ts'

type Checked = Call<unknown, unknown>

/** Checks path, query, headers and body of a request against its route; the first part that fails is named field by field. */
export async function checkedCall(
  deps: HttpDeps,
  request: HttpRequest,
  match: Extract<Match, { kind: 'route' }>,
  caller: Caller,
  requestId: string,
): Promise<Result<Checked>> {
  const { route } = match
  if (route.rawBody) return rawCall(deps, request, route.rawBody, { caller, requestId })
  const params = checkParams(match.raw)
  if (!params.ok) return params
  const query = checkQuery(route, request.query)
  if (!query.ok) return query
  const sent = route.body ? await readBody(request, route.body) : succeed(undefined)
  if (!sent.ok) return sent
  const body = route.body ? checkBody(route.body, sent.value, params.value) : sent
  if (!body.ok) return body
  const context = requestContext(route, request, caller, sent.value, requestId)
  if (!context.ok) return context
  return succeed({
    deps,
    request,
    params: params.value,
    query: query.value,
    body: body.value,
    caller,
    context: context.value,
  })
}

/** A call whose body only its handler may look at. Such routes have no parameters. */
async function rawCall(
  deps: HttpDeps,
  request: HttpRequest,
  { mostBytes }: RawBodySpec,
  context: RequestContext,
): Promise<Result<Checked>> {
  const body = await request.body(mostBytes)
  if (body === undefined) return tooLarge(mostBytes)
  return succeed({ deps, request, params: {}, query: request.query, body, caller: context.caller, context })
}

function checkParams(raw: Readonly<Record<string, string>>): Result<Readonly<Record<string, string>>> {
  const params: [string, string][] = []
  for (const [name, text] of Object.entries(raw)) {
    const value = decoded(text)
    const parsed = value === undefined ? undefined : pathParameter(name).safeParse(value)
    if (value === undefined || !parsed?.success) {
      const reason = parsed?.error?.issues[0]?.message ?? 'has a broken escape'
      const errors = [{ pointer: `path/${name}`, reason }]
      return fail('InvalidRequest', `The ${name} in the path ${reason}.`, { errors })
    }
    params.push([name, value])
  }
  return succeed(Object.fromEntries(params))
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function checkQuery(route: Route, sent: URLSearchParams): Result<unknown> {
  const names = [...sent.keys()]
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) return invalid('The query', [{ pointer: `query/${twice}`, reason: 'stands twice' }])
  if (!route.query) {
    const errors = names.map((name) => ({ pointer: `query/${name}`, reason: 'is no parameter here' }))
    return errors.length > 0 ? invalid('The query', errors) : succeed({})
  }
  const input = Object.fromEntries(sent)
  const parsed = route.query.safeParse(input)
  return parsed.success ? succeed(parsed.data) : invalid('The query', schemaErrors(parsed.error, input, 'query'))
}

function readBody(request: HttpRequest, spec: BodySpec<unknown>): Promise<Result<unknown>> {
  const { media = 'json', optional = false, mostBytes = MOST_BODY_BYTES } = spec
  return readJson(request, { media, optional, mostBytes })
}

function checkBody(spec: BodySpec<unknown>, sent: unknown, params: Readonly<Record<string, string>>): Result<unknown> {
  if (spec.optional && isEmpty(sent)) return succeed(undefined)
  const input = withoutReadOnly(sent, spec.readOnly ?? [])
  const named = otherName(sent, spec, params)
  const parsed = spec.schema.safeParse(input)
  const errors = [...named, ...(parsed.success ? [] : schemaErrors(parsed.error as z.ZodError, input))]
  return errors.length === 0 && parsed.success ? succeed(parsed.data) : invalid('The body', errors)
}

function isEmpty(sent: unknown): boolean {
  return sent === undefined || JSON.stringify(sent) === '{}'
}

function withoutReadOnly(sent: unknown, readOnly: readonly string[]): unknown {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent) || readOnly.length === 0) return sent
  return Object.fromEntries(Object.entries(sent).filter(([field]) => !readOnly.includes(field)))
}

/** A resource is named by its path; a body that names another was sent to the wrong place. */
function otherName(
  sent: unknown,
  spec: BodySpec<unknown>,
  params: Readonly<Record<string, string>>,
): readonly FieldError[] {
  if (typeof sent !== 'object' || sent === null) return []
  const expected = { namespace: params.namespace, name: params.name ?? params.cluster ?? params.team }
  return (['namespace', 'name'] as const).flatMap((field) => {
    const given: unknown = Reflect.get(sent, field)
    const counts = spec.readOnly?.includes(field) === true && given !== undefined && expected[field] !== undefined
    if (!counts || given === expected[field]) return []
    return [{ pointer: `/${field}`, reason: `must be ${expected[field]}, as in the path, or left out` }]
  })
}

function invalid(what: string, errors: readonly FieldError[]): ReturnType<typeof fail> {
  const [first] = errors
  const where = first ? `: ${`${first.pointer} ${first.reason}`.trim()}` : ''
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  return fail('InvalidRequest', `${what} does not fit${where}${more}.`, { errors })
}
