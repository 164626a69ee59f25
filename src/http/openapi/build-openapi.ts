import { FAILURES } from '../../model/failure.ts'
import { pathsOf } from '../match-route.ts'
import type { Route } from '../route.ts'
import { ROUTES } from '../routes.ts'
import { componentSchemas, type JsonSchema } from './component-schemas.ts'
import { operationOf, type SharedResponses } from './operation.ts'

const DESCRIPTION = `Control plane for service meshes on AKS: register clusters and services once, then promote candidates by
rollouts that are judged on real traffic. Durations are written "90s", "5m", "24h"; times are RFC 3339. Lists are
\`{ "value": [], "nextLink"? }\`. Failures are \`application/problem+json\` with a stable \`code\`.`

/** The OpenAPI 3.1 document of the whole API, from the route table and its schemas. */
export function buildOpenApi(routes: readonly Route[] = ROUTES): JsonSchema {
  const schemas = componentSchemas()
  schemas.put('Problem', PROBLEM)
  const responses: SharedResponses = {}
  const paths: Record<string, Record<string, JsonSchema>> = {}
  for (const route of routes) {
    const [path = ''] = pathsOf(route)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, schemas, responses) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Meshwright',
      version: '1',
      description: DESCRIPTION.replaceAll('\n', ' '),
      license: { name: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ entra: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: sorted(schemas.all),
      responses: sorted(responses),
      securitySchemes: {
        entra: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Entra ID access token for this API; app roles say what it may do',
        },
      },
    },
  }
}

function sorted<T>(named: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const PROBLEM: JsonSchema = {
  type: 'object',
  description: 'Problem details (RFC 9457)',
  'x-codes': FAILURES,
  required: ['type', 'title', 'status', 'code', 'detail', 'instance', 'hint', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(FAILURES), description: 'Stable; may grow' },
    detail: { type: 'string', description: 'What is wrong with this request' },
    instance: { type: 'string', description: 'The path that was asked' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'reason'],
        properties: {
          pointer: {
            type: 'string',
            description: 'JSON pointer (RFC 6901) into the body, or query/NAME, header/NAME, path/NAME',
          },
          reason: { type: 'string' },
        },
      },
    },
    hint: { type: 'string', description: 'The way out' },
    requestId: { type: 'string', description: 'Also in the header x-request-id' },
  },
  examples: [
    {
      type: '/docs#problem-InvalidRequest',
      title: 'The request does not fit the schema',
      status: 400,
      code: 'InvalidRequest',
      detail: 'The body does not fit: /prots is no field here.',
      instance: '/api/v1/services/shop/web',
      errors: [{ pointer: '/prots', reason: 'is no field here' }],
      hint: 'See /docs for the fields of this operation.',
      requestId: '6f1c2d3e-4b5a-4c6d-8e7f-0a1b2c3d4e5f',
    },
  ],
}
