import { describe, expect, it } from 'vitest'
import { effectivePolicy, mergePolicies } from '../../../../src/model/policy/effective-policy.ts'
import { servicePolicy } from '../../../../src/model/policy/service-policy.ts'
import { serviceSpec } from '../../../../src/model/service.ts'

function specOf(change: Readonly<Record<string, unknown>>) {
  return serviceSpec.parse({
    team: 'shop',
    ports: [{ name: 'http', port: 80, protocol: 'http' }],
    versions: { v1: { labels: { version: 'v1' } } },
    initialVersion: 'v1',
    clusters: ['east', 'west'],
    ...change,
  })
}

const east = { name: 'east', spec: { labels: { env: 'prod' } } } as never
const west = { name: 'west', spec: { labels: { env: 'test' } } } as never

describe('the effective policy', () => {
  const spec = specOf({
    traffic: { timeout: '5s', retries: { attempts: 2, perTryTimeout: '1s' } },
    exposure: [{ host: 'web.example.com' }],
    overrides: [
      { clusters: { matchLabels: { env: 'prod' } }, traffic: { retries: { attempts: 1 } } },
      { clusters: ['east'], exposure: [], security: { mtls: 'strict' } },
    ],
  })

  it('replaces field by field on the clusters that an override means, the later one last', () => {
    const { policy, origins } = servicePolicy({ spec }, east)
    expect(policy).toEqual({
      traffic: { timeout: '5s', retries: { attempts: 1 } },
      exposure: [],
      security: { mtls: 'strict' },
    })
    expect(origins).toEqual({
      '/traffic/timeout': 'service',
      '/traffic/retries': 'override 0',
      '/exposure': 'override 1',
      '/security/mtls': 'override 1',
    })
  })

  it('leaves other clusters as the service says', () => {
    const { policy, origins } = servicePolicy({ spec }, west)
    expect(policy).toEqual({ traffic: spec.traffic, exposure: spec.exposure })
    expect(Object.values(origins)).toEqual(['service', 'service', 'service'])
  })

  it('lets the service speak over what lies beneath it', () => {
    const beneath = [
      { from: 'policy all', policy: { traffic: { timeout: '9s' }, security: { mtls: 'strict' as const } } },
    ]
    expect(effectivePolicy(spec, [], beneath).origins).toMatchObject({
      '/traffic/timeout': 'service',
      '/security/mtls': 'policy all',
    })
    expect(mergePolicies([])).toEqual({ policy: {}, origins: {} })
  })
})

describe('whom layers allow and deny', () => {
  const rule = (name: string, namespace: string) => ({ name, namespaces: [namespace] })
  const shared = (from: string, authorization: object) => ({
    from: `policy ${from}`,
    isShared: true as const,
    policy: { security: { authorization } },
  })
  const own = (authorization: object, from = 'service') => ({ from, policy: { security: { authorization } } })
  const ALLOW = '/security/authorization/allow'
  const DENY = '/security/authorization/deny'

  it.each([
    [
      "a service's allow leaves a policy's deny",
      [shared('a', { deny: [rule('x', 'a')] }), own({ allow: [] })],
      { allow: [], deny: [rule('x', 'a')] },
      { [ALLOW]: 'service', [DENY]: 'policy a' },
    ],
    [
      "a service's deny leaves a policy's allow",
      [shared('a', { allow: [rule('x', 'a')] }), own({ deny: [] })],
      { allow: [rule('x', 'a')], deny: [] },
      { [ALLOW]: 'policy a', [DENY]: 'service' },
    ],
    [
      'what policies deny stays, under names that differ',
      [
        shared('a', { deny: [rule('x', 'a')] }),
        shared('b', { deny: [rule('x', 'b')] }),
        own({ deny: [rule('x', 'c')] }),
      ],
      { deny: [rule('x-2', 'a'), rule('x-3', 'b'), rule('x', 'c')] },
      { [DENY]: 'service', [`${DENY}/0`]: 'policy a', [`${DENY}/1`]: 'policy b' },
    ],
    [
      'a rule that stands twice is one',
      [shared('a', { deny: [rule('x', 'a')] }), shared('b', { deny: [rule('x', 'a')] }), own({ deny: [] })],
      { deny: [rule('x', 'a')] },
      { [DENY]: 'service', [`${DENY}/0`]: 'policy a' },
    ],
    [
      'an override replaces what the service denies, not what a policy does',
      [shared('a', { deny: [rule('x', 'a')] }), own({ deny: [rule('y', 'b')] }), own({ deny: [] }, 'override 0')],
      { deny: [rule('x', 'a')] },
      { [DENY]: 'override 0', [`${DENY}/0`]: 'policy a' },
    ],
  ])('%s', (_, layers, authorization, origins) => {
    expect(mergePolicies(layers)).toEqual({ policy: { security: { authorization } }, origins })
  })
})
