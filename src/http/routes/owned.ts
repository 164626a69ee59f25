import * as z from 'zod'
import { entityTag } from '../../model/digest.ts'
import { type Failure, fail, type Result, succeed } from '../../model/failure.ts'
import type { RequestContext } from '../../model/request.ts'
import type { PutOutcome } from '../../ports/put-document.ts'
import { mergePatch } from '../merge-patch.ts'
import type { HttpRequest } from '../message.ts'
import { type Answer, BASE_PATH } from '../route.ts'
import { schemaErrors } from '../schema-errors.ts'

/** What resources that users own by PUT, PATCH and DELETE have in common. */

const PATCH_ATTEMPTS = 4

/** Body of a PATCH: checked after it is merged. */
export const patchSchema = z
  .record(z.string(), z.unknown())
  .describe('Merge patch (RFC 7396) of what PUT takes: null removes a field')

/** The address of a path of the API. */
export function addressOf(request: HttpRequest, path: string): string {
  return request.baseUrl + BASE_PATH + path
}

/** The answer of a PUT or PATCH: 201 with its address when it is new. */
export function putAnswer(
  request: HttpRequest,
  outcome: Pick<PutOutcome<unknown>, 'status'>,
  resource: { readonly path: string; readonly key: string; readonly spec: unknown; readonly view: unknown },
): Answer {
  const created = outcome.status === 'created'
  return {
    status: created ? 201 : 200,
    json: resource.view,
    etag: entityTag(resource.key, resource.spec),
    ...(created ? { headers: { location: addressOf(request, resource.path) } } : {}),
  }
}

/** The answer to a call whose work goes on: 202, and where to ask how far it is. */
export function acceptedAnswer(request: HttpRequest, operation: string, answer: Omit<Answer, 'status'> = {}): Answer {
  return { ...answer, status: 202, headers: { ...answer.headers, ...operationHeaders(request, operation) } }
}

/**
 * The answer of a PUT or PATCH whose work goes on after it: as it is when that is done; 202 when it was waited for and is not; else with
 * the address where to ask how far it is.
 */
export function settledAnswer(
  { request, query }: { readonly request: HttpRequest; readonly query: { readonly wait?: unknown } },
  answer: Answer,
  { operation, isDone }: { readonly operation: string; readonly isDone: boolean },
): Answer {
  if (isDone) return answer
  if (query.wait !== undefined) return acceptedAnswer(request, operation, answer)
  return { ...answer, headers: { ...answer.headers, ...operationHeaders(request, operation) } }
}

function operationHeaders(request: HttpRequest, operation: string): Readonly<Record<string, string>> {
  return { 'operation-location': addressOf(request, `/operations/${operation}`), 'retry-after': '2' }
}

export interface PatchRequest<Spec, T> {
  readonly what: string
  readonly key: string
  readonly patch: unknown
  readonly schema: z.ZodType<Spec>
  readonly context: RequestContext
  /** What users own of it now; undefined: it is not there. */
  read(): Promise<Spec | undefined>
  put(spec: Spec, context: RequestContext): Promise<Result<T>>
}

/**
 * PATCH as read, merge, check, PUT: written only if what was merged with is still there. Repeated when another writer was
 * first, unless the caller named the state that it wants to change.
 */
export async function patchOwned<Spec, T>(request: PatchRequest<Spec, T>): Promise<Result<T>> {
  const { key, context } = request
  for (let attempt = 1; ; attempt += 1) {
    const before = await request.read()
    if (before === undefined) return fail('NotFound', `There is no ${request.what} ${key}.`)
    const merged = mergePatch(before, request.patch)
    const parsed = request.schema.safeParse(merged)
    if (!parsed.success) return unfit(parsed.error, merged)
    const ifMatch = context.ifMatch?.includes('*') === false ? context.ifMatch : [entityTag(key, before)]
    const put = await request.put(parsed.data, { ...context, ifMatch })
    const lost = !put.ok && put.failure.code === 'PreconditionFailed'
    if (!lost || ifMatch === context.ifMatch) return put
    if (attempt === PATCH_ATTEMPTS) return fail('WriteConflict', `Others changed ${request.what} ${key} meanwhile.`)
  }
}

function unfit(error: z.ZodError, merged: unknown): { ok: false; failure: Failure } {
  const errors = schemaErrors(error, merged)
  return fail('InvalidRequest', `After the patch it does not fit: ${errors[0]?.pointer} ${errors[0]?.reason}.`, {
    errors,
  })
}

/** The answer to a GET of one resource, or 404. */
export function found<T>(
  what: string,
  key: string,
  value: T | undefined,
  answer: (value: T) => Answer,
): Result<Answer> {
  return value === undefined ? fail('NotFound', `There is no ${what} ${key}.`) : succeed(answer(value))
}
