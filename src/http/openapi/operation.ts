import type * as z from 'zod'
import { FAILURES } from '../../model/failure.ts'
import { rolesFor } from '../authorize.ts'
import { pathParameter } from '../params.ts'
import type { AnswerSpec, RawBodySpec, Route } from '../route.ts'
import type { ComponentSchemas, JsonSchema } from './component-schemas.ts'
import { documentedFailures } from './documented-failures.ts'

/** Answers that several operations share, under `components`. */
export type SharedResponses = Record<string, JsonSchema>

/** One operation of the OpenAPI document. */
export function operationOf(route: Route, schemas: ComponentSchemas, responses: SharedResponses): JsonSchema {
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    description: describe(route),
    ...(route.access === 'open' ? { security: [] } : {}),
    parameters: [
      ...pathParameters(route, schemas),
      ...queryParameters(route.query, schemas),
      ...headerParameters(route),
    ],
    ...(route.body ? { requestBody: requestBody(route.body, schemas) } : {}),
    ...(route.rawBody ? { requestBody: rawBody(route.rawBody) } : {}),
    responses: { ...answers(route, schemas), ...failures(route, responses) },
  }
}

function describe(route: Route): string {
  const who = route.access === 'open' ? 'Open to all.' : `Roles: ${rolesFor(route.access).join(', ')}.`
  return route.description === undefined ? who : `${route.description} ${who}`
}

function pathParameters(route: Route, schemas: ComponentSchemas): readonly JsonSchema[] {
  return [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: schemas.add(pathParameter(name), 'input'),
  }))
}

function queryParameters(query: z.ZodType | undefined, schemas: ComponentSchemas): readonly JsonSchema[] {
  if (!query) return []
  const { properties = {} } = schemas.add(query, 'input') as { properties?: Record<string, JsonSchema> }
  return Object.entries(properties).map(([name, { description, pattern, ...schema }]) => ({
    name,
    in: 'query',
    ...(description === undefined ? {} : { description }),
    schema: schema.type === 'string' && pattern !== undefined ? { ...schema, pattern } : schema,
  }))
}

function headerParameters(route: Route): readonly JsonSchema[] {
  const named = (name: string, description: string) => ({ name, in: 'header', description, schema: { type: 'string' } })
  const reads = route.method === 'GET' && hasJson(route)
  return [
    ...(route.conditional ? [named('If-Match', 'Entity tags, or *: only if it still is as it was read')] : []),
    ...(route.conditional && route.method === 'PUT' ? [named('If-None-Match', '*: only if it is new')] : []),
    ...(reads ? [named('If-None-Match', 'Entity tags: 304 when it is unchanged')] : []),
    ...(route.repeatable
      ? [named('Idempotency-Key', 'The same key with the same body does it once; kept for 24 hours')]
      : []),
  ]
}

function requestBody(body: NonNullable<Route['body']>, schemas: ComponentSchemas): JsonSchema {
  const content = {
    schema: schemas.add(body.schema, 'input'),
    ...(body.example === undefined ? {} : { example: body.example }),
  }
  const media = body.media === 'merge' ? ['application/merge-patch+json', 'application/json'] : ['application/json']
  return { required: body.optional !== true, content: Object.fromEntries(media.map((type) => [type, content])) }
}

/** What services outside send is theirs to describe. */
function rawBody({ types }: RawBodySpec): JsonSchema {
  return { required: true, content: Object.fromEntries(types.map((type) => [type, { schema: { type: 'object' } }])) }
}

function hasJson(route: Route): boolean {
  return Object.values(route.answers).some(({ schema }) => schema !== undefined)
}

function answers(route: Route, schemas: ComponentSchemas): JsonSchema {
  const documented = Object.entries(route.answers).map(([status, answer]) => [
    status,
    answerOf(route, Number(status), answer, schemas),
  ])
  const unchanged =
    route.method === 'GET' && hasJson(route) ? { 304: { description: 'It is as the caller knows it' } } : {}
  return { ...Object.fromEntries(documented), ...unchanged }
}

function answerOf(route: Route, status: number, answer: AnswerSpec, schemas: ComponentSchemas): JsonSchema {
  const { description, schema, contentType, stream } = answer
  const headers = headersOf(route, status, answer)
  const content = {
    ...(schema ? { 'application/json': { schema: schemas.add(schema, 'output') } } : {}),
    ...(contentType === undefined ? {} : { [contentType]: { schema: { type: 'string' } } }),
    ...(stream === undefined ? {} : { 'text/event-stream': { schema: { type: 'string', description: stream } } }),
  }
  return {
    description,
    ...(Object.keys(headers).length > 0 ? { headers } : {}),
    ...(Object.keys(content).length > 0 ? { content } : {}),
  }
}

function headersOf(route: Route, status: number, answer: AnswerSpec): JsonSchema {
  const header = (description: string, type = 'string') => ({ description, schema: { type } })
  const tagged = answer.schema !== undefined && (route.method === 'GET' || route.conditional === true)
  return {
    ...(tagged ? { ETag: header('Of the part that users own, where there is one') } : {}),
    ...(status === 201 ? { Location: header('Address of what is new') } : {}),
    ...(status === 202 && !route.rawBody
      ? {
          'Operation-Location': header('Address that tells how far it is'),
          'Retry-After': header('Seconds until it is worth asking', 'integer'),
        }
      : {}),
  }
}

/** Failures as references: most operations share theirs. */
function failures(route: Route, responses: SharedResponses): JsonSchema {
  const entries = [...documentedFailures(route)].map(([status, codes]) => {
    const name = codes.join('Or')
    const description = codes.map((code) => `${code}: ${FAILURES[code].title}.`).join(' ')
    const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
    responses[name] = { description, content }
    return [status, { $ref: `#/components/responses/${name}` }]
  })
  return Object.fromEntries(entries)
}
