import { describe, expect, it } from 'vitest'
import { istio } from '../../../../src/mesh/istio/istio.ts'
import type { RenderInput } from '../../../../src/mesh/provider.ts'
import type { RouteMatch } from '../../../../src/model/route-match.ts'
import { inputOf, rendered, specOf } from './specs.ts'

describe('what goes to a candidate besides its weight', () => {
  const weights = { v1: 100, v2: 0 }
  const host = 'web.shop.svc.cluster.local'
  const v1 = { destination: { host, subset: 'v1' }, weight: 100 }
  const v2 = { destination: { host, subset: 'v2' }, weight: 0 }
  const http = (candidate: RenderInput['candidate'], change: Partial<RenderInput> = {}) =>
    rendered(inputOf({ weights, ...change, ...(candidate ? { candidate } : {}) }))[1].spec?.http

  it('is a route before the one that splits: one of the matches must fit, and all parts of it', () => {
    const match: readonly RouteMatch[] = [
      { headers: { 'x-preview': { exact: 'yes' }, 'x-team': { prefix: 'shop-' } }, path: { exact: '/cart' } },
      { headers: { 'user-agent': { regex: '.*Firefox.*' } } },
      { path: { regex: '/v[0-9]+/.*' } },
    ]
    expect(http({ version: 'v2', match })).toEqual([
      {
        name: 'candidate.match',
        match: [
          { uri: { exact: '/cart' }, headers: { 'x-preview': { exact: 'yes' }, 'x-team': { prefix: 'shop-' } } },
          { headers: { 'user-agent': { regex: '.*Firefox.*' } } },
          { uri: { regex: '/v[0-9]+/.*' } },
        ],
        route: [{ destination: { host, subset: 'v2' } }],
      },
      { route: [v1, v2] },
    ])
  })

  it.each([
    ['/a', [{ exact: '/a' }, { prefix: '/a/' }]],
    ['/a/', [{ exact: '/a' }, { prefix: '/a/' }]],
    ['/', [{ prefix: '/' }]],
  ])('takes the prefix %s by whole segments', (prefix, uris) => {
    expect(http({ version: 'v2', match: [{ path: { prefix } }] })).toMatchObject([
      { match: uris.map((uri) => ({ uri })) },
      {},
    ])
  })

  it.each<[string, string | undefined, string, boolean]>([
    ['beta', 'on', 'beta=on', true],
    ['beta', 'on', 'a=1; beta=on; c=3', true],
    ['beta', 'on', 'a=1;beta=on', true],
    ['beta', 'on', 'beta=once', false],
    ['beta', 'on', 'alphabeta=on', false],
    ['beta', 'on', 'a=beta=on', false],
    ['beta', undefined, 'a=1; beta=whatever', true],
    ['beta', undefined, 'beta=', true],
    ['beta', undefined, 'a=1', false],
    ['a.b', 'x+y', 'a.b=x+y', true],
    ['a.b', 'x+y', 'azb=xxy', false],
    ['a|b', '(.*)', 'a|b=(.*)', true],
    ['a|b', '(.*)', 'b=1', false],
  ])('knows cookie %s with value %s in "%s": %s', (name, value, header, fits) => {
    const cookie = { name, ...(value === undefined ? {} : { value }) }
    const [route] = http({ version: 'v2', match: [{ cookie }] }) as [
      { match: [{ headers: { cookie: { regex: string } } }] },
    ]
    // As Envoy does, the pattern is to fit the whole header.
    expect(new RegExp(`^(?:${route.match[0].headers.cookie.regex})$`).test(header)).toBe(fits)
  })

  it('is a copy of some of what the other version gets', () => {
    expect(http({ version: 'v2', mirror: 25 })).toEqual([
      { route: [v1, v2], mirror: { host, subset: 'v2' }, mirrorPercentage: { value: 25 } },
    ])
  })

  it('is a cookie that the candidate sets, and a route for who comes with it', () => {
    const affinity = { cookie: 'meshwright-version', value: 'shop.web.k3', maxAgeMs: 86_400_000 }
    const set = 'meshwright-version=shop.web.k3; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax'
    expect(http({ version: 'v2', affinity }, { weights: { v1: 90, v2: 10 } })).toEqual([
      {
        name: 'candidate.affinity',
        match: [{ headers: { cookie: { regex: '(.*;\\s*)?meshwright-version=shop\\.web\\.k3(\\s*;.*)?' } } }],
        route: [{ destination: { host, subset: 'v2' } }],
      },
      {
        route: [
          { ...v1, weight: 90 },
          { ...v2, weight: 10, headers: { response: { add: { 'Set-Cookie': set } } } },
        ],
      },
    ])
  })

  it('escapes the per cent sign, which would begin a variable of Envoy', () => {
    const affinity = { cookie: '50%', value: 'k3', maxAgeMs: 60_000 }
    expect(JSON.stringify(http({ version: 'v2', affinity }))).toContain('"50%%=k3; Path=/; Max-Age=60;')
  })

  it('is there on each port, gRPC too, with what the port has, and its names say which', () => {
    const ports = [
      { name: 'http', port: 80, protocol: 'http' },
      { name: 'candidate', port: 9000, protocol: 'grpc' },
    ]
    const spec = specOf({ ports, traffic: { timeout: '5s', retries: { attempts: 1, nonIdempotent: true } } })
    const match: readonly RouteMatch[] = [{ headers: { 'x-preview': { exact: 'yes' } } }]
    const affinity = { cookie: 'c', value: 'k3', maxAgeMs: 60_000 }
    const route = http({ version: 'v2', match, mirror: 5, affinity }, { spec })
    const onPort = (port: number) => ({ destination: { subset: 'v2', port: { number: port } } })
    expect(route).toMatchObject([
      { name: 'candidate.match.http', match: [{ port: 80, headers: {} }], route: [onPort(80)], timeout: '5s' },
      { name: 'candidate.affinity.http', match: [{ port: 80 }], route: [onPort(80)], timeout: '5s' },
      { name: 'http', match: [{ port: 80 }], mirror: { subset: 'v2', port: { number: 80 } } },
      { name: 'candidate.match.candidate', match: [{ port: 9000 }], retries: { retryOn: RETRY_GRPC } },
      { name: 'candidate.affinity.candidate', match: [{ port: 9000 }], route: [onPort(9000)] },
      { name: 'candidate', match: [{ port: 9000 }], mirror: { subset: 'v2', port: { number: 9000 } } },
    ])
  })
  const RETRY_GRPC = 'connect-failure,refused-stream,unavailable,cancelled'

  it('is waited for: the candidate must have ready endpoints, whatever its weight', () => {
    const result = istio.render(inputOf({ weights, candidate: { version: 'v2', mirror: 5 } }))
    expect(result.ok && result.steps[1]?.barriers).toContainEqual({ kind: 'endpoints-ready', versions: ['v1', 'v2'] })
  })

  it('is read back by kind and version, in one form whatever else the routes have', () => {
    const candidate = { version: 'v2', match: [{ path: { exact: '/a' } }], mirror: 5 }
    const sides = (change: Partial<RenderInput>) => istio.liveSideRoutes(rendered(inputOf({ weights, ...change }))[1])
    const plain = sides({ candidate })
    expect(plain).toMatchObject([
      { kind: 'match', version: 'v2' },
      { kind: 'mirror', version: 'v2' },
    ])
    expect(sides({ candidate, spec: specOf({ traffic: { timeout: '5s' } }), weights: { v1: 50, v2: 50 } })).toEqual(
      plain,
    )
    const [match, mirror] = sides({ candidate: { ...candidate, match: [{ path: { exact: '/b' } }] } })
    expect(match?.content).not.toBe(plain[0]?.content)
    expect(mirror).toEqual(plain[1])
    expect(sides({})).toEqual([])
    expect(istio.liveSideRoutes(rendered(inputOf({ candidate }))[0])).toEqual([])
  })
})
