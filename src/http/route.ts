import type * as z from 'zod'
import type { FailureCode, Result } from '../model/failure.ts'
import type { Caller, Role } from '../model/identity.ts'
import type { RequestContext } from '../model/request.ts'
import type { HttpDeps } from './http-deps.ts'
import type { HttpRequest } from './message.ts'

export type Method = 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE'

/** Every path of the API but the open ones lies below this. */
export const BASE_PATH = '/api/v1'

/** What a handler answers; `handle` adds the headers that all answers share. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is, with the content type in `headers`. */
  readonly body?: string | AsyncIterable<string>
  /** Of the part that users own. Left out on a GET: a hash of the JSON. */
  readonly etag?: string
}

/** One request that has passed every check of its route. */
export interface Call<Body, Query> {
  readonly deps: HttpDeps
  readonly request: HttpRequest
  /** By name in the path template; each is checked. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
  readonly caller: Caller
  readonly context: RequestContext
}

/** What a body must be. */
export interface BodySpec<Body> {
  readonly schema: z.ZodType<Body>
  /** `merge` takes a merge patch (RFC 7396) also. */
  readonly media?: 'json' | 'merge'
  /** The body may be left out, or be `{}`: then the handler gets undefined. */
  readonly optional?: boolean
  /** Top-level fields that GET shows and nobody sets: dropped before the check, so that GET, edit, PUT works. */
  readonly readOnly?: readonly string[]
  /** 1 MiB when left out. */
  readonly mostBytes?: number
  readonly example?: unknown
}

/** A body that is handed over byte by byte, with no look at it: the handler proves first who sent it. */
export interface RawBodySpec {
  readonly mostBytes: number
  /** Content types for the description; what is sent as another is not refused. */
  readonly types: readonly string[]
}

/** One success that an operation can answer. */
export interface AnswerSpec {
  readonly description: string
  readonly schema?: z.ZodType
  readonly example?: unknown
  /** `application/json` when left out. */
  readonly contentType?: string
  /** A stream of the same data, when the caller accepts it. */
  readonly stream?: string
}

/**
 * Who may call: `open` to all, `any` of the five roles, or one of those named. Mesh.Admin may call everything.
 */
export type Access = 'open' | 'any' | readonly Role[]

/** One operation: drives routing, authorization, validation and OpenAPI. */
export interface RouteSpec<Body, Query> {
  readonly method: Method
  /** Below BASE_PATH, with `{name}` for parameters; see `params.ts` for what each must be. */
  readonly path: string
  /** The path is served at the root of the host, and below BASE_PATH also when `both`. */
  readonly root?: 'only' | 'both'
  readonly operationId: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly access: Access
  readonly query?: z.ZodType<Query>
  readonly body?: BodySpec<Body>
  /** In place of `body`: the handler gets bytes. The query is not checked then. */
  readonly rawBody?: RawBodySpec
  /** Takes If-Match (and If-None-Match on PUT). */
  readonly conditional?: boolean
  /** Takes Idempotency-Key. */
  readonly repeatable?: boolean
  /** By status. */
  readonly answers: Readonly<Record<number, AnswerSpec>>
  /** What it may fail with, besides what follows from the other fields. */
  readonly failures?: readonly FailureCode[]
  handle(call: Call<Body, Query>): Promise<Result<Answer>>
}

export type Route = RouteSpec<unknown, unknown>

/** A route whose handler gets the bytes of the body. */
export function rawRoute(spec: RouteSpec<Uint8Array, unknown> & { readonly rawBody: RawBodySpec }): Route {
  return spec as Route
}

/** Checks a route's types: body and query of the handler are those of the schemas. */
export function route<Body = undefined, Query = Record<string, never>>(spec: RouteSpec<Body, Query>): Route {
  return spec as Route
}
