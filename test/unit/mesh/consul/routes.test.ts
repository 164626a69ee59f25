import { describe, expect, it } from 'vitest'
import { inputOf, specs, withPolicy } from './specs.ts'

const once = ['POST', 'PATCH', 'CONNECT']
const SAFE = { retryOnConnectFailure: true, retryOn: ['refused-stream'] }
const USUAL = { retryOnConnectFailure: true, retryOn: ['refused-stream', 'gateway-error'] }

function routes(policy: Readonly<Record<string, unknown>>, change: Parameters<typeof inputOf>[0] = {}) {
  const { ServiceRouter } = specs(withPolicy(policy, change)) as { ServiceRouter: { routes: unknown[] } }
  return ServiceRouter.routes
}
const all = { match: { http: { pathPrefix: '/' } } }

describe('routes in Consul', () => {
  it('carry the timeout and try again what fits, less of what may not be done twice', () => {
    const traffic = { timeout: '1500ms', retries: { attempts: 2 } }
    expect(routes({ traffic })).toEqual([
      { match: { http: { methods: once } }, destination: { requestTimeout: '1.5s', numRetries: 2, ...SAFE } },
      { ...all, destination: { requestTimeout: '1.5s', numRetries: 2, ...USUAL } },
    ])
    const nonIdempotent = { retries: { attempts: 2, nonIdempotent: true } }
    expect(routes({ traffic: nonIdempotent })).toEqual([{ ...all, destination: { numRetries: 2, ...USUAL } }])
  })

  it('try nothing again with 0 attempts, and of calls by gRPC what is asked', () => {
    expect(routes({ traffic: { retries: { attempts: 0 } } })).toEqual([all])
    const ports = [{ name: 'api', port: 80, protocol: 'grpc' }]
    expect(routes({ ports, traffic: { retries: { attempts: 1 } } })).toEqual([
      {
        ...all,
        destination: {
          numRetries: 1,
          retryOnConnectFailure: true,
          retryOn: ['refused-stream', 'unavailable', 'cancelled'],
        },
      },
    ])
    const on = ['gateway-error', 'reset', '5xx']
    expect(routes({ traffic: { retries: { attempts: 1, on } } })).toEqual([
      { match: { http: { methods: once } } },
      { ...all, destination: { numRetries: 1, retryOn: on } },
    ])
  })

  it('match path, method, header, cookie and query', () => {
    const match = [
      { path: { exact: '/a' }, methods: ['GET'], headers: { 'x-a': { exact: '1' }, 'x-b': { prefix: 'p' } } },
      { path: { prefix: '/b' } },
      { path: { regex: '/c/[0-9]+' }, query: { q: { exact: '1' }, r: { prefix: 'a.' }, s: { regex: 'z+' } } },
      { cookie: { name: 'c', value: 'v' }, headers: { 'x-d': { regex: 'd*' } } },
    ]
    expect(routes({ traffic: { routes: [{ name: 'some', match, timeout: '1s' }] } })).toEqual([
      ...[
        {
          pathExact: '/a',
          header: [
            { name: 'x-a', exact: '1' },
            { name: 'x-b', prefix: 'p' },
          ],
          methods: ['GET'],
        },
        { pathExact: '/b' },
        { pathPrefix: '/b/' },
        {
          pathRegex: '/c/[0-9]+',
          queryParam: [
            { name: 'q', exact: '1' },
            { name: 'r', regex: 'a\\..*' },
            { name: 's', regex: 'z+' },
          ],
        },
        {
          header: [
            { name: 'x-d', regex: 'd*' },
            { name: 'cookie', regex: '(.*;\\s*)?c=v(\\s*;.*)?' },
          ],
        },
      ].map((http) => ({ match: { http }, destination: { requestTimeout: '1s' } })),
      all,
    ])
  })

  it.each([
    [{ exact: '/a' }, '/b', [{ pathExact: '/a', to: '/b' }]],
    [
      { prefix: '/a' },
      '/b',
      [
        { pathExact: '/a', to: '/b' },
        { pathPrefix: '/a/', to: '/b/' },
      ],
    ],
    [
      { prefix: '/a/' },
      '/',
      [
        { pathExact: '/a', to: '/' },
        { pathPrefix: '/a/', to: '/' },
      ],
    ],
    [
      { prefix: '/' },
      '/b/',
      [
        { pathExact: '/', to: '/b/' },
        { pathPrefix: '/', to: '/b/' },
      ],
    ],
  ])('rewrite %j to %s by whole segments', (path, to, expected) => {
    const written = routes({ traffic: { routes: [{ name: 'a', match: [{ path }], rewrite: { path: to } }] } })
    expect(written.slice(0, -1)).toEqual(
      expected.map(({ to, ...http }) => ({ match: { http }, destination: { prefixRewrite: to } })),
    )
  })

  it('take what matches to the candidate before they split, in each route of the policy too', () => {
    const candidate = {
      version: 'v2',
      match: [{ path: { exact: '/a/x' } }, { headers: { 'x-preview': { exact: 'yes' } } }],
    }
    const route = { name: 'a', match: [{ path: { prefix: '/a' } }], rewrite: { path: '/b' } }
    const written = routes({ traffic: { routes: [route] } }, { candidate })
    const header = [{ name: 'x-preview', exact: 'yes' }]
    expect(written).toEqual([
      { match: { http: { pathExact: '/a/x' } }, destination: { serviceSubset: 'v2', prefixRewrite: '/b/x' } },
      { match: { http: { pathExact: '/a', header } }, destination: { serviceSubset: 'v2', prefixRewrite: '/b' } },
      { match: { http: { pathPrefix: '/a/', header } }, destination: { serviceSubset: 'v2', prefixRewrite: '/b/' } },
      { match: { http: { pathExact: '/a' } }, destination: { prefixRewrite: '/b' } },
      { match: { http: { pathPrefix: '/a/' } }, destination: { prefixRewrite: '/b/' } },
      { match: { http: { pathExact: '/a/x' } }, destination: { serviceSubset: 'v2' } },
      { match: { http: { header } }, destination: { serviceSubset: 'v2' } },
      all,
    ])
  })

  it('refuse to join two patterns for one path', async () => {
    const { consul } = await import('../../../../src/mesh/consul/consul.ts')
    const route = { name: 'a', match: [{ path: { regex: '/a.*' } }], timeout: '1s' }
    const input = withPolicy(
      { traffic: { routes: [route] } },
      { candidate: { version: 'v2', match: [{ path: { prefix: '/a' } }] } },
    )
    expect(consul.render(input)).toMatchObject({ failure: { errors: [{ pointer: '/traffic/routes/0/match/0/path' }] } })
  })

  it('know clients that had the candidate by a cookie, which its answers set', () => {
    const affinity = { cookie: '50%', value: 'shop.web.k3', maxAgeMs: 60_000 }
    const got = specs(inputOf({ weights: { v1: 90, v2: 10 }, candidate: { version: 'v2', affinity } }))
    expect(got.ServiceRouter).toEqual({
      routes: [
        {
          match: { http: { header: [{ name: 'Cookie', regex: '(.*;\\s*)?50%=shop\\.web\\.k3(\\s*;.*)?' }] } },
          destination: { serviceSubset: 'v2' },
        },
        all,
      ],
    })
    const cookie = '50%%=shop.web.k3; Path=/; Max-Age=60; HttpOnly; SameSite=Lax'
    expect(got.ServiceSplitter).toEqual({
      splits: [
        { weight: 90, serviceSubset: 'v1' },
        { weight: 10, serviceSubset: 'v2', responseHeaders: { add: { 'Set-Cookie': cookie } } },
      ],
    })
  })
})

describe('who may call in Consul', () => {
  const sources = (authorization: object) => {
    const got = specs(withPolicy({ security: { authorization } })).ServiceIntentions as
      | { sources: unknown[] }
      | undefined
    return got?.sources
  }
  const rest = { action: 'deny', http: { pathRegex: '.*' } }

  it('is the mesh’s own affair until it is asked for', () => {
    expect(specs(inputOf()).ServiceIntentions).toBeUndefined()
    for (const authorization of [{}, { deny: [] }])
      expect(specs(withPolicy({ security: { authorization } })).ServiceIntentions).toBeUndefined()
  })

  it.each<[string, object, unknown[]]>([
    ['nobody', { allow: [] }, [{ name: '*', action: 'deny' }]],
    [
      'some callers',
      { allow: [{ name: 'x', serviceAccounts: ['shop/b', 'shop/a'] }] },
      [
        { name: 'a', action: 'allow' },
        { name: 'b', action: 'allow' },
        { name: '*', action: 'deny' },
      ],
    ],
    [
      'some callers for some requests, and all others for others',
      {
        allow: [
          { name: 'x', serviceAccounts: ['shop/a'], methods: ['GET'], paths: ['/a', '/b/*'] },
          { name: 'y', paths: ['/health'] },
        ],
      },
      [
        {
          name: 'a',
          permissions: [
            { action: 'allow', http: { pathExact: '/a', methods: ['GET'] } },
            { action: 'allow', http: { pathPrefix: '/b/', methods: ['GET'] } },
            { action: 'allow', http: { pathExact: '/health' } },
            rest,
          ],
        },
        { name: '*', permissions: [{ action: 'allow', http: { pathExact: '/health' } }, rest] },
      ],
    ],
    [
      'all but one for some requests',
      { deny: [{ name: 'x', serviceAccounts: ['shop/a'], methods: ['DELETE'] }] },
      [
        {
          name: 'a',
          permissions: [
            { action: 'deny', http: { methods: ['DELETE'] } },
            { action: 'allow', http: { pathRegex: '.*' } },
          ],
        },
        { name: '*', action: 'allow' },
      ],
    ],
    [
      'what one rule denies is not allowed by another',
      {
        deny: [{ name: 'x', paths: ['/admin*'] }],
        allow: [{ name: 'y', serviceAccounts: ['shop/a'] }],
      },
      [
        {
          name: 'a',
          permissions: [
            { action: 'deny', http: { pathPrefix: '/admin' } },
            { action: 'allow', http: { pathRegex: '.*' } },
          ],
        },
        { name: '*', action: 'deny' },
      ],
    ],
  ])('%s', (_, authorization, expected) => {
    expect(sources(authorization)).toEqual(expected)
  })
})
