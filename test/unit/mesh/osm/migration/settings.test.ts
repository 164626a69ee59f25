import { describe, expect, test } from 'vitest'
import { goDurationMs } from '../../../../../src/mesh/osm/migration/settings.ts'
import { wholePercents } from '../../../../../src/mesh/osm/migration/versions.ts'
import { deployment, meshConfig, service } from './demo.ts'
import { codes, egress, retry, setting, shop, specOf } from './shop.ts'

describe('limits and retries', () => {
  test('limits of the Service that requests go to', () => {
    const connectionSettings = {
      tcp: { maxConnections: 10, connectTimeout: '1.5s' },
      http: { maxRequests: 5, maxPendingRequests: 4, maxRequestsPerConnection: 3 },
    }
    expect(specOf(shop({ trafficSettings: [setting('web', { connectionSettings })] }))?.traffic?.connections).toEqual({
      maxConnections: 10,
      connectTimeout: '1500ms',
      maxRequests: 5,
      maxPendingRequests: 4,
      maxRequestsPerConnection: 3,
    })
  })

  const retrying = meshConfig(false, { traffic: { enableEgress: true }, featureFlags: { enableRetryPolicy: true } })

  test('retries that all callers who have some share', () => {
    const objects = shop({ retries: [retry('shop/front', 'web')] }, retrying)
    expect(specOf(objects)?.traffic?.retries).toEqual({
      attempts: 3,
      perTryTimeout: '1s',
      on: ['5xx', 'connect-failure'],
      nonIdempotent: true,
    })
    expect(codes(objects)).toEqual(['RetryForAll', 'RetryNotCarried'])
  })

  test.each([
    ['differ by caller', { numRetries: 1 }],
    ['have a reason without a word', { retryOn: 'retriable-4xx' }],
    ['are too many', { numRetries: 11 }],
  ])('retries that %s are told', (why, policy) => {
    const retries = [
      ...(why.startsWith('differ') ? [retry('shop/front', 'web')] : []),
      retry('shop/back', 'web', policy),
    ]
    const objects = shop({ retries }, retrying)
    expect(specOf(objects)?.traffic).toBeUndefined()
    expect(codes(objects)).toEqual(['RetryNotCarried'])
  })

  test.each([
    ['1m30s', 90_000],
    ['250ms', 250],
    ['0s', undefined],
    ['soon', undefined],
    [undefined, undefined],
  ])('a Go duration %s', (text, ms) => {
    expect(goDurationMs(text)).toBe(ms)
  })
})

describe('egress', () => {
  const bounded = meshConfig(false, { featureFlags: { enableEgressPolicy: true } })

  test('hosts of all services of a namespace', () => {
    const objects = shop({ egresses: [egress(['shop/web'], ['example.com', '*.example.org'])] }, bounded)
    expect(specOf(objects)?.egress).toEqual({
      unlisted: 'deny',
      hosts: [
        { host: '*.example.org', ports: [{ port: 443, protocol: 'https' }] },
        {
          host: 'example.com',
          ports: [
            { port: 443, protocol: 'https' },
            { port: 80, protocol: 'http' },
          ],
        },
      ],
    })
    expect(codes(objects)).toEqual([])
  })

  test('a host that another service of the namespace may not reach is told, and nobody gets it', () => {
    const objects = shop(
      {
        egresses: [egress(['shop/web'], ['example.com'])],
        services: [service('shop', 'api', { app: 'api' })],
        deployments: [deployment('shop', 'api', { app: 'api' }, 'api')],
      },
      bounded,
    )
    expect(specOf(objects)?.egress).toEqual({ unlisted: 'deny' })
    expect(specOf(objects, 'api')?.egress).toEqual({ unlisted: 'deny' })
    expect(codes(objects)).toEqual(['EgressNotCarried'])
  })

  test.each([
    ['addresses', { ipAddresses: ['10.0.0.0/8'] }],
    ['matches', { matches: [{ kind: 'HTTPRouteGroup', name: 'x' }] }],
    ['plain TCP', { ports: [{ number: 5432, protocol: 'tcp' }] }],
    ['no hosts', { hosts: [] }],
    ['a host without a dot', { hosts: ['db'] }],
    ['an account without a service', { sources: [{ kind: 'ServiceAccount', name: 'job', namespace: 'shop' }] }],
  ])('%s are told', (_, spec) => {
    expect(new Set(codes(shop({ egresses: [egress(['shop/web'], ['example.com'], spec)] }, bounded)))).toEqual(
      new Set(['EgressNotCarried']),
    )
  })
})

test.each([
  [[50, 50], [50, 50], false],
  [[1, 1, 1], [34, 33, 33], true],
  [[0, 0], [100, 0], true],
  [[7], [100], false],
])('%j in per cents', (weights, percents, rounded) => {
  expect(wholePercents(weights)).toEqual({ weights: percents, rounded })
})
