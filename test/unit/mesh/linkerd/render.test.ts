import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { linkerd } from '../../../../src/mesh/linkerd/linkerd.ts'
import type { RenderInput } from '../../../../src/mesh/provider.ts'
import { canonicalJson } from '../../../../src/model/digest.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import { anyInput, inputOf, specOf } from '../istio/specs.ts'

function meshed(spec: Readonly<Record<string, unknown>> = {}, change: Partial<RenderInput> = {}): RenderInput {
  const ports = [{ name: 'http', port: 80, protocol: 'http', targetPort: 8080 }]
  const whole = specOf({ ports, workload: { labels: { app: 'web' } }, ...spec })
  return inputOf({ spec: whole, policy: whole, mesh: { provider: 'linkerd' }, ...change })
}

function objects(input: RenderInput): readonly KubeObject[] {
  const result = linkerd.render(input)
  if (!result.ok) throw new Error(JSON.stringify(result.failure))
  return result.steps.map(({ object }) => object)
}

function find(input: RenderInput, kind: string, name: string): KubeObject | undefined {
  return objects(input).find((object) => object.kind === kind && object.metadata.name === name)
}

function refusedFields(spec: Readonly<Record<string, unknown>>): readonly string[] {
  const result = linkerd.render(meshed(spec))
  return result.ok ? [] : (result.failure.errors ?? []).map(({ pointer }) => pointer)
}

const backend = (name: string, weight: number, port = 80) => ({ group: '', kind: 'Service', name, port, weight })
const rpc = [{ name: 'rpc', port: 90, protocol: 'grpc' }]

describe('a service on Linkerd', () => {
  it('is a Service a version and a route on its own Service for each port', () => {
    const ports = [{ name: 'http', port: 80, protocol: 'http' }, ...rpc]
    const input = meshed({ ports, traffic: { timeout: '1500ms' } }, { weights: { v1: 90, v2: 10 } })
    expect(objects(input).map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Service web-v1',
      'Service web-v2',
      'HTTPRoute web.http',
      'GRPCRoute web.rpc',
    ])
    expect(find(input, 'HTTPRoute', 'web.http')?.spec).toEqual({
      parentRefs: [{ group: '', kind: 'Service', name: 'web', port: 80 }],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: [backend('web-v1', 90), backend('web-v2', 10)],
          timeouts: { request: '1s500ms' },
        },
      ],
    })
    const grpc = find(input, 'GRPCRoute', 'web.rpc')
    expect(grpc?.spec?.rules).toEqual([{ backendRefs: [backend('web-v1', 90, 90), backend('web-v2', 10, 90)] }])
    expect(grpc?.metadata.annotations).toMatchObject({
      'meshwright.io/backends': 'v1=web-v1,v2=web-v2',
      'timeout.linkerd.io/request': '1500ms',
    })
    expect(linkerd.liveWeights(grpc as KubeObject)).toEqual({ v1: 90, v2: 10 })
  })

  it('is live once the policy controller has accepted its routes', () => {
    const result = linkerd.render(meshed())
    expect(result.ok && result.live).toMatchObject([
      { kind: 'accepted', object: { name: 'web.http' }, controller: 'linkerd.io/policy-controller' },
    ])
  })

  it('has retries as annotations of its routes, and outliers on the Services of its versions', () => {
    const retries = { attempts: 2, perTryTimeout: '1s', on: ['gateway-error', '5xx'], nonIdempotent: true }
    const outliers = { consecutiveErrors: 5, ejectionTime: '10s' }
    const input = meshed({ traffic: { retries, outliers } })
    expect(find(input, 'HTTPRoute', 'web.http')?.metadata.annotations).toMatchObject({
      'retry.linkerd.io/http': 'gateway-error,5xx',
      'retry.linkerd.io/limit': '2',
      'retry.linkerd.io/timeout': '1000ms',
    })
    expect(find(input, 'Service', 'web-v2')?.metadata.annotations).toMatchObject({
      'balancer.linkerd.io/failure-accrual': 'consecutive',
      'balancer.linkerd.io/failure-accrual-consecutive-max-failures': '5',
      'balancer.linkerd.io/failure-accrual-consecutive-min-penalty': '10000ms',
      'balancer.linkerd.io/failure-accrual-consecutive-max-penalty': '300000ms',
      'balancer.linkerd.io/failure-accrual-consecutive-jitter-ratio': '0.0',
    })
    const grpc = meshed({ ports: rpc, traffic: { retries: { attempts: 1, on: ['grpc-unavailable'] } } })
    expect(find(grpc, 'GRPCRoute', 'web.rpc')?.metadata.annotations).toMatchObject({
      'retry.linkerd.io/grpc': 'unavailable',
      'retry.linkerd.io/limit': '1',
    })
  })

  it('takes the matches of a candidate before its routes', () => {
    const traffic = { routes: [{ name: 'v', match: [{ path: { regex: '/v[0-9]+' } }], timeout: '1s' }] }
    const match = [{ headers: { 'x-preview': { exact: 'yes' } } }]
    const input = meshed({ traffic }, { weights: { v1: 100, v2: 0 }, candidate: { version: 'v2', match } })
    const rules = find(input, 'HTTPRoute', 'web.http')?.spec?.rules as { matches: unknown; backendRefs: unknown }[]
    expect(rules.map(({ backendRefs }) => backendRefs)).toEqual([
      [backend('web-v2', 1)],
      [backend('web-v1', 100), backend('web-v2', 0)],
      [backend('web-v2', 1)],
      [backend('web-v1', 100), backend('web-v2', 0)],
    ])
    expect(linkerd.liveSideRoutes(find(input, 'HTTPRoute', 'web.http') as KubeObject)).toMatchObject([
      { kind: 'match', version: 'v2' },
    ])
  })
})

describe('who may call on Linkerd', () => {
  const server = { group: 'policy.linkerd.io', kind: 'Server', name: 'web.http' }

  it.each([
    ['strict', 'all-authenticated'],
    ['permissive', 'all-unauthenticated'],
  ])('%s mTLS is a Server that takes %s', (mtls, accessPolicy) => {
    const ports = [{ name: 'http', port: 80, protocol: 'http', targetPort: 8080 }]
    expect(find(meshed({ ports, security: { mtls } }), 'Server', 'web.http')?.spec).toEqual({
      podSelector: { matchLabels: { app: 'web' } },
      port: 8080,
      proxyProtocol: 'unknown',
      accessPolicy,
    })
  })

  it('by rules: what they refer to, the rules, then a Server that lets in nobody else', () => {
    const allow = [
      { name: 'shop', serviceAccounts: ['shop/cart', 'pay/till'] },
      { name: 'ops', namespaces: ['ops'] },
      { name: 'rest' },
    ]
    const strict = meshed({ security: { mtls: 'strict', authorization: { allow } } })
    const result = linkerd.render(strict)
    const security = (result.ok ? result.steps : []).filter(({ object }) => object.apiVersion.startsWith('policy'))
    expect(security.map(({ object }) => `${object.kind} ${object.metadata.name}`)).toEqual([
      'MeshTLSAuthentication web.shop',
      'MeshTLSAuthentication web.ops',
      'MeshTLSAuthentication web.rest',
      'AuthorizationPolicy web.http.shop',
      'AuthorizationPolicy web.http.ops',
      'AuthorizationPolicy web.http.rest',
      'Server web.http',
    ])
    expect(security.map(({ barriers }) => barriers.length)).toEqual([0, 0, 0, 0, 0, 0, 6])
    expect(find(strict, 'MeshTLSAuthentication', 'web.shop')?.spec).toEqual({
      identityRefs: [
        { kind: 'ServiceAccount', namespace: 'shop', name: 'cart' },
        { kind: 'ServiceAccount', namespace: 'pay', name: 'till' },
      ],
    })
    expect(find(strict, 'MeshTLSAuthentication', 'web.ops')?.spec).toEqual({
      identityRefs: [{ kind: 'Namespace', name: 'ops' }],
    })
    expect(find(strict, 'MeshTLSAuthentication', 'web.rest')?.spec).toEqual({ identities: ['*'] })
    expect(find(strict, 'AuthorizationPolicy', 'web.http.shop')?.spec).toEqual({
      targetRef: server,
      requiredAuthenticationRefs: [{ group: 'policy.linkerd.io', kind: 'MeshTLSAuthentication', name: 'web.shop' }],
    })
    expect(find(strict, 'Server', 'web.http')?.spec).toMatchObject({ accessPolicy: 'deny' })
    const loose = meshed({ security: { mtls: 'permissive', authorization: { allow: [{ name: 'rest' }] } } })
    expect(find(loose, 'NetworkAuthentication', 'web.anyone')?.spec).toEqual({
      networks: [{ cidr: '0.0.0.0/0' }, { cidr: '::/0' }],
    })
    expect(find(loose, 'AuthorizationPolicy', 'web.http.rest')?.spec?.requiredAuthenticationRefs).toEqual([
      { group: 'policy.linkerd.io', kind: 'NetworkAuthentication', name: 'web.anyone' },
    ])
  })

  it('nobody, where no rule lets anyone in', () => {
    const nobody = meshed({ security: { authorization: { allow: [] } } })
    expect(
      objects(nobody)
        .filter(({ apiVersion }) => apiVersion.startsWith('policy'))
        .map(({ kind }) => kind),
    ).toEqual(['Server'])
    expect(find(nobody, 'Server', 'web.http')?.spec).toMatchObject({ accessPolicy: 'deny' })
  })

  it('so often, at a Server', () => {
    const limited = meshed({ security: { mtls: 'strict' }, traffic: { rateLimit: { requests: 50, per: 'second' } } })
    expect(find(limited, 'HTTPLocalRateLimitPolicy', 'web.http')?.spec).toEqual({
      targetRef: server,
      total: { requestsPerSecond: 50 },
    })
  })
})

describe('what Linkerd cannot express', () => {
  const route = (change: object) => ({
    traffic: { routes: [{ name: 'a', match: [{ path: { exact: '/a' } }], ...change }] },
  })
  it.each<[string, Record<string, unknown>, readonly string[]]>([
    [
      'retries for connect-failure',
      { traffic: { retries: { attempts: 1 } } },
      ['/traffic/retries/on', '/traffic/retries/nonIdempotent'],
    ],
    [
      'retries of some methods',
      { traffic: { retries: { attempts: 1, on: ['5xx'] } } },
      ['/traffic/retries/nonIdempotent'],
    ],
    ['retries that are turned off', { traffic: { retries: { attempts: 0 } } }, ['/traffic/retries/attempts']],
    [
      'a rewrite, with which it drops the route',
      route({ rewrite: { path: '/b' } }),
      ['/traffic/routes/0/rewrite/path'],
    ],
    [
      'a copy, with which it drops the route',
      route({ mirror: { version: 'v2', percent: 5 } }),
      ['/traffic/routes/0/mirror/version', '/traffic/routes/0/mirror/percent'],
    ],
    [
      'a redirect of another status',
      route({ redirect: { path: '/b', status: 308 } }),
      ['/traffic/routes/0/redirect/status'],
    ],
    [
      'a timeout of some gRPC calls',
      { ...route({ timeout: '1s', match: [{ path: { prefix: '/a.B' } }] }), ports: rpc },
      ['/traffic/routes/0/timeout'],
    ],
    [
      'outliers of a Service of others',
      {
        versions: { v1: { labels: { version: 'v1' }, service: 'old' } },
        traffic: { outliers: { consecutiveErrors: 3 } },
      },
      ['/versions/v1/service'],
    ],
    [
      'a limit by the minute',
      { security: { mtls: 'strict' }, traffic: { rateLimit: { requests: 50, per: 'minute' } } },
      ['/traffic/rateLimit'],
    ],
    ['a limit without a Server', { traffic: { rateLimit: { requests: 50, per: 'second' } } }, ['/traffic/rateLimit']],
    [
      'a rule for anyone, in or out of the mesh',
      { security: { authorization: { allow: [{ name: 'a' }] } } },
      ['/security/authorization/allow/0'],
    ],
    [
      'a Server for a port of the Pods that nobody names',
      { ports: [{ name: 'http', port: 80, protocol: 'http' }], security: { mtls: 'strict' } },
      ['/ports/0/targetPort'],
    ],
    [
      'two Servers for one port of the Pods',
      {
        ports: [
          { name: 'http', port: 80, protocol: 'http', targetPort: 8080 },
          { name: 'more', port: 81, protocol: 'http', targetPort: 8080 },
        ],
        security: { mtls: 'strict' },
      },
      ['/ports/1/targetPort'],
    ],
    [
      'a rule for paths',
      { security: { authorization: { allow: [{ name: 'a', namespaces: ['b'], paths: ['/a'] }] } } },
      ['/security/authorization/allow/0/paths'],
    ],
    [
      'a rule that denies',
      { security: { authorization: { deny: [{ name: 'a', namespaces: ['b'] }] } } },
      ['/security/authorization/deny/0/name', '/security/authorization/deny/0/namespaces'],
    ],
    [
      'an order that it would turn round',
      {
        traffic: {
          routes: [
            { name: 'a', match: [{ path: { prefix: '/a' } }] },
            { name: 'b', match: [{ path: { regex: '/a/.*' } }], timeout: '1s' },
          ],
        },
      },
      ['/traffic/routes/0/match'],
    ],
  ])('%s', (_, spec, pointers) => {
    expect(refusedFields(spec)).toEqual(pointers)
  })

  it('is refused and never thrown, and what is rendered is always the same', () => {
    fc.assert(
      fc.property(anyInput, fc.boolean(), (input, labelled) => {
        const spec = labelled ? { ...input.spec, workload: { labels: { app: 'web' } } } : input.spec
        const whole = { ...input, spec, policy: spec, mesh: { provider: 'linkerd' } as const }
        const result = linkerd.render(whole)
        expect(canonicalJson(linkerd.render(whole))).toBe(canonicalJson(result))
        if (!result.ok) expect(result.failure.errors?.length).toBeGreaterThan(0)
        else for (const { object } of result.steps) expect(object.metadata.namespace).toBe('shop')
      }),
    )
  })
})

describe('an object of others', () => {
  const service = { namespace: 'shop', name: 'web', spec: specOf() }
  const object = (apiVersion: string, kind: string, metadata: object, spec: object): KubeObject => ({
    apiVersion,
    kind,
    metadata: { name: 'other', namespace: 'shop', ...metadata },
    spec: spec as Record<string, unknown>,
  })
  const gateway = 'gateway.networking.k8s.io/v1'
  const parent = { group: '', kind: 'Service', name: 'web', port: 80 }
  const server = { podSelector: { matchLabels: { app: 'web' } }, port: 8080 }
  it.each<[string, boolean, KubeObject]>([
    ['a route on the Service', true, object(gateway, 'HTTPRoute', {}, { parentRefs: [parent] })],
    [
      'a route on all its ports',
      true,
      object(gateway, 'GRPCRoute', {}, { parentRefs: [{ ...parent, port: undefined }] }),
    ],
    [
      "a route on a port that is not the service's",
      false,
      object(gateway, 'HTTPRoute', {}, { parentRefs: [{ ...parent, port: 81 }] }),
    ],
    [
      'a route of callers in their namespace',
      true,
      object(gateway, 'HTTPRoute', { namespace: 'pay' }, { parentRefs: [{ ...parent, namespace: 'shop' }] }),
    ],
    [
      'a route on a Service of the name elsewhere',
      false,
      object(gateway, 'HTTPRoute', { namespace: 'pay' }, { parentRefs: [parent] }),
    ],
    [
      "a route of Linkerd's own kind",
      true,
      object('policy.linkerd.io/v1beta3', 'HTTPRoute', {}, { parentRefs: [parent] }),
    ],
    [
      'a ServiceProfile for it',
      true,
      object('linkerd.io/v1alpha2', 'ServiceProfile', { name: 'web.shop.svc.cluster.local', namespace: 'pay' }, {}),
    ],
    [
      'a ServiceProfile for another',
      false,
      object('linkerd.io/v1alpha2', 'ServiceProfile', { name: 'web.pay.svc.cluster.local' }, {}),
    ],
    ['a Server for the same Pods and port', true, object('policy.linkerd.io/v1beta2', 'Server', {}, server)],
    ['a Server for all Pods', true, object('policy.linkerd.io/v1beta3', 'Server', {}, { ...server, podSelector: {} })],
    ['a Server for another port', false, object('policy.linkerd.io/v1beta3', 'Server', {}, { ...server, port: 81 })],
    ['a Server elsewhere', false, object('policy.linkerd.io/v1beta3', 'Server', { namespace: 'pay' }, server)],
  ])('%s: claims it %s', (_, claims, other) => {
    expect(linkerd.claims(other, service, objects(meshed({ security: { mtls: 'strict' } })))).toBe(claims)
  })

  it('that is a Server claims nothing where we write none', () => {
    expect(linkerd.claims(object('policy.linkerd.io/v1beta3', 'Server', {}, server), service, objects(meshed()))).toBe(
      false,
    )
  })
})

describe('the metrics of Linkerd', () => {
  it('count by the Service of a version, as the proxies of callers see it', () => {
    const input = meshed()
    expect(linkerd.versionLabels?.(input, ['v1', 'v2'])).toEqual({
      label: 'backend_name',
      values: { v1: 'web-v1', v2: 'web-v2' },
    })
    const query = linkerd.requestCounts?.(input)
    const failed = query?.failed
    expect(query?.selector).toBe(
      '{__name__=~"outbound_(http|grpc)_route_backend_response_statuses_total",parent_kind="Service",parent_namespace="shop",parent_name="web"}',
    )
    expect(failed?.({ http_status: '200', error: '' })).toBe(false)
    expect(failed?.({ http_status: '503', error: '' })).toBe(true)
    expect(failed?.({ grpc_status: 'UNAVAILABLE', error: '' })).toBe(true)
    expect(failed?.({ grpc_status: 'NOT_FOUND', error: '' })).toBe(false)
    expect(failed?.({ error: 'FAIL_FAST' })).toBe(true)
    expect(linkerd.latencyCounts?.(input)).toMatchObject({ unitMs: 1000, versionLabel: 'backend_name' })
  })
})
