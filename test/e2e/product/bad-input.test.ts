import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RolloutView } from '../../../src/http/views/rollout-view.ts'
import type { ServiceView } from '../../../src/http/views/service-view.ts'
import { type CallOptions, type Product, startProduct } from './product.ts'
import { wrongTokens } from './tokens.ts'
import { untilQuiet } from './until.ts'
import { SLOW, webService } from './web-service.ts'

let product: Product
let rollout: RolloutView
/** Everything that users own and all rollouts, as they are before the bad requests. */
let before: unknown

beforeAll(async () => {
  product = await startProduct()
  // A rollout that stands in the way, and stands still.
  const web = await webService(product, 'busy')
  await webService(product, 'idle')
  rollout = await web.start(SLOW)
  await product.rolloutWhen(rollout.id, ({ phase, liveAt }) => phase === 'progressing' && liveAt !== undefined)
  await done('POST', `/rollouts/${rollout.id}/pause`)
  await done('PUT', '/teams/other', { body: { namespaces: ['other'], groups: [OTHER_GROUP] } })
  await done('PUT', '/services/other/theirs', { body: { ...SERVICE, team: 'other', clusters: [] } })
  await done('PUT', '/teams/keyed', { body: TEAM, headers: { 'idempotency-key': 'once' } })
  before = await untilQuiet(written)
}, 120_000)
afterAll(() => product.close())

async function done(method: string, path: string, options?: CallOptions): Promise<void> {
  const { status, body } = await product.call(method, path, options)
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body)}`)
}

async function written(): Promise<unknown> {
  const lists = ['/export', '/rollouts', '/services', '/events?limit=1000'].map((path) => product.call('GET', path))
  const [state, rollouts, services, events] = (await Promise.all(lists)).map(({ body }) => body)
  return {
    state: { ...(state as object), exportedAt: '' },
    rollouts,
    generations: (services as { value: ServiceView[] }).value.map(({ name, generation }) => ({ name, generation })),
    events: (events as { value: { id: string; type: string; subject: string }[] }).value
      .filter(({ subject }) => !subject.startsWith('clusters/'))
      .map(({ id, type, subject }) => `${type} ${subject} ${id}`),
  }
}

interface Problem {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly hint: string
  readonly requestId: string
  readonly errors?: readonly { readonly pointer: string; readonly reason: string }[]
}

interface Refusal {
  readonly code: string
  readonly status: number
  /** Of the first error. */
  readonly pointer?: string
  /** What the reader must be told in detail, reason or hint. */
  readonly says?: RegExp
}

async function expectRefused(
  method: string,
  path: string,
  options: CallOptions,
  { code, status, pointer, says }: Refusal,
): Promise<void> {
  const { body, headers, ...answer } = await product.call<Problem>(method, path, options)
  expect({ status: answer.status, code: body.code, pointer: body.errors?.[0]?.pointer }).toEqual({
    status,
    code,
    pointer,
  })
  expect(headers.get('content-type')).toBe('application/problem+json')
  expect(body.status).toBe(status)
  expect(body.detail).not.toBe('')
  expect(body.hint).not.toBe('')
  expect(body.requestId).toBe(headers.get('x-request-id'))
  if (says) expect(`${body.detail} ${body.errors?.[0]?.reason} ${body.hint}`).toMatch(says)
  expect(await written()).toEqual(before)
}

const OTHER_GROUP = '00000000-dddd-4000-8000-000000000001'
const TEAM = { namespaces: ['keyed'], groups: [] }
const SERVICE = {
  team: 'shop',
  ports: [{ name: 'http', port: 80, protocol: 'http' }],
  versions: { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } },
  initialVersion: 'v1',
  clusters: ['east'],
}
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`

describe('a service that cannot be taken', () => {
  test.each<[string, object, Refusal]>([
    ['an unknown field', { portz: [] }, { status: 400, code: 'InvalidRequest', pointer: '/portz' }],
    [
      'an unknown field inside',
      { traffic: { timout: '5s' } },
      { status: 400, code: 'InvalidRequest', pointer: '/traffic/timout' },
    ],
    ['a wrong type', { ports: '80' }, { status: 400, code: 'InvalidRequest', pointer: '/ports' }],
    ['a name that is no DNS label', { team: 'Shop_1' }, { status: 400, code: 'InvalidRequest', pointer: '/team' }],
    [
      'a port out of range',
      { ports: [{ name: 'http', port: 70_000, protocol: 'http' }] },
      { status: 400, code: 'InvalidRequest', pointer: '/ports/0/port' },
    ],
    [
      'weights that do not add up',
      { traffic: { weights: { v1: 70, v2: 20 } } },
      { status: 400, code: 'InvalidRequest', pointer: '/traffic/weights', says: /sum 100, not 90/ },
    ],
    [
      'a weight that is no whole per cent',
      { traffic: { weights: { v1: 89.5, v2: 10.5 } } },
      { status: 400, code: 'InvalidRequest', pointer: '/traffic/weights/v1' },
    ],
    [
      'an initial version that is none',
      { initialVersion: 'v9' },
      { status: 400, code: 'InvalidRequest', pointer: '/initialVersion' },
    ],
    [
      'an unknown cluster',
      { clusters: ['east', 'north'] },
      { status: 422, code: 'UnknownReference', pointer: '/clusters', says: /north/ },
    ],
    ['an unknown team', { team: 'nobody' }, { status: 422, code: 'UnknownReference', pointer: '/team' }],
  ])('%s', async (_, change, refusal) => {
    await expectRefused('PUT', '/services/shop/new', { body: { ...SERVICE, ...change } }, refusal)
  })

  test('a name in the path that is no DNS label', async () => {
    const refusal = { status: 400, code: 'InvalidRequest', pointer: 'path/name' }
    await expectRefused('PUT', '/services/shop/New_1', { body: SERVICE }, refusal)
  })
})

describe('a body that cannot be read', () => {
  test.each<[string, CallOptions, Refusal]>([
    ['broken JSON', { text: '{"team": ' }, { status: 400, code: 'InvalidJson' }],
    ['no body', {}, { status: 400, code: 'InvalidJson' }],
    ['a list', { text: '[]' }, { status: 400, code: 'InvalidRequest', pointer: '' }],
    [
      'JSON that is too deep',
      { text: nested(100) },
      { status: 400, code: 'InvalidRequest', pointer: '/a'.repeat(32), says: /32 levels/ },
    ],
    [
      'JSON that is far too deep',
      { text: nested(100_000) },
      { status: 400, code: 'InvalidRequest', pointer: '/a'.repeat(32) },
    ],
    [
      'the name of a prototype',
      { text: '{"__proto__": {}}' },
      { status: 400, code: 'InvalidRequest', pointer: '/__proto__' },
    ],
    [
      'over 1 MiB',
      { body: { ...SERVICE, team: 'x'.repeat(1_048_576) } },
      { status: 413, code: 'TooLarge', says: /1 MiB/ },
    ],
    [
      'another content type',
      { text: 'team: shop', headers: { 'content-type': 'application/yaml' } },
      { status: 415, code: 'UnsupportedMediaType', pointer: 'header/content-type' },
    ],
  ])('%s', async (_, options, refusal) => {
    await expectRefused('PUT', '/services/shop/new', options, refusal)
  })
})

describe('a rollout that cannot start', () => {
  const start = { candidate: 'v2' }
  test.each<[string, string, object, Refusal]>([
    [
      'a candidate equal to stable',
      'idle',
      { candidate: 'v1' },
      { status: 422, code: 'InvalidCombination', pointer: '/candidate' },
    ],
    [
      'an unknown candidate',
      'idle',
      { candidate: 'v9' },
      { status: 422, code: 'UnknownReference', pointer: '/candidate', says: /v1, v2/ },
    ],
    [
      'a candidate whose labels are those of stable',
      'idle',
      { candidate: { name: 'v3', labels: { version: 'v1' } } },
      { status: 422, code: 'InvalidCombination', pointer: '/candidate' },
    ],
    [
      'a cluster that the service is not on',
      'idle',
      { ...start, clusters: ['north'] },
      { status: 422, code: 'UnknownReference', pointer: '/clusters' },
    ],
    [
      'one that overlaps with a live one',
      'busy',
      start,
      { status: 409, code: 'RolloutInFlight', pointer: '/clusters' },
    ],
    [
      'weights that fall',
      'idle',
      {
        ...start,
        steps: [
          { weight: 50, for: '1m' },
          { weight: 10, for: '1m' },
        ],
      },
      { status: 400, code: 'InvalidRequest', pointer: '/steps/1/weight' },
    ],
    [
      'a length of time in words',
      'idle',
      { ...start, steps: [{ weight: 50, for: 'two minutes' }] },
      { status: 400, code: 'InvalidRequest', pointer: '/steps/0/for' },
    ],
    [
      'a latency that is no edge of the histogram',
      'idle',
      { ...start, gates: [{ kind: 'latency', overMs: 400, limitPercent: 1 }] },
      { status: 422, code: 'InvalidCombination', pointer: '/gates/0/overMs', says: /250.*500/ },
    ],
    [
      'a strategy that is not there',
      'idle',
      { ...start, strategy: 'brave' },
      { status: 422, code: 'UnknownReference', pointer: '/strategy' },
    ],
  ])('%s', async (_, service, body, refusal) => {
    await expectRefused('POST', `/services/shop/${service}/rollouts`, { body }, refusal)
  })
})

describe('a change that does not fit what is there', () => {
  test('a stale ETag', async () => {
    const headers = { 'if-match': '"an-older-one"' }
    const refusal = { status: 412, code: 'PreconditionFailed', pointer: 'header/if-match' }
    await expectRefused('PUT', '/services/shop/idle', { body: SERVICE, headers }, refusal)
    await expectRefused('PATCH', '/services/shop/idle', { body: { adopt: true }, headers }, refusal)
    await expectRefused('DELETE', '/services/shop/idle', { headers }, refusal)
  })

  test('a creation of what is there', async () => {
    const headers = { 'if-none-match': '*' }
    const refusal = { status: 412, code: 'PreconditionFailed', pointer: 'header/if-none-match' }
    await expectRefused('PUT', '/services/shop/idle', { body: SERVICE, headers }, refusal)
  })

  test('an idempotency key with another body', async () => {
    const headers = { 'idempotency-key': 'once' }
    const refusal = { status: 409, code: 'IdempotencyMismatch', pointer: 'header/idempotency-key' }
    await expectRefused('PUT', '/teams/keyed', { body: { ...TEAM, namespaces: ['more'] }, headers }, refusal)
  })

  test('a version, a cluster or the service taken from a live rollout', async () => {
    const busy = { ...SERVICE, clusters: ['east', 'west'] }
    const { v1 } = SERVICE.versions
    const refused = (pointer: string) => ({ status: 409, code: 'RolloutInFlight', pointer })
    await expectRefused('PUT', '/services/shop/busy', { body: { ...busy, versions: { v1 } } }, refused('/versions/v2'))
    await expectRefused('PUT', '/services/shop/busy', { body: { ...busy, clusters: ['east'] } }, refused('/clusters'))
    await expectRefused('DELETE', '/services/shop/busy', {}, { status: 409, code: 'RolloutInFlight' })
  })

  test('a team or a cluster that is in use', async () => {
    await expectRefused('DELETE', '/teams/shop', {}, { status: 409, code: 'InUse' })
    await expectRefused('DELETE', '/clusters/east', {}, { status: 409, code: 'InUse' })
  })

  test('a verb that the phase does not take', async () => {
    const refusal = { status: 409, code: 'RolloutState', says: /paused/ }
    await expectRefused('POST', `/rollouts/${rollout.id}/approve`, {}, refusal)
  })
})

describe('a path or parameter that is not there', () => {
  test.each<[string, string, string, Refusal]>([
    ['an unknown path', 'GET', '/servicez', { status: 404, code: 'NotFound' }],
    ['an unknown service', 'GET', '/services/shop/none', { status: 404, code: 'NotFound' }],
    ['an unknown rollout', 'POST', '/rollouts/shop.none.abc/abort', { status: 404, code: 'NotFound' }],
    ['a method that is not taken', 'POST', '/services/shop/idle', { status: 405, code: 'MethodNotAllowed' }],
    [
      'an unknown parameter',
      'GET',
      '/services?colour=red',
      { status: 400, code: 'InvalidRequest', pointer: 'query/colour' },
    ],
    [
      'a wait that is too long',
      'GET',
      '/rollouts/shop.a.b?wait=300s',
      { status: 400, code: 'InvalidRequest', pointer: 'query/wait' },
    ],
  ])('%s', async (_, method, path, refusal) => {
    await expectRefused(method, path, {}, refusal)
  })
})

describe('a caller who may not', () => {
  test('no token, and tokens that nobody should take', async () => {
    const { good, ...wrong } = await wrongTokens(product)
    expect((await product.call('GET', '/services', { token: good })).status).toBe(200)
    for (const [what, token] of Object.entries(wrong)) {
      const { status, body, headers } = await product.call<Problem>('DELETE', '/services/shop/idle', { token })
      expect({ what, status, code: body.code }).toEqual({ what, status: 401, code: 'Unauthenticated' })
      expect(headers.get('www-authenticate')).toMatch(/^Bearer /)
    }
    const refusal = { status: 401, code: 'Unauthenticated' }
    await expectRefused('DELETE', '/services/shop/idle', { headers: { authorization: 'Basic YTpi' } }, refusal)
  })

  test.each<[string, string, string, CallOptions, Refusal]>([
    [
      'a viewer writes',
      'DELETE',
      '/services/shop/idle',
      { as: 'viewer' },
      { status: 403, code: 'Forbidden', says: /Mesh.Deployer/ },
    ],
    [
      'a deployer registers a cluster',
      'PUT',
      '/clusters/north',
      { as: 'deployer', body: { kubeconfig: { context: 'east' } } },
      { status: 403, code: 'Forbidden', says: /Mesh.Operator/ },
    ],
    [
      'a deployer approves',
      'POST',
      '/services/shop/busy/approve',
      { as: 'deployer' },
      { status: 403, code: 'Forbidden', says: /Mesh.Approver/ },
    ],
    [
      "a deployer changes another team's service",
      'PATCH',
      '/services/other/theirs',
      { as: 'deployer', body: { adopt: true } },
      { status: 403, code: 'Forbidden', says: /other/ },
    ],
    [
      "a deployer gives another team's service to its own",
      'PUT',
      '/services/other/theirs',
      { as: 'deployer', body: { ...SERVICE, clusters: [] } },
      { status: 403, code: 'Forbidden' },
    ],
    [
      "a deployer starts a rollout of another team's service",
      'POST',
      '/services/other/theirs/rollouts',
      { as: 'deployer', body: { candidate: 'v2' } },
      { status: 403, code: 'Forbidden' },
    ],
  ])('%s', async (_, method, path, options, refusal) => {
    await expectRefused(method, path, options, refusal)
  })
})
