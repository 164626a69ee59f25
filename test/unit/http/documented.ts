import { expect } from 'vitest'
import { createRouter } from '../../../src/http/match-route.ts'
import { documentedFailures } from '../../../src/http/openapi/documented-failures.ts'
import { ROUTES } from '../../../src/http/routes.ts'

const router = createRouter(ROUTES)

interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly json: unknown
}

/**
 * Holds an answer against what the route table, and so the OpenAPI document, says of it: the status is listed, the code
 * of a failure is one of its status, and a body is what its schema says, field by field.
 */
export function checkDocumented(method: string, path: string, { status, headers, json }: Answered): void {
  expect(headers['x-request-id']).toMatch(/^[\w-]+$/)
  expect(headers['x-content-type-options']).toBe('nosniff')
  const match = router(method, path)
  if (match.kind !== 'route' || status === 304) return
  const { route } = match
  const where = `${method} ${route.path} answered ${status}`
  const success = route.answers[status]
  if (success) {
    const isJson = success.schema !== undefined && headers['content-type'] === 'application/json'
    if (isJson) expect(success.schema?.parse(json), where).toEqual(json)
    return
  }
  const codes = documentedFailures(route).get(status)
  expect(codes, `${where}, which is not documented: ${JSON.stringify(json)}`).toBeDefined()
  expect(headers['content-type']).toBe('application/problem+json')
  expect(codes, where).toContain((json as { code: string }).code)
}
