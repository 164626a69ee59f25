import { describe, expect, it } from 'vitest'
import {
  hasReached,
  holdsOn,
  layersAfter,
  layersOn,
  layersOnNew,
  withPolicy,
} from '../../../../src/model/policy/layers.ts'
import { servicePolicy } from '../../../../src/model/policy/service-policy.ts'
import { sharedPolicySpec } from '../../../../src/model/policy/shared-policy.ts'
import { aService, spec } from '../../fakes/documents.ts'
import { aPolicy, labelled } from '../../policies/documents.ts'

const east = labelled('east', 'prod')
const west = labelled('west', 'test')
const both = [east, west]
const LATER = '2026-05-01T11:00:00.000Z'

describe('policies for many services', () => {
  it.each([
    ['all', true],
    [{ team: 'shop' }, true],
    [{ team: 'bank' }, false],
    [{ namespaces: ['bank', 'shop'] }, true],
    [{ namespaces: ['bank'] }, false],
  ])('for %j hold for a service of team shop in namespace shop: %s', (appliesTo, expected) => {
    expect(holdsOn(aPolicy('p', { appliesTo }), aService(), east)).toBe(expected)
  })

  it('hold on the clusters that they choose, not for exceptions, and not while they go', () => {
    const policy = aPolicy('p', { clusters: { matchLabels: { env: 'prod' } } })
    expect(both.map((cluster) => holdsOn(policy, aService(), cluster))).toEqual([true, false])
    expect(holdsOn(aPolicy('p', { except: ['shop/web'] }), aService(), east)).toBe(false)
    expect(holdsOn({ ...policy, deletingAt: LATER }, aService(), east)).toBe(false)
  })

  it('are the stronger the narrower they are, then by name, and weaker than the service and its overrides', () => {
    const named = (name: string, appliesTo: unknown, timeout: string, more: object = {}) =>
      aPolicy(name, { appliesTo, traffic: { timeout, ...more } })
    const policies = [
      named('z', 'all', '1s', { loadBalancing: 'random', connections: { maxRequests: 1 } }),
      named('a', { namespaces: ['shop'] }, '4s'),
      named('b', { team: 'shop' }, '2s', { connections: { maxRequests: 2 } }),
      named('c', { team: 'shop' }, '3s', { retries: { attempts: 1 } }),
    ]
    const layers = layersAfter(undefined, aService(), both, policies)
    expect(layersOn(layers, 'east').map(({ name }) => name)).toEqual(['z', 'b', 'c', 'a'])
    const own = spec({
      traffic: { retries: { attempts: 5 } },
      overrides: [{ clusters: ['west'], traffic: { timeout: '8s' } }],
    })
    expect(servicePolicy({ spec: own, layers }, east)).toEqual({
      policy: {
        traffic: { timeout: '4s', loadBalancing: 'random', connections: { maxRequests: 2 }, retries: { attempts: 5 } },
      },
      origins: {
        '/traffic/timeout': 'policy a',
        '/traffic/loadBalancing': 'policy z',
        '/traffic/connections': 'policy b',
        '/traffic/retries': 'service',
      },
    })
    expect(servicePolicy({ spec: own, layers }, west).origins['/traffic/timeout']).toBe('override 0')
  })

  it('reach one cluster at a time; elsewhere the older copy holds', () => {
    const old = layersAfter(undefined, aService(), both, [aPolicy('p')])
    const next = aPolicy('p', { traffic: { timeout: '3s' } }, { generation: 2, saidAt: LATER })
    const layers = withPolicy(old, next, aService(), [west])
    const timeouts = both.map((cluster) => servicePolicy({ spec: spec(), layers }, cluster).policy.traffic?.timeout)
    expect(timeouts).toEqual(['9s', '3s'])
    expect(both.map((cluster) => hasReached(layers, next, aService(), cluster))).toEqual([false, true])
    expect(withPolicy(layers, next, aService(), [east])).toMatchObject([{ generation: 2, clusters: ['east', 'west'] }])
  })

  it('are never replaced by an older copy', () => {
    const newer = layersAfter(undefined, aService(), both, [aPolicy('p', {}, { saidAt: LATER })])
    const older = aPolicy('p', { traffic: { timeout: '1s' } })
    expect(withPolicy(newer, older, aService(), both)).toEqual(newer)
    expect(layersAfter({ ...aService(), layers: newer }, aService(), both, [older])).toEqual(newer)
  })

  it('that are only guard rails are carried by nobody', () => {
    const rails = aPolicy('p', { traffic: undefined, guardRails: { noFaults: true } })
    expect(layersAfter(undefined, aService(), both, [rails])).toEqual([])
    expect(hasReached(undefined, rails, aService(), east)).toBe(true)
  })

  it('come with a change of the service, but not past the waves of one that is on its way', () => {
    const before = { ...aService({ targets: { east: { stable: 'v1' } } }), layers: [] }
    const spread = { generation: 1, total: 9, wave: 1, released: [], waveAt: LATER }
    expect(layersAfter(before, aService(), both, [aPolicy('p')])).toMatchObject([{ clusters: ['east', 'west'] }])
    expect(layersAfter(before, aService(), both, [aPolicy('p', {}, { spread })])).toMatchObject([
      { clusters: ['west'] },
    ])
  })

  it('on clusters chosen anew come only where the service is new', () => {
    const before = aService({ targets: { east: { stable: 'v1' } } })
    expect(layersOnNew(before, before, both, [aPolicy('p')])).toMatchObject([{ clusters: ['west'] }])
  })

  it.each([
    [{ appliesTo: 'all' }, ''],
    [{ appliesTo: 'all', traffic: { weights: { v1: 100 } } }, 'traffic'],
    [{ appliesTo: 'all', traffic: { mirror: { version: 'v2', percent: 1 } } }, 'traffic'],
    [{ appliesTo: 'all', exposure: [] }, ''],
    [
      { appliesTo: 'all', security: { authorization: { deny: [{ name: 'a', ports: ['http'] }] } } },
      'security.authorization.deny.0.ports',
    ],
    [{ appliesTo: 'all', guardRails: {} }, 'guardRails'],
  ])('cannot be %j', (body, path) => {
    expect(sharedPolicySpec.safeParse(body).error?.issues.map((issue) => issue.path.join('.'))).toContain(path)
  })
})
