import { describe, expect, it } from 'vitest'
import { istioRoutes } from '../../../../src/sandbox/world/istio-routes.ts'

const rule = {
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    host: 'web.shop.svc.cluster.local',
    subsets: [
      { name: 'v1', labels: { version: 'v1' } },
      { name: 'v2', labels: { version: 'v2' } },
    ],
  },
}
const service = (http: unknown[], spec: object = {}, namespace = 'shop') => ({
  metadata: { name: 'web', namespace },
  spec: { hosts: ['web'], http, ...spec },
})
const to = (subset: string, weight?: number, host = 'web') => ({
  destination: { host, subset },
  ...(weight === undefined ? {} : { weight }),
})

function weights(virtualServices: readonly unknown[], destinationRules: readonly unknown[] = [rule]) {
  const source = istioRoutes({
    list: (_, __, kind) => (kind === 'VirtualService' ? virtualServices : destinationRules),
  })
  return source.weights('east', 'shop', 'web')
}

const v1 = { subset: 'v1', labels: { version: 'v1' } }
const v2 = { subset: 'v2', labels: { version: 'v2' } }

describe('routes out of Istio objects', () => {
  it('are none without a VirtualService for the host', () => {
    expect(weights([])).toBeUndefined()
    expect(weights([service([{ route: [to('v1')] }], { hosts: ['other'] })])).toBeUndefined()
    expect(weights([service([{ route: [to('v1')] }], {}, 'elsewhere')])).toBeUndefined()
    expect(weights([service([{ route: [to('v1')] }], { gateways: ['ingress'] })])).toBeUndefined()
  })

  it.each(['web', 'web.shop', 'web.shop.svc', 'web.shop.svc.cluster.local'])('are found under the host %s', (host) => {
    const found = weights([service([{ route: [to('v1', 95, host), to('v2', 5, host)] }], { hosts: [host] })])
    expect(found).toEqual([
      { ...v1, weight: 95 },
      { ...v2, weight: 5 },
    ])
  })

  it('give a lone destination everything, whatever its weight', () => {
    expect(weights([service([{ route: [to('v1')] }])])).toEqual([{ ...v1, weight: 1 }])
    expect(weights([service([{ route: [to('v1', 0)] }])])).toEqual([{ ...v1, weight: 1 }])
  })

  it('take the first route that a plain request matches', () => {
    const headers = { match: [{ headers: { 'x-canary': { exact: 'yes' } } }], route: [to('v2')] }
    const rest = { match: [{ uri: { prefix: '/' } }], route: [to('v1')] }
    expect(weights([service([headers, rest])])).toEqual([{ ...v1, weight: 1 }])
  })

  it('leave a subset without labels that no DestinationRule names', () => {
    const found = weights([service([{ route: [to('v1', 90), to('v3', 10)] }])], [])
    expect(found).toEqual([
      { subset: 'v1', weight: 90, labels: undefined },
      { subset: 'v3', weight: 10, labels: undefined },
    ])
    expect(weights([service([{ route: [{ destination: { host: 'web' } }] }])], [])).toEqual([
      { subset: '', weight: 1, labels: {} },
    ])
  })
})
