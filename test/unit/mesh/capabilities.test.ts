import { describe, expect, it } from 'vitest'
import { BUILT_PROVIDERS, CAPABILITIES, refusalOf, refusalOfFeatures } from '../../../src/mesh/capabilities.ts'
import { FEATURES, featuresOf, rolloutFeatures } from '../../../src/mesh/features.ts'
import { providerFor, requireProvider } from '../../../src/mesh/registry.ts'
import { PROVIDERS } from '../../../src/model/cluster.ts'
import { specOf } from './istio/specs.ts'

describe('capabilities', () => {
  it('say something of every feature for every provider', () => {
    for (const provider of PROVIDERS) expect(Object.keys(CAPABILITIES[provider])).toEqual([...FEATURES])
  })

  it('call built what the registry can give, and nothing else', () => {
    expect(PROVIDERS.filter((name) => providerFor(name) !== undefined)).toEqual(BUILT_PROVIDERS)
    for (const name of BUILT_PROVIDERS) expect(providerFor(name)?.name).toBe(name)
  })

  it('are of providers that the registry has, and of no other', () => {
    for (const name of PROVIDERS) expect(requireProvider(name)).toMatchObject({ ok: true })
    expect(requireProvider('other' as 'istio')).toMatchObject({ ok: false, failure: { code: 'NotBuilt' } })
  })

  it('name the field of each feature that a service uses', () => {
    const spec = specOf({
      hosts: ['web.example.com'],
      traffic: { timeout: '5s', retries: { attempts: 2, perTryTimeout: '1s' }, weights: { v1: 100 } },
    })
    expect(featuresOf(spec).map(({ pointer }) => pointer)).toEqual([
      '/versions',
      '/ports/0/protocol',
      '/hosts',
      '/traffic/timeout',
      '/traffic/retries/attempts',
      '/traffic/retries/perTryTimeout',
      '/traffic/weights',
    ])
    expect(refusalOf('istio', spec)).toBeUndefined()
    const refusal = refusalOf('consul', spec)
    expect(refusal).toMatchObject({
      code: 'UnsupportedFeature',
      errors: [{ pointer: '/hosts' }, { pointer: '/traffic/retries/perTryTimeout' }],
    })
  })

  it('refuse what needs an EnvoyFilter where the cluster does not allow any, once the cluster is known', () => {
    const limited = specOf({ traffic: { rateLimit: { requests: 5, per: 'second' } } })
    expect(refusalOf('istio', limited, limited)).toBeUndefined()
    expect(refusalOf('istio', limited, limited, { provider: 'istio', envoyFilters: true })).toBeUndefined()
    expect(refusalOf('istio', limited, limited, { provider: 'istio' })).toMatchObject({
      code: 'UnsupportedFeature',
      errors: [{ pointer: '/traffic/rateLimit/requests' }, { pointer: '/traffic/rateLimit/per' }],
      hint: expect.stringContaining('mesh.envoyFilters'),
    })
  })

  it('name the field of each kind of traffic that a rollout uses, its waves too', () => {
    const match = { match: [{ path: { exact: '/a' } }], for: '1m' }
    const mirror = { mirror: 5, for: '1m' }
    const used = rolloutFeatures({
      steps: [mirror, match, { weight: 5, for: '1m' }],
      waves: [{}, { steps: [match] }],
      affinity: {},
    })
    expect(used.map(({ feature, pointer }) => `${feature} ${pointer}`)).toEqual([
      'rollouts.mirror /steps/0/mirror',
      'rollouts.match /steps/1/match',
      'rollouts.match /waves/1/steps/0/match',
      'rollouts.affinity /affinity',
    ])
    expect(refusalOfFeatures('istio', used)).toBeUndefined()
    const gates = [
      { kind: 'errors', limit: 0.01 },
      { kind: 'errors', from: 'logs', limit: 0.01 },
      { kind: 'counts', use: 'consul-errors' },
    ]
    const counted = rolloutFeatures({ steps: [], gates: gates as never })
    expect(counted).toEqual([{ feature: 'gates.errors', pointer: '/gates/0' }])
    expect(refusalOfFeatures('istio', counted)).toBeUndefined()
    for (const provider of ['consul', 'osm'] as const) {
      expect(refusalOfFeatures(provider, counted)?.hint).toContain(`use: ${provider}-errors`)
    }
    expect(refusalOfFeatures('linkerd', used)).toMatchObject({
      code: 'UnsupportedFeature',
      errors: [{ pointer: '/steps/0/mirror' }, { pointer: '/affinity' }],
      hint: expect.stringContaining('small weight'),
    })
  })
})
