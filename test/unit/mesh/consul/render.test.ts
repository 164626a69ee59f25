import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { consul } from '../../../../src/mesh/consul/consul.ts'
import { anyInput as anyIstioInput } from '../istio/specs.ts'
import { anyInput, inputOf, objects, specOf, specs, steps, withPolicy } from './specs.ts'

describe('what Consul gets', () => {
  it('is protocol, subsets, split and routes, all under the name of the service', () => {
    const metadata = {
      name: 'web',
      namespace: 'shop',
      labels: { 'app.kubernetes.io/managed-by': 'meshwright' },
      annotations: { 'meshwright.io/revision': '7', 'meshwright.io/service': 'shop/web' },
    }
    const apiVersion = 'consul.hashicorp.com/v1alpha1'
    expect(objects(inputOf({ weights: { v2: 5, v1: 95 } }))).toEqual([
      { apiVersion, kind: 'ServiceDefaults', metadata, spec: { protocol: 'http' } },
      {
        apiVersion,
        kind: 'ServiceResolver',
        metadata,
        spec: {
          subsets: {
            v1: { filter: 'Service.Meta.version == "v1"', onlyPassing: true },
            v2: { filter: 'Service.Meta.version == "v2"', onlyPassing: true },
          },
        },
      },
      {
        apiVersion,
        kind: 'ServiceSplitter',
        metadata,
        spec: {
          splits: [
            { weight: 95, serviceSubset: 'v1' },
            { weight: 5, serviceSubset: 'v2' },
          ],
        },
      },
      { apiVersion, kind: 'ServiceRouter', metadata, spec: { routes: [{ match: { http: { pathPrefix: '/' } } }] } },
    ])
  })

  it('comes in an order: each waits until Consul has taken what it refers to, and the split for endpoints', () => {
    const words = steps(withPolicy({ security: { authorization: { allow: [] } } })).map(({ object, barriers }) => [
      object.kind,
      ...barriers.map((barrier) =>
        barrier.kind === 'endpoints-ready'
          ? `ready ${barrier.versions.join()}`
          : `${barrier.kind} ${barrier.object.kind}`,
      ),
    ])
    expect(words).toEqual([
      ['ServiceDefaults'],
      ['ServiceIntentions', 'accepted ServiceDefaults'],
      ['ServiceResolver', 'accepted ServiceDefaults'],
      ['ServiceSplitter', 'accepted ServiceResolver', 'ready v1'],
      ['ServiceRouter', 'accepted ServiceSplitter'],
    ])
  })

  it.each([
    ['round-robin', { loadBalancing: 'round-robin' }, { policy: 'round_robin' }],
    ['least-request', { loadBalancing: 'least-request' }, { policy: 'least_request' }],
    ['random', { loadBalancing: 'random' }, { policy: 'random' }],
    ['a header', { affinity: { header: 'x-user' } }, hashed({ field: 'header', fieldValue: 'x-user' })],
    [
      'a cookie for the session',
      { affinity: { cookie: { name: 'c' } } },
      hashed({ field: 'cookie', fieldValue: 'c', cookieConfig: { session: true } }),
    ],
    [
      'a cookie for a day',
      { affinity: { cookie: { name: 'c', ttl: '1d', path: '/a' } } },
      hashed({ field: 'cookie', fieldValue: 'c', cookieConfig: { ttl: '86400s', path: '/a' } }),
    ],
    ['a query parameter', { affinity: { query: 'u' } }, hashed({ field: 'query_parameter', fieldValue: 'u' })],
    ['the source', { affinity: { sourceIp: true } }, hashed({ sourceIP: true })],
  ])('balances by %s', (_, traffic, loadBalancer) => {
    expect(specs(withPolicy({ traffic })).ServiceResolver).toMatchObject({ loadBalancer })
  })

  function hashed(policy: object) {
    return { policy: 'ring_hash', hashPolicies: [policy] }
  }

  it('carries mutual TLS and the time to connect', () => {
    const traffic = { connections: { connectTimeout: '250ms' } }
    for (const mtls of ['strict', 'permissive']) {
      const got = specs(withPolicy({ security: { mtls }, traffic }))
      expect(got.ServiceDefaults).toEqual({ protocol: 'http', mutualTLSMode: mtls })
      expect(got.ServiceResolver).toMatchObject({ connectTimeout: '0.25s' })
    }
  })

  it.each<[string, object, string]>([
    ['a second port', { ports: [port('http', 80), port('api', 81)] }, '/ports/1'],
    ['TCP', { ports: [{ ...port('db', 80), protocol: 'tcp' }] }, '/ports/0/protocol'],
    ['versions by another label', { versions: labelled({ track: 'a' }) }, '/versions/v1/labels'],
    ['versions by more than one label', { versions: labelled({ version: 'v1', tier: 'a' }) }, '/versions/v1/labels'],
    [
      'a rewrite of a pattern',
      routed({ match: [{ path: { regex: '/a' } }], rewrite: { path: '/b' } }),
      '/traffic/routes/0/match/0',
    ],
    [
      'a rewrite of any path',
      routed({ match: [{ methods: ['GET'] }], rewrite: { path: '/b' } }),
      '/traffic/routes/0/match/0',
    ],
    [
      'a bound on each try',
      { traffic: { retries: { attempts: 1, perTryTimeout: '1s' } } },
      '/traffic/retries/perTryTimeout',
    ],
    [
      'a bound on each try of a route',
      routed({ retries: { attempts: 1, perTryTimeout: '1s' } }),
      '/traffic/routes/0/retries/perTryTimeout',
    ],
    ['callers by namespace', allowing({ namespaces: ['shop'] }), '/security/authorization/allow/0/namespaces'],
    [
      'callers denied by namespace',
      { security: { authorization: { deny: [{ name: 'a', namespaces: ['shop'] }] } } },
      '/security/authorization/deny/0/namespaces',
    ],
    [
      'callers of one name in two namespaces',
      allowing({ serviceAccounts: ['shop/a', 'other/a'] }),
      '/security/authorization/allow/0/serviceAccounts/1',
    ],
    [
      'a caller whose name no service can have',
      allowing({ serviceAccounts: ['shop/a.b'] }),
      '/security/authorization/allow/0/serviceAccounts/0',
    ],
    ['limits', { traffic: { connections: { maxRequests: 1 } } }, '/traffic/connections/maxRequests'],
    ['mutual TLS off', { security: { mtls: 'disabled' } }, '/security/mtls'],
  ])('is refused with the field for %s', (_, change, pointer) => {
    expect(consul.render(withPolicy(change as Record<string, unknown>))).toMatchObject({
      ok: false,
      failure: { code: 'UnsupportedFeature', errors: expect.arrayContaining([expect.objectContaining({ pointer })]) },
    })
  })

  function port(name: string, number: number) {
    return { name, port: number, protocol: 'http' }
  }
  function labelled(labels: Record<string, string>) {
    return { v1: { labels }, v2: { labels: { version: 'v2' } } }
  }
  function routed(route: object) {
    return { traffic: { routes: [{ name: 'a', match: [{ path: { exact: '/a' } }], ...route }] } }
  }
  function allowing(rule: object) {
    return { security: { authorization: { allow: [{ name: 'a', ...rule }] } } }
  }

  it('takes labels that all Pods of the service bear', () => {
    const versions = labelled({ app: 'web', version: 'v1' })
    expect(consul.render(withPolicy({ versions, workload: { labels: { app: 'web' } } })).ok).toBe(true)
    expect(consul.render(withPolicy({ versions, workload: { labels: { app: 'api' } } })).ok).toBe(false)
  })

  it('refuses copies, and versions and parts of a match that it does not know', () => {
    const failing = (candidate: unknown) => consul.render(inputOf({ candidate } as Partial<typeof inputOf>))
    expect(failing({ version: 'v2', mirror: 5 })).toMatchObject({ failure: { errors: [{ pointer: '/mirror' }] } })
    expect(failing({ version: 'v9', mirror: 5 })).toMatchObject({ failure: { errors: [{ pointer: '/versions/v9' }] } })
    expect(failing({ version: 'v2', match: [{ query: {} }] })).toMatchObject({
      failure: { errors: [{ pointer: '/match/0/query' }] },
    })
  })

  it('is the same for the same input, whole per cents with the sum 100, each object once', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const all = objects(input)
        expect(objects(structuredClone(input))).toEqual(all)
        expect(new Set(all.map(({ kind }) => kind)).size).toBe(all.length)
        const weights = all.map((object) => consul.liveWeights(object)).filter((found) => found !== undefined)
        expect(weights).toEqual([input.weights])
        const { version, ...asked } = input.candidate ?? { version: '' }
        const sides = all.flatMap((object) => consul.liveSideRoutes(object))
        for (const side of sides) expect(side.version).toBe(version)
        expect(sides.map(({ kind }) => kind)).toEqual(Object.keys(asked).sort())
      }),
    )
  })

  it('is rendered or refused, whatever is asked for', () => {
    fc.assert(
      fc.property(anyIstioInput, (input) => {
        const result = consul.render(input)
        if (!result.ok) expect(result.failure.errors?.length).toBeGreaterThan(0)
      }),
    )
  })
})

describe('what is read back', () => {
  it('is nothing of a split that is not in our form', () => {
    const splitter = objects(inputOf())[2]
    if (!splitter) throw new Error('no splitter')
    for (const splits of [[], [{ weight: 100 }], [{ weight: 100, service: 'other', serviceSubset: 'v1' }]]) {
      expect(consul.liveWeights({ ...splitter, spec: { splits } })).toBeUndefined()
    }
    expect(consul.liveWeights({ ...splitter, spec: { splits: [{ serviceSubset: 'v1' }] } })).toEqual({ v1: 0 })
  })

  it('goes away in the order in which Consul lets it go', () => {
    const refs = objects(withPolicy({ security: { authorization: { allow: [] } } })).map(
      ({ apiVersion, kind, metadata }) => ({
        apiVersion,
        kind,
        name: metadata.name,
      }),
    )
    expect(consul.pruneOrder(refs).map(({ kind }) => kind)).toEqual([
      'ServiceRouter',
      'ServiceSplitter',
      'ServiceResolver',
      'ServiceIntentions',
      'ServiceDefaults',
    ])
  })
})

describe('another object', () => {
  const of = (kind: string, name: string, namespace: string, more: object = {}) => ({
    apiVersion: 'consul.hashicorp.com/v1alpha1',
    kind,
    metadata: { name, namespace, ...more },
    spec: { destination: { name: 'web' } },
  })
  const service = { namespace: 'shop', name: 'web', spec: specOf() }
  const guarded = { ...service, spec: specOf({ security: { authorization: { allow: [] } } }) }

  it('claims the service by its name, in whatever namespace', () => {
    for (const kind of ['ServiceDefaults', 'ServiceResolver', 'ServiceSplitter', 'ServiceRouter']) {
      expect(consul.claims(of(kind, 'web', 'other'), service, [])).toBe(true)
      expect(consul.claims(of(kind, 'api', 'shop'), service, [])).toBe(false)
    }
  })

  it('claims who may call it only where the service says who', () => {
    expect(consul.claims(of('ServiceIntentions', 'any', 'shop'), service, [])).toBe(false)
    expect(consul.claims(of('ServiceIntentions', 'any', 'shop'), guarded, [])).toBe(true)
  })
})
