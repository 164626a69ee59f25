import * as z from 'zod'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { HttpRequest } from './message.ts'
import type { Answer } from './route.ts'

const MOST = 1000

/** `?limit=`: a whole number from 1 to 1000. */
export const limitParameter = z
  .string()
  .regex(/^\d{1,4}$/, `must be a whole number from 1 to ${MOST}`)
  .refine((text) => Number(text) >= 1 && Number(text) <= MOST, `must be a whole number from 1 to ${MOST}`)
  .optional()
  .describe('Most entries of one page; 100 when left out')
  .meta({ type: 'integer', minimum: 1, maximum: MOST })

/** `?after=`: where the next page begins. */
export const afterParameter = z
  .string()
  .min(1)
  .max(4096)
  .optional()
  .describe('Where a page begins: opaque, taken from nextLink')

export const pageQuery = z.strictObject({ limit: limitParameter, after: afterParameter })
export type PageQuery = z.infer<typeof pageQuery>

export function limitOf(query: { readonly limit?: string | undefined }): number {
  return query.limit === undefined ? 100 : Number(query.limit)
}

/** The schema of a list's answer. */
export function listOf(item: z.ZodType) {
  return z.object({
    value: z.array(item),
    nextLink: z.url().optional().describe('Address of the next page; left out on the last'),
  })
}

/** A place in a list as an opaque text. */
export function encodePlace(place: string): string {
  return Buffer.from(place).toString('base64url')
}

/** The place that `?after=` names; undefined at the beginning. */
export function decodePlace(after: string | undefined): Result<string | undefined> {
  if (after === undefined) return succeed(undefined)
  const place = Buffer.from(after, 'base64url').toString()
  if (place !== '' && encodePlace(place) === after) return succeed(place)
  return brokenPlace()
}

export function brokenPlace(pointer = 'query/after'): ReturnType<typeof fail> {
  const reason = 'must be as nextLink gave it'
  return fail('InvalidRequest', 'The place in the list cannot be read.', { errors: [{ pointer, reason }] })
}

/** The answer of a list; `next` is the place behind its last entry. */
export function pageAnswer(
  request: HttpRequest,
  value: readonly unknown[],
  next?: string,
  more: Readonly<Record<string, unknown>> = {},
): Result<Answer> {
  const nextLink = next === undefined ? {} : { nextLink: linkTo(request, next) }
  return succeed({ status: 200, json: { value, ...nextLink, ...more } })
}

function linkTo(request: HttpRequest, next: string): string {
  const query = new URLSearchParams(request.query)
  query.set('after', next)
  return `${request.baseUrl}${request.path}?${query}`
}
