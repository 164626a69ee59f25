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
