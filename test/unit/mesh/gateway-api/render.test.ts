import { describe, expect, it } from 'vitest'
import { gatewayApi } from '../../../../src/mesh/gateway-api/gateway-api.ts'
import { exposed, refusedFields, routesOf, rules, stepsOf } from './specs.ts'

const backend = (name: string, weight: number) => ({ group: '', kind: 'Service', name, port: 80, weight })
const all = [{ path: { type: 'PathPrefix', value: '/' } }]

describe('a service at a Gateway', () => {
  it('is a Service a version and a route for its host, which waits for Services and endpoints', () => {
    const steps = stepsOf(exposed({}, { weights: { v1: 90, v2: 10 } }))
    expect(steps.map(({ object }) => `${object.kind} ${object.metadata.name}`)).toEqual([
      'Service web-v1',
      'Service web-v2',
      'HTTPRoute web.external.web.example.com',
    ])
    expect(steps[2]).toEqual({
      object: {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'HTTPRoute',
        metadata: {
          name: 'web.external.web.example.com',
          namespace: 'shop',
          labels: { 'app.kubernetes.io/managed-by': 'meshwright' },
          annotations: {
            'meshwright.io/revision': '7',
            'meshwright.io/service': 'shop/web',
            'meshwright.io/backends': 'v1=web-v1,v2=web-v2',
          },
        },
        spec: {
          parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'gateways', name: 'public' }],
          hostnames: ['web.example.com'],
          rules: [{ matches: all, backendRefs: [backend('web-v1', 90), backend('web-v2', 10)] }],
        },
      },
      barriers: [
        ...['web-v1', 'web-v2'].map((name) => ({
          kind: 'settled',
          object: { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name },
          durationMs: 5000,
        })),
        { kind: 'endpoints-ready', versions: ['v1', 'v2'] },
      ],
    })
  })

  it('is live once its routes are accepted', () => {
    const result = gatewayApi.render(exposed())
    expect(result.ok && result.live).toMatchObject([
      { kind: 'accepted', object: { kind: 'HTTPRoute' }, durationMs: 5000 },
    ])
  })

  it('has a route for each host, at a listener where the cluster names one', () => {
    const exposure = [
      { host: 'web.example.com' },
      { host: '*.example.com', gateway: 'internal', path: '/shop/' },
      { host: '*.example.com', gateway: 'internal', path: '/shop/admin', port: 'admin' },
    ]
    const ports = [
      { name: 'http', port: 80, protocol: 'http' },
      { name: 'admin', port: 81, protocol: 'http' },
    ]
    const [plain, wild] = routesOf(exposed({ exposure, ports }))
    expect(plain?.metadata.name).toBe('web.external.web.example.com')
    expect(wild?.metadata.name).toMatch(/^web\.internal\.[a-z2-7]{16}$/)
    expect(wild?.spec).toEqual({
      parentRefs: [
        {
          group: 'gateway.networking.k8s.io',
          kind: 'Gateway',
          namespace: 'gateways',
          name: 'private',
          sectionName: 'http',
        },
      ],
      hostnames: ['*.example.com'],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/shop/admin' } }],
          backendRefs: [{ ...backend('web-v1', 100), port: 81 }],
        },
        { matches: [{ path: { type: 'PathPrefix', value: '/shop' } }], backendRefs: [backend('web-v1', 100)] },
      ],
    })
  })

  it('is a GRPCRoute where the port speaks gRPC, with services and methods in place of paths', () => {
    const ports = [{ name: 'rpc', port: 80, protocol: 'grpc' }]
    const routes = [
      { name: 'one', match: [{ path: { exact: '/shop.Cart/Add' } }], mirror: { version: 'v2', percent: 100 } },
      {
        name: 'two',
        match: [{ path: { prefix: '/shop.Cart' }, headers: { a: { exact: 'b' } } }],
        mirror: { version: 'v2', percent: 5 },
      },
    ]
    const [route] = routesOf(exposed({ ports, traffic: { routes } }))
    expect(route).toMatchObject({ kind: 'GRPCRoute' })
    const mirror = { backendRef: { group: '', kind: 'Service', name: 'web-v2', port: 80 } }
    const backendRefs = [backend('web-v1', 100)]
    expect(route?.spec?.rules).toEqual([
      {
        matches: [{ method: { type: 'Exact', service: 'shop.Cart', method: 'Add' } }],
        filters: [{ type: 'RequestMirror', requestMirror: mirror }],
        backendRefs,
      },
      {
        matches: [
          { method: { type: 'Exact', service: 'shop.Cart' }, headers: [{ type: 'Exact', name: 'a', value: 'b' }] },
        ],
        filters: [{ type: 'RequestMirror', requestMirror: { ...mirror, percent: 5 } }],
        backendRefs,
      },
      { backendRefs },
    ])
    expect(refusedFields(exposed({ ports, traffic: { timeout: '5s' } }))).toEqual(['/traffic/timeout'])
    expect(
      refusedFields(exposed({ ports, traffic: { routes: [{ ...routes[0], match: [{ methods: ['GET'] }] }] } })),
    ).toContain('/traffic/routes')
  })
})

describe('routes of the policy at a Gateway', () => {
  it('stand in their order before the rest, each with its own settings', () => {
    const traffic = {
      timeout: '1500ms',
      routes: [
        {
          name: 'moved',
          match: [{ path: { exact: '/old' } }],
          redirect: { host: 'new.example.com', path: '/', status: 301 },
        },
        {
          name: 'api',
          match: [{ path: { prefix: '/api' } }],
          rewrite: { path: '/', host: 'api.internal' },
          timeout: '90s',
        },
      ],
    }
    const backendRefs = [backend('web-v1', 100)]
    expect(rules(exposed({ traffic }))).toEqual([
      {
        matches: [{ path: { type: 'Exact', value: '/old' } }],
        filters: [
          {
            type: 'RequestRedirect',
            requestRedirect: {
              hostname: 'new.example.com',
              path: { type: 'ReplaceFullPath', replaceFullPath: '/' },
              statusCode: 301,
            },
          },
        ],
      },
      {
        matches: [{ path: { type: 'PathPrefix', value: '/api' } }],
        filters: [
          {
            type: 'URLRewrite',
            urlRewrite: { hostname: 'api.internal', path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } },
          },
        ],
        backendRefs,
        timeouts: { request: '90s' },
      },
      { matches: all, backendRefs, timeouts: { request: '1s500ms' } },
    ])
  })

  it('may have matches of which one is closer, beside those of a candidate too', () => {
    const traffic = {
      routes: [{ name: 'a', match: [{ path: { prefix: '/a' } }, { path: { exact: '/a/b' } }], timeout: '1s' }],
    }
    const match = [{ headers: { 'x-preview': { exact: 'yes' } } }]
    const input = exposed({ traffic }, { weights: { v1: 100, v2: 0 }, candidate: { version: 'v2', match } })
    expect(rules(input)).toHaveLength(4)
  })

  it('are refused where the Gateway API would turn their order round', () => {
    const routes = [
      { name: 'all', match: [{ path: { prefix: '/api' } }], timeout: '1s' },
      { name: 'one', match: [{ path: { exact: '/api/x' } }], timeout: '2s' },
    ]
    expect(refusedFields(exposed({ traffic: { routes } }))).toEqual(['/traffic/routes/0/match'])
    expect(refusedFields(exposed({ traffic: { routes: [...routes].reverse() } }))).toEqual([])
  })

  it('hold below the path of an exposure, and not where another exposure takes over', () => {
    const exposure = [
      { host: 'web.example.com', path: '/shop' },
      { host: 'web.example.com', path: '/shop/api', port: 'api' },
    ]
    const ports = [
      { name: 'http', port: 80, protocol: 'http' },
      { name: 'api', port: 81, protocol: 'http' },
    ]
    const routes = [
      { name: 'v', match: [{ path: { exact: '/shop/api/v' } }, { path: { exact: '/other' } }], timeout: '1s' },
    ]
    expect(rules(exposed({ exposure, ports, traffic: { routes } })).map(({ matches }) => matches)).toEqual([
      [{ path: { type: 'Exact', value: '/shop/api/v' } }],
      [{ path: { type: 'PathPrefix', value: '/shop/api' } }],
      [{ path: { type: 'PathPrefix', value: '/shop' } }],
    ])
  })

  it('come after the matches of a candidate, which narrow each of them', () => {
    const traffic = { routes: [{ name: 'api', match: [{ path: { prefix: '/api' } }], rewrite: { path: '/v1' } }] }
    const match = [{ headers: { 'x-preview': { exact: 'yes' } } }, { path: { exact: '/api/new' } }]
    const input = exposed({ traffic }, { weights: { v1: 100, v2: 0 }, candidate: { version: 'v2', match, mirror: 20 } })
    const preview = [{ type: 'Exact', name: 'x-preview', value: 'yes' }]
    const side = [backend('web-v2', 1)]
    const split = [backend('web-v1', 100), backend('web-v2', 0)]
    const mirror = {
      type: 'RequestMirror',
      requestMirror: { backendRef: { group: '', kind: 'Service', name: 'web-v2', port: 80 }, percent: 20 },
    }
    const rewrite = (path: Record<string, string>) => ({ type: 'URLRewrite', urlRewrite: { path } })
    const prefix = rewrite({ type: 'ReplacePrefixMatch', replacePrefixMatch: '/v1' })
    expect(rules(input)).toEqual([
      {
        matches: [{ path: { type: 'PathPrefix', value: '/api' }, headers: preview }],
        filters: [prefix],
        backendRefs: side,
      },
      {
        matches: [{ path: { type: 'Exact', value: '/api/new' } }],
        filters: [rewrite({ type: 'ReplaceFullPath', replaceFullPath: '/v1/new' })],
        backendRefs: side,
      },
      { matches: [{ path: { type: 'PathPrefix', value: '/api' } }], filters: [prefix, mirror], backendRefs: split },
      {
        matches: [
          { path: { type: 'PathPrefix', value: '/' }, headers: preview },
          { path: { type: 'Exact', value: '/api/new' } },
        ],
        backendRefs: side,
      },
      { matches: all, filters: [mirror], backendRefs: split },
    ])
  })
})

describe('what the Gateway API cannot express', () => {
  it.each<[string, Record<string, unknown>, readonly string[]]>([
    ['no exposure', { exposure: [] }, ['/exposure']],
    [
      'a gateway that the cluster does not name',
      { exposure: [{ host: 'a.example.com', gateway: 'other' }] },
      ['/exposure/0/gateway'],
    ],
    ['a path twice', { exposure: [{ host: 'a.example.com' }, { host: 'a.example.com' }] }, ['/exposure/1/path']],
    [
      'certificates',
      { exposure: [{ host: 'a.example.com', tls: { certificate: 'web' } }] },
      ['/exposure/0/tls/certificate'],
    ],
    ['no labels of all Pods', { workload: undefined }, ['/workload']],
    [
      'a path that it does not take',
      { traffic: { routes: [{ name: 'a', match: [{ path: { exact: '/a%2fb' } }] }] } },
      ['/traffic/routes'],
    ],
    [
      'a pattern for paths',
      { traffic: { routes: [{ name: 'a', match: [{ path: { regex: '/a.*' } }] }] } },
      ['/traffic/routes/0/match/0/path/regex'],
    ],
  ])('%s', (_, spec, pointers) => {
    expect(refusedFields(exposed(spec))).toEqual(pointers)
  })

  it('depends on its bundle: parts of copies from 1.3 on, further redirects from 1.5 on', () => {
    const old = { mesh: { provider: 'gateway-api', gatewayApi: { bundle: 'v1.2.1', channel: 'standard' } } } as const
    const mirror = { traffic: { mirror: { version: 'v2', percent: 5 } } }
    const redirect = {
      traffic: { routes: [{ name: 'a', match: [{ path: { exact: '/a' } }], redirect: { path: '/b', status: 308 } }] },
    }
    expect(refusedFields(exposed(mirror, old))).toEqual(['/traffic/mirror/version', '/traffic/mirror/percent'])
    expect(refusedFields(exposed(redirect, old))).toEqual(['/traffic/routes/0/redirect/status'])
    expect(refusedFields(exposed(mirror))).toEqual([])
    expect(refusedFields(exposed(redirect))).toEqual([])
  })

  it('is more than 16 rules', () => {
    const routes = Array.from({ length: 9 }, (_, index) => ({
      name: `r${index}`,
      match: [{ path: { prefix: `/a${index}` } }, { path: { prefix: `/b${index}` } }],
      rewrite: { path: '/' },
    }))
    expect(refusedFields(exposed({ traffic: { routes } }))).toEqual(['/traffic/routes'])
  })
})
