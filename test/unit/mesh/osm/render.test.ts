import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { osm } from '../../../../src/mesh/osm/osm.ts'
import { anyInput as anyIstioInput } from '../istio/specs.ts'
import { anyInput, inputOf, keyOf, objects, specOf, steps, withPolicy } from './specs.ts'

const marks = {
  labels: { 'app.kubernetes.io/managed-by': 'meshwright' },
  annotations: { 'meshwright.io/revision': '7', 'meshwright.io/service': 'shop/web' },
}
const metadata = (name: string) => ({ name, namespace: 'shop', ...marks })
const ofKind = (input: Parameters<typeof objects>[0], kind: string) =>
  objects(input).filter((object) => object.kind === kind)

describe('what Open Service Mesh gets', () => {
  it('is a Service for each version, then a split of the service’s own among those with requests', () => {
    const all = objects(inputOf({ weights: { v1: 95, v2: 5 } }))
    expect(all.map(keyOf)).toEqual(['Service web-v1', 'Service web-v2', 'TrafficSplit web'])
    expect(all[0]?.spec).toEqual({
      type: 'ClusterIP',
      selector: { app: 'web', version: 'v1' },
      ports: [{ name: 'http', port: 80, targetPort: 80, protocol: 'TCP', appProtocol: 'http' }],
    })
    const backends = 'v1=web-v1,v2=web-v2'
    expect(all[2]).toEqual({
      apiVersion: 'split.smi-spec.io/v1alpha2',
      kind: 'TrafficSplit',
      metadata: { ...metadata('web'), annotations: { ...marks.annotations, 'meshwright.io/backends': backends } },
      spec: {
        service: 'web',
        backends: [
          { service: 'web-v1', weight: 95 },
          { service: 'web-v2', weight: 5 },
        ],
      },
    })
    const [split] = ofKind(inputOf({ weights: { v1: 100, v2: 0 } }), 'TrafficSplit')
    expect(split?.spec?.backends).toEqual([{ service: 'web-v1', weight: 100 }])
    expect(split && osm.liveWeights(split)).toEqual({ v1: 100, v2: 0 })
  })

  it('names Services that others keep, and says which protocol a port speaks', () => {
    const spec = specOf({
      versions: { v1: { labels: { version: 'v1' }, service: 'old' }, v2: { labels: { version: 'v2' } } },
      ports: [
        { name: 'api', port: 80, protocol: 'grpc' },
        { name: 'db', port: 81, protocol: 'tcp' },
      ],
    })
    const all = objects(inputOf({ spec }))
    expect(all.map(keyOf)).toEqual(['Service web-v2', 'TrafficSplit web'])
    expect(all[0]?.spec?.ports).toMatchObject([{ appProtocol: 'grpc' }, { appProtocol: 'tcp' }])
    expect(all[1]?.spec?.backends).toEqual([{ service: 'old', weight: 100 }])
  })

  it('waits for the Services and for endpoints of what gets requests', () => {
    const last = steps(inputOf({ weights: { v1: 100, v2: 0 } })).at(-1)
    expect(last?.barriers.map((barrier) => [barrier.kind, 'versions' in barrier && barrier.versions])).toEqual([
      ['settled', false],
      ['settled', false],
      ['endpoints-ready', ['v1']],
    ])
  })

  it('lets callers in by service account, for each account that versions run under', () => {
    const allow = [
      { name: 'read', serviceAccounts: ['shop/front', 'jobs/sync'], methods: ['GET'], paths: ['/a.b', '/c/*'] },
      { name: 'all', serviceAccounts: ['shop/admin'] },
    ]
    const input = withPolicy({ security: { authorization: { allow } } })
    expect(ofKind(input, 'HTTPRouteGroup')).toEqual([
      {
        apiVersion: 'specs.smi-spec.io/v1alpha4',
        kind: 'HTTPRouteGroup',
        metadata: metadata('web'),
        spec: {
          matches: [
            { name: 'read.0', pathRegex: '/a\\.b', methods: ['GET'] },
            { name: 'read.1', pathRegex: '/c/.*', methods: ['GET'] },
            { name: 'all', pathRegex: '.*', methods: ['*'] },
          ],
        },
      },
    ])
    const targets = ofKind(input, 'TrafficTarget')
    expect(targets.map(({ metadata }) => metadata.name)).toEqual([
      'web.web-v1.read',
      'web.web-v1.all',
      'web.web-v2.read',
      'web.web-v2.all',
    ])
    expect(targets[0]).toMatchObject({
      apiVersion: 'access.smi-spec.io/v1alpha3',
      spec: {
        destination: { kind: 'ServiceAccount', name: 'web-v1', namespace: 'shop' },
        sources: [
          { kind: 'ServiceAccount', name: 'front', namespace: 'shop' },
          { kind: 'ServiceAccount', name: 'sync', namespace: 'jobs' },
        ],
        rules: [{ kind: 'HTTPRouteGroup', name: 'web', matches: ['read.0', 'read.1'] }],
      },
    })
    expect(ofKind(withPolicy({ security: { authorization: { allow: [] } } }), 'TrafficTarget')).toEqual([])
  })

  it('limits what callers open to each version, and the rate at the service’s own host', () => {
    const connections = {
      maxConnections: 1,
      connectTimeout: '1500ms',
      maxRequests: 2,
      maxPendingRequests: 3,
      maxRequestsPerConnection: 4,
    }
    const rateLimit = { requests: 10, per: 'minute', burst: 15 }
    const settings = ofKind(withPolicy({ traffic: { connections, rateLimit } }), 'UpstreamTrafficSetting')
    const limits = {
      tcp: { maxConnections: 1, connectTimeout: '1.5s' },
      http: { maxRequests: 2, maxPendingRequests: 3, maxRequestsPerConnection: 4 },
    }
    expect(settings.map(({ spec }) => spec)).toEqual([
      { host: 'web-v1.shop.svc.cluster.local', connectionSettings: limits },
      { host: 'web-v2.shop.svc.cluster.local', connectionSettings: limits },
      {
        host: 'web.shop.svc.cluster.local',
        rateLimit: { local: { http: { requests: 10, unit: 'minute', burst: 5 } } },
      },
    ])
    expect(
      ofKind(withPolicy({ traffic: { rateLimit: { requests: 10, per: 'hour' } } }), 'UpstreamTrafficSetting'),
    ).toMatchObject([{ spec: { rateLimit: { local: { http: { requests: 10, unit: 'hour' } } } } }])
  })

  it('opens hosts outside to the accounts of the versions', () => {
    const hosts = [{ host: 'api.example.com', ports: [{ port: 443, protocol: 'https' }] }]
    const source = (name: string) => ({ kind: 'ServiceAccount', name, namespace: 'shop' })
    expect(ofKind(withPolicy({ egress: { hosts } }), 'Egress')).toEqual([
      {
        apiVersion: 'policy.openservicemesh.io/v1alpha1',
        kind: 'Egress',
        metadata: metadata('web.api.example.com'),
        spec: {
          sources: [source('web-v1'), source('web-v2')],
          hosts: ['api.example.com'],
          ports: [{ number: 443, protocol: 'https' }],
        },
      },
    ])
  })

  const nameless = { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } }
  it.each<[string, object, string]>([
    ['routes', { traffic: { routes: [{ name: 'a', match: [{ path: { exact: '/' } }] }] } }, '/traffic/routes/0/name'],
    ['a timeout', { traffic: { timeout: '1s' } }, '/traffic/timeout'],
    ['retries', { traffic: { retries: { attempts: 1 } } }, '/traffic/retries/attempts'],
    ['HTTP/2 by that name', { ports: [{ name: 'a', port: 1, protocol: 'http2' }] }, '/ports/0/protocol'],
    ['denials', { security: { authorization: { deny: [{ name: 'a' }] } } }, '/security/authorization/deny/0/name'],
    ['anybody', { security: { authorization: { allow: [{ name: 'a' }] } } }, '/security/authorization/allow/0'],
    [
      'callers of an account that is not told',
      { versions: nameless, security: { authorization: { allow: [] } } },
      '/versions/v1/serviceAccount',
    ],
    [
      'callers of a TCP port',
      { ports: [{ name: 'a', port: 1, protocol: 'tcp' }], security: { authorization: { allow: [] } } },
      '/security/authorization/allow',
    ],
    [
      'a burst below the rate',
      { traffic: { rateLimit: { requests: 10, per: 'hour', burst: 5 } } },
      '/traffic/rateLimit/burst',
    ],
    [
      'a rate over two ports',
      {
        traffic: { rateLimit: { requests: 10, per: 'hour' } },
        ports: [
          { name: 'a', port: 1, protocol: 'http' },
          { name: 'b', port: 2, protocol: 'http' },
        ],
      },
      '/traffic/rateLimit',
    ],
    ['hosts by pattern', { egress: { hosts: [{ host: '*.example.com' }] } }, '/egress/hosts/0/host'],
    [
      'hosts by TCP',
      { egress: { hosts: [{ host: 'a.example.com', ports: [{ port: 1, protocol: 'tcp' }] }] } },
      '/egress/hosts/0/ports/0/protocol',
    ],
    ['all else outside', { egress: { unlisted: 'deny' } }, '/egress/unlisted'],
    ['mutual TLS off', { security: { mtls: 'disabled' } }, '/security/mtls'],
  ])('refuses %s, with the field', (_, change, pointer) => {
    const fixed = JSON.parse(
      JSON.stringify(change).replace(
        '{"host":"*.example.com"}',
        '{"host":"*.example.com","ports":[{"port":443,"protocol":"https"}]}',
      ),
    )
    expect(osm.render(withPolicy(fixed))).toMatchObject({
      ok: false,
      failure: { code: 'UnsupportedFeature', errors: expect.arrayContaining([expect.objectContaining({ pointer })]) },
    })
  })

  it('refuses authorization that the mesh would not look at', () => {
    const input = withPolicy({ security: { authorization: { allow: [] } } })
    expect(osm.render(input).ok).toBe(true)
    for (const mesh of [{ provider: 'osm', permissive: true }, { provider: 'osm' }] as const) {
      expect(osm.render({ ...input, mesh })).toMatchObject({
        failure: { errors: [{ pointer: '/security/authorization/allow' }] },
      })
    }
  })

  it('refuses what a rollout would do besides weights', () => {
    for (const part of [{ match: [{ path: { exact: '/a' } }] }, { mirror: 5 }]) {
      const [name] = Object.keys(part)
      expect(osm.render(inputOf({ candidate: { version: 'v2', ...part } }))).toMatchObject({
        failure: { code: 'UnsupportedFeature', errors: [{ pointer: `/${name}` }] },
      })
    }
  })

  it('refuses versions that can have no Service', () => {
    expect(osm.render(inputOf({ spec: specOf({ workload: undefined }) }))).toMatchObject({
      failure: { code: 'InvalidCombination', errors: [{ pointer: '/workload' }] },
    })
  })

  it('is the same for the same input, each object once, and every weight above 0', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const all = objects(input)
        expect(objects(structuredClone(input))).toEqual(all)
        expect(new Set(all.map(keyOf)).size).toBe(all.length)
        const split = all.at(-1)
        expect(split && osm.liveWeights(split)).toEqual(input.weights)
        const backends = split?.spec?.backends as { weight: number }[]
        expect(backends.every(({ weight }) => weight > 0)).toBe(true)
      }),
    )
  })

  it('is rendered or refused, whatever is asked for', () => {
    fc.assert(
      fc.property(anyIstioInput, (input) => {
        const result = osm.render(input)
        if (!result.ok) expect(result.failure.errors?.length).toBeGreaterThan(0)
      }),
    )
  })
})

describe('another object', () => {
  const service = { namespace: 'shop', name: 'web', spec: specOf() }
  const of = (apiVersion: string, kind: string, spec: object, namespace = 'shop') => ({
    apiVersion,
    kind,
    metadata: { name: 'theirs', namespace },
    spec: spec as Record<string, unknown>,
  })
  const split = (root: string, namespace?: string) =>
    of('split.smi-spec.io/v1alpha2', 'TrafficSplit', { service: root }, namespace)

  it('claims the service when it splits it too', () => {
    expect(osm.claims(split('web'), service, [])).toBe(true)
    expect(osm.claims(split('web.shop.svc.cluster.local'), service, [])).toBe(true)
    expect(osm.claims(split('api'), service, [])).toBe(false)
    expect(osm.claims(split('web', 'other'), service, [])).toBe(false)
  })

  it('claims who may call it, or how, only where the service says', () => {
    const target = of('access.smi-spec.io/v1alpha3', 'TrafficTarget', { destination: { name: 'web-v1' } })
    const setting = of('policy.openservicemesh.io/v1alpha1', 'UpstreamTrafficSetting', {
      host: 'web-v2.shop.svc.cluster.local',
    })
    expect([target, setting].map((object) => osm.claims(object, service, []))).toEqual([false, false])
    const security = { authorization: { allow: [] } }
    expect(osm.claims(target, { ...service, spec: specOf({ security }) }, [])).toBe(true)
    const traffic = { connections: { maxRequests: 1 } }
    expect(osm.claims(setting, { ...service, spec: specOf({ traffic }) }, [])).toBe(true)
  })

  it('goes in an order: what refers to others first', () => {
    const allow = [{ name: 'a', serviceAccounts: ['shop/a'] }]
    const refs = objects(withPolicy({ security: { authorization: { allow } } })).map(
      ({ apiVersion, kind, metadata }) => ({
        apiVersion,
        kind,
        name: metadata.name,
      }),
    )
    expect([...new Set(osm.pruneOrder(refs).map(({ kind }) => kind))]).toEqual([
      'TrafficSplit',
      'TrafficTarget',
      'HTTPRouteGroup',
      'Service',
    ])
  })
})
