import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createRouter, pathsOf } from '../../../src/http/match-route.ts'
import { buildOpenApi } from '../../../src/http/openapi/build-openapi.ts'
import { ROUTES } from '../../../src/http/routes.ts'
import { createWorld } from './fixture.ts'

type Json = ReturnType<typeof JSON.parse>

const api: Json = JSON.parse(JSON.stringify(buildOpenApi()))
const operations: Json[] = Object.values(api.paths).flatMap((item) => Object.values(item as object))

/** Every value in a JSON tree, with its key. */
function* walk(value: unknown): Generator<readonly [key: string, value: unknown]> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    yield [key, inner]
    yield* walk(inner)
  }
}

it('is what docs/openapi.json holds: npm run openapi writes it anew', () => {
  const file = join(import.meta.dirname, '../../../docs/openapi.json')
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(api)
})

it('is served as it is', async () => {
  const answer = await createWorld().call('GET', '/openapi.json', { token: null })
  expect(answer.json).toEqual(api)
})

describe('the OpenAPI document', () => {
  it('refers only to what it holds', () => {
    const refs = [...walk(api)].filter(([key]) => key === '$ref').map(([, ref]) => String(ref))
    expect(refs.length).toBeGreaterThan(100)
    for (const ref of new Set(refs)) {
      const found = ref
        .slice(2)
        .split('/')
        .reduce<Json>((value, part) => value?.[part], api)
      expect(found, ref).toBeDefined()
    }
    const used = new Set(refs.map((ref) => ref.split('/').at(-1)))
    for (const name of Object.keys(api.components.schemas)) expect(used, name).toContain(name)
  })

  it('names every operation once, tells who may call it and what it answers', () => {
    expect(operations).toHaveLength(ROUTES.length)
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(ROUTES.length)
    for (const { operationId, summary, description, responses, tags } of operations) {
      expect(summary, operationId).toMatch(/\w/)
      expect(description, operationId).toMatch(/(Roles: Mesh\.|Open to all)/)
      expect(tags).toHaveLength(1)
      // Bodies of chats are not checked: what is no command is refused as if it were forged.
      const isChat = tags.includes('Hooks') && !operationId.startsWith('hookAlerts')
      for (const status of [...(isChat ? [] : ['400']), '429', '500', '503'])
        expect(Object.keys(responses), operationId).toContain(status)
    }
  })

  it('asks for a token everywhere but on open paths', () => {
    expect(api.security).toEqual([{ entra: [] }])
    const open = operations.filter(({ security }) => security !== undefined).map(({ operationId }) => operationId)
    expect(open.filter((id) => !id.startsWith('hook'))).toEqual(
      expect.arrayContaining(['getHealth', 'getReadiness', 'getOpenApi', 'getDocs', 'getDashboard']),
    )
    expect(open).toHaveLength(12)
  })

  it('declares every parameter of every path', () => {
    for (const [path, item] of Object.entries<Json>(api.paths)) {
      for (const operation of Object.values<Json>(item)) {
        const declared = operation.parameters.filter((one: Json) => one.in === 'path').map((one: Json) => one.name)
        expect(declared, path).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))
      }
    }
  })

  it('gives examples of bodies that their schemas take', () => {
    for (const { body, operationId } of ROUTES) {
      if (body?.example === undefined) continue
      expect(body.schema.safeParse(body.example).error?.issues, operationId).toBeUndefined()
    }
    expect(ROUTES.filter(({ body }) => body !== undefined && body.example === undefined)).toEqual([])
  })

  it('closes what is sent and leaves open what is answered', () => {
    expect(api.components.schemas.Service.additionalProperties).toBe(false)
    expect(api.components.schemas.ServiceView).not.toHaveProperty('additionalProperties')
    expect(api.components.schemas.Service.required).not.toContain('onDrift')
    expect(api.components.schemas.ServiceView.required).toContain('onDrift')
  })

  it('uses no word that JSON Schema 2020-12 and OpenAPI 3.1 do not know', () => {
    const keys = new Set([...walk(api.components.schemas)].map(([key]) => key))
    for (const key of ['$schema', '$defs', 'nullable', 'definitions']) expect(keys).not.toContain(key)
    expect(api.openapi).toBe('3.1.0')
  })
})

describe('the route table', () => {
  it('reaches every route by a path of its own', () => {
    const router = createRouter(ROUTES)
    for (const route of ROUTES) {
      for (const path of pathsOf(route)) {
        const match = router(route.method, path.replaceAll(/\{\w+\}/g, 'x'))
        expect(match.kind === 'route' && match.route.operationId, path).toBe(route.operationId)
      }
    }
  })

  it('covers every path of the design', () => {
    const paths = new Set(ROUTES.map((route) => `${route.method} ${pathsOf(route)[0]?.replace('/api/v1', '')}`))
    const expected = [
      'GET /clusters/{cluster}/access',
      'GET /clusters/{cluster}/plan',
      'POST /services/{namespace}/{name}/plan',
      'GET /services/{namespace}/{name}/placements',
      'POST /services/{namespace}/{name}/rollouts',
      'GET /rollouts',
      ...['promote', 'pause', 'resume', 'approve', 'reject', 'abort', 'rollback', 'retry'].flatMap((verb) => [
        `POST /rollouts/{id}/${verb}`,
        `POST /services/{namespace}/{name}/${verb}`,
      ]),
      'GET /rollouts/{id}/evidence',
      'GET /rollouts/{id}/events',
      'POST /rollouts/{id}/replay',
      'GET /events',
      'GET /audit',
      'PUT /strategies/{name}',
      'PUT /certificates/{name}',
      'POST /certificates/{name}/rotate',
      'PUT /teams/{team}',
      'PUT /freezes/{name}',
      'GET /operations/{operation}',
      'POST /judge',
      'GET /capabilities',
      'GET /export',
      'POST /import',
      'POST /hooks/teams',
      'POST /hooks/slack/commands',
      'POST /hooks/slack/actions',
      'POST /hooks/alerts/azure-monitor',
      'POST /hooks/alerts/alertmanager',
      'POST /hooks/alerts/grafana',
      'POST /hooks/key-vault',
      'GET /healthz',
      'GET /readyz',
      'GET /openapi.json',
      'GET /docs',
      'GET /',
    ]
    expect(expected.filter((path) => !paths.has(path))).toEqual([])
  })
})
