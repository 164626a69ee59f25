import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { istio } from '../../../../src/mesh/istio/istio.ts'
import { anyInput, inputOf, rendered, specOf } from './specs.ts'

describe('what Istio gets', () => {
  it('is a DestinationRule with all versions in the order of names, and a VirtualService that splits', () => {
    const metadata = {
      name: 'web',
      namespace: 'shop',
      labels: { 'app.kubernetes.io/managed-by': 'meshwright' },
      annotations: { 'meshwright.io/revision': '7', 'meshwright.io/service': 'shop/web' },
    }
    const host = 'web.shop.svc.cluster.local'
    expect(rendered(inputOf({ weights: { v2: 5, v1: 95 } }))).toEqual([
      {
        apiVersion: 'networking.istio.io/v1',
        kind: 'DestinationRule',
        metadata,
        spec: {
          host,
          subsets: [
            { name: 'v1', labels: { version: 'v1' } },
            { name: 'v2', labels: { version: 'v2' } },
          ],
        },
      },
      {
        apiVersion: 'networking.istio.io/v1',
        kind: 'VirtualService',
        metadata,
        spec: {
          hosts: [host],
          http: [
            {
              route: [
                { destination: { host, subset: 'v1' }, weight: 95 },
                { destination: { host, subset: 'v2' }, weight: 5 },
              ],
            },
          ],
        },
      },
    ])
  })

  it('carries timeout and retries in seconds, and tries again what fits the protocol', () => {
    const traffic = { timeout: '1500ms', retries: { attempts: 2, perTryTimeout: '1s' } }
    const ports = [
      { name: 'http', port: 80, protocol: 'http' },
      { name: 'api', port: 9000, protocol: 'grpc' },
    ]
    const [, route] = rendered(inputOf({ spec: specOf({ ports, traffic }) }))
    const retries = { attempts: 2, perTryTimeout: '1s' }
    expect(route.spec?.http).toMatchObject([
      {
        name: 'once.http',
        match: [{ method: { regex: 'POST|PATCH|CONNECT' }, port: 80 }],
        timeout: '1.5s',
        retries: { ...retries, retryOn: 'connect-failure,refused-stream' },
        route: [{ destination: { port: { number: 80 } } }],
      },
      {
        name: 'http',
        match: [{ port: 80 }],
        timeout: '1.5s',
        retries: { ...retries, retryOn: 'connect-failure,refused-stream,gateway-error' },
        route: [{ destination: { port: { number: 80 } } }],
      },
      {
        name: 'api',
        match: [{ port: 9000 }],
        timeout: '1.5s',
        retries: { ...retries, retryOn: 'connect-failure,refused-stream,unavailable,cancelled' },
        route: [{ destination: { port: { number: 9000 } } }],
      },
    ])
  })

  it('turns retries off with 0 attempts', () => {
    const [, route] = rendered(inputOf({ spec: specOf({ traffic: { retries: { attempts: 0 } } }) }))
    expect(route.spec?.http).toMatchObject([{ retries: { attempts: 0 } }])
  })

  it('names each host once', () => {
    const hosts = ['web.example.com', 'web.shop.svc.cluster.local']
    const [, route] = rendered(inputOf({ spec: specOf({ hosts }) }))
    expect(route.spec?.hosts).toEqual(['web.shop.svc.cluster.local', 'web.example.com'])
  })

  it('names no host that a wildcard among them covers, for istiod takes that as twice, and none that covers other services', () => {
    const [, route] = rendered(
      inputOf({ spec: specOf({ hosts: ['a.example.com', '*.example.com', 'b.example.org'] }) }),
    )
    expect(route.spec?.hosts).toEqual(['web.shop.svc.cluster.local', '*.example.com', 'b.example.org'])
    expect(istio.render(inputOf({ spec: specOf({ hosts: ['*.svc.cluster.local'] }) }))).toMatchObject({
      ok: false,
      failure: { code: 'InvalidCombination', errors: [{ pointer: '/hosts/0' }] },
    })
  })

  it('comes in an order: the route waits for the rule to settle and for endpoints of what it serves', () => {
    const result = istio.render(inputOf({ weights: { v1: 100, v2: 0 } }))
    expect(result.ok && result.steps.map(({ barriers }) => barriers)).toEqual([
      [],
      [
        {
          kind: 'settled',
          object: { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule', namespace: 'shop', name: 'web' },
          durationMs: 5000,
        },
        { kind: 'endpoints-ready', versions: ['v1'] },
      ],
    ])
  })

  it('refuses a field that it does not know instead of dropping it', () => {
    const spec = { ...specOf({ traffic: { timeout: '5s' } }), traffic: { timeout: '5s', shaping: 'v2' } }
    expect(istio.render(inputOf({ spec }))).toMatchObject({
      ok: false,
      failure: { code: 'UnsupportedFeature', errors: [{ pointer: '/traffic/shaping' }] },
    })
  })

  it('refuses a weight for a version that the service does not have', () => {
    expect(istio.render(inputOf({ weights: { v9: 100 } }))).toMatchObject({
      ok: false,
      failure: { code: 'InvalidCombination', errors: [{ pointer: '/versions/v9' }] },
    })
  })

  it('refuses a part of a match that it does not know, for it would let other requests through', () => {
    const match = [{ path: { exact: '/a' } }, { headers: { 'x-a': { exact: '1' } }, query: { a: '1' } }]
    expect(istio.render(inputOf({ candidate: { version: 'v2', match } }))).toMatchObject({
      ok: false,
      failure: { code: 'UnsupportedFeature', errors: [{ pointer: '/match/1/query' }] },
    })
    expect(istio.render(inputOf({ candidate: { version: 'v9', mirror: 5 } }))).toMatchObject({
      ok: false,
      failure: { code: 'InvalidCombination', errors: [{ pointer: '/versions/v9' }] },
    })
  })

  it('is the same for the same input, and every route has the asked weights with the sum 100', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const [rule, route] = rendered(input)
        expect(rendered(structuredClone(input))).toEqual([rule, route])
        expect(istio.liveWeights(route)).toEqual(input.weights)
        const http = route.spec?.http as { name?: string; route: { weight: number }[] }[]
        const splits = http.filter(({ name }) => !name?.startsWith('candidate.'))
        for (const { route } of splits) expect(route.reduce((sum, { weight }) => sum + weight, 0)).toBe(100)
        expect(splits.filter(({ name }) => !name?.startsWith('once'))).toHaveLength(input.spec.ports.length)
        const { version, ...asked } = input.candidate ?? { version: '' }
        const kinds = Object.keys(asked).sort()
        expect(istio.liveSideRoutes(route).map(({ kind, version }) => ({ kind, version }))).toEqual(
          kinds.map((kind) => ({ kind, version })),
        )
      }),
    )
  })
})

describe('weights read back', () => {
  const [rule, route] = rendered(inputOf({ weights: { v1: 95, v2: 5 } }))

  it('are those of a VirtualService that names subsets', () => {
    expect(istio.liveWeights(route)).toEqual({ v1: 95, v2: 5 })
  })

  it('are undefined for anything else', () => {
    expect(istio.liveWeights(rule)).toBeUndefined()
    expect(istio.liveWeights({ ...route, spec: {} })).toBeUndefined()
    const http = [{ route: [{ destination: { host: 'web' } }] }]
    expect(istio.liveWeights({ ...route, spec: { http } })).toBeUndefined()
  })

  it('no longer have the sum 100 when two ports differ, so that they compare as changed', () => {
    const destination = (subset: string, weight: number) => ({ destination: { host: 'web', subset }, weight })
    const http = [
      { route: [destination('v1', 95), destination('v2', 5)] },
      { route: [destination('v1', 50), destination('v2', 50)] },
    ]
    expect(istio.liveWeights({ ...route, spec: { http } })).toEqual({ v1: 95, v2: 50 })
  })
})

describe('the metrics of a service', () => {
  it('are counted at the destination, by version', () => {
    const labels = '{reporter="destination",destination_service_namespace="shop",destination_service_name="web"}'
    const service = { namespace: 'shop', name: 'web' }
    expect(istio.requestCounts(service)).toEqual({
      selector: `istio_requests_total${labels}`,
      versionLabel: 'destination_version',
    })
    expect(istio.latencyCounts(service).selector).toBe(`istio_request_duration_milliseconds_bucket${labels}`)
  })

  it('are named by values that cannot end the string', () => {
    const { selector } = istio.requestCounts({ namespace: 'a"} or x{b="', name: 'c\\' })
    expect(selector).toContain('destination_service_namespace="a\\"} or x{b=\\""')
    expect(selector).toContain('destination_service_name="c\\\\"')
  })
})
