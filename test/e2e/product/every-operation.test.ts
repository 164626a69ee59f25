import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Product, startProduct } from './product.ts'
import { webService } from './web-service.ts'

let product: Product

beforeAll(async () => {
  product = await startProduct()
})
afterAll(() => product.close())

interface Operation {
  readonly operationId: string
  readonly responses: Readonly<Record<string, unknown>>
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: unknown }>> }
}

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** Every operation, those that remove things last. */
async function operations() {
  const response = await fetch(`${product.file.baseUrl}/openapi.json`)
  const { paths } = (await response.json()) as Description
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) =>
      operation.operationId === undefined ? [] : [{ method: method.toUpperCase(), path, operation }],
    ),
  )
  return [...all.filter(({ method }) => method !== 'DELETE'), ...all.filter(({ method }) => method === 'DELETE')]
}

/** Without a body, with an empty one, and with the one that the description gives as an example. */
function bodies(method: string, { requestBody }: Operation): readonly (string | undefined)[] {
  if (method === 'GET') return [undefined]
  const example = Object.values(requestBody?.content ?? {})[0]?.example
  return [undefined, '{}', ...(example === undefined ? [] : [JSON.stringify(example)])]
}

test('every operation answers what its description lists, and nothing breaks', { timeout: 120_000 }, async () => {
  const { id } = await (await webService(product, 'tried')).start()
  const values: Readonly<Record<string, string>> = {
    namespace: 'shop',
    name: 'tried',
    cluster: 'east',
    team: 'shop',
    id,
  }
  const told: string[] = []
  let calls = 0
  for (const { method, path, operation } of await operations()) {
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? 'some')
    for (const body of bodies(method, operation)) {
      const response = await fetch(product.file.baseUrl + filled, {
        method,
        headers: { authorization: `Bearer ${product.file.tokens.admin}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body }),
      })
      const text = await response.text()
      calls += 1
      const type = response.headers.get('content-type')
      const isListed = Object.hasOwn(operation.responses, response.status)
      const isBroken = response.status >= 500 && response.status !== 501
      const isProblem = type === 'application/problem+json'
      if (!isListed || isBroken || isProblem !== response.status >= 400)
        told.push(`${operation.operationId} with ${body}: ${response.status} ${type} ${text.slice(0, 200)}`)
    }
  }
  expect(told).toEqual([])
  expect(calls).toBeGreaterThan(100)
})
