import { describe, expect, it } from 'vitest'
import { istioRoutes } from '../../../../src/sandbox/world/istio-routes.ts'
import type { RequestShape } from '../../../../src/sandbox/world/route-source.ts'

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

const PLAIN: RequestShape = { port: 80, path: '/', headers: {} }

function rules(virtualServices: readonly unknown[], destinationRules: readonly unknown[] = [rule]) {
  const source = istioRoutes({
    list: (_, __, kind) => (kind === 'VirtualService' ? virtualServices : destinationRules),
  })
  return source.rules('east', 'shop', 'web')
}

/** Where a plain request goes. */
function weights(...objects: Parameters<typeof rules>) {
  return rules(...objects)?.find((rule) => rule.fits(PLAIN))?.shares
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

  it.each<[Record<string, unknown>, Partial<RequestShape>, boolean]>([
    [{ uri: { exact: '/a' } }, { path: '/a' }, true],
    [{ uri: { exact: '/a' } }, { path: '/A' }, false],
    [{ uri: { exact: '/a' }, ignoreUriCase: true }, { path: '/A' }, true],
    [{ uri: { prefix: '/a' } }, { path: '/ab' }, true],
    [{ uri: { regex: '/a/[0-9]+' } }, { path: '/a/12/b' }, false],
    [{ headers: { 'X-Team': { prefix: 'shop-' } } }, { headers: { 'x-team': 'shop-7' } }, true],
    [{ headers: { 'x-team': { regex: 'shop' } } }, { headers: { 'x-team': 'shop-7' } }, false],
    [{ headers: { 'x-team': {} } }, { headers: { 'x-team': 'any' } }, true],
    [{ headers: { 'x-team': {} } }, {}, false],
    [{ headers: { 'x-team': {} }, uri: { exact: '/a' } }, { headers: { 'x-team': 'any' } }, false],
    [{ port: 80 }, {}, true],
    [{ port: 81 }, {}, false],
    [{ sourceLabels: { app: 'x' } }, {}, false],
  ])('with the match %j fit %j: %s', (match, request, fits) => {
    const [found] = rules([service([{ match: [match], route: [to('v1')] }])]) ?? []
    expect(found?.fits({ ...PLAIN, ...request })).toBe(fits)
  })

  it('tell mirrors, and the cookies that answers set', () => {
    const headers = { response: { add: { 'Set-Cookie': '50%%=k3; Path=/' } } }
    const http = { route: [to('v1', 90), { ...to('v2', 10), headers }], mirror: { host: 'web', subset: 'v2' } }
    expect(rules([service([{ ...http, mirrorPercentage: { value: 25 } }])])).toMatchObject([
      { shares: [{}, { subset: 'v2', setCookie: '50%=k3' }], mirror: { percent: 25, labels: { version: 'v2' } } },
    ])
    expect(rules([service([http])])?.[0]?.mirror?.percent).toBe(100)
  })
})
