import { describe, expect, it } from 'vitest'
import { istio } from '../../../../src/mesh/istio/istio.ts'
import { readService } from '../../../../src/mesh/read/read-service.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import { seenOf, subjectOf } from './foreign.ts'
import { IDLE, TRIED } from './istio-idle-rows.ts'
import {
  authorizationPolicy,
  destinationRule,
  PODS,
  peerAuthentication,
  reviewsService,
  to,
  virtualService,
} from './istio-objects.ts'
import { allow, CARRIED, route, rule, TOLD, tokens } from './istio-reader-rows.ts'

const BASE = { team: 'shop', clusters: ['east'] }

function read(objects: readonly KubeObject[], service = reviewsService()) {
  const reading = readService(istio, subjectOf(service), seenOf(objects, [service]), BASE)
  const told = (reading?.findings ?? []).map(({ code, object, field }) =>
    [code, object, field].filter(Boolean).join(' '),
  )
  return { spec: reading?.spec, told, errors: reading?.errors }
}

describe('objects of Istio that are read whole', () => {
  it.each(CARRIED)('$it', ({ objects, spec }) => {
    const reading = read(objects)
    expect(reading.told).toEqual([])
    expect(reading.spec).toMatchObject(spec)
  })
})

describe('what is for no request is nothing', () => {
  it.each(IDLE)('$it', ({ settings }) => {
    const reading = read([rule, route({ route: [to('v1')], ...settings })])
    expect(reading.told).toEqual([])
    expect(reading.spec?.traffic?.fault ?? reading.spec?.traffic?.mirror).toBeUndefined()
  })

  it('where nothing is said of how many, all requests are copied', () => {
    const reading = read([rule, route({ route: [to('v1')], mirror: { host: 'reviews', subset: 'v2' } })])
    expect(reading).toMatchObject({ told: [], spec: { traffic: { mirror: { version: 'v2', percent: 100 } } } })
  })
})

describe('a policy that is tried only is not enforced', () => {
  it.each(TRIED)('$it', ({ action, rules }) => {
    const annotations = { 'istio.io/dry-run': 'true' }
    const tried = authorizationPolicy({ ...PODS, action, rules }, { name: 'tried', annotations })
    const reading = read([tokens, allow({ from: [{ source: { namespaces: ['a'] } }] }), tried])
    expect(reading.spec?.security?.authorization).toBeUndefined()
    expect(reading.spec?.security?.authentication?.required).toBe(false)
    expect(reading.told).toContain(
      'StaysWithOwner AuthorizationPolicy shop/tried /metadata/annotations/istio.io~1dry-run',
    )
  })
})

describe('what cannot be carried over is told with its object and field', () => {
  it.each(TOLD)('$it', ({ objects, told, spec = {} }) => {
    const reading = read(objects)
    expect(reading.told).toEqual(told)
    expect(reading.spec).toMatchObject(spec)
  })

  it('no value of an object, which may be a secret, is in what is told', () => {
    const secret = route({ route: [to()], headers: { request: { set: { authorization: 'Bearer hunter2' } } } })
    const reading = readService(istio, subjectOf(reviewsService()), seenOf([secret], []), BASE)
    expect(reading?.findings).toHaveLength(1)
    expect(JSON.stringify(reading)).not.toContain('hunter2')
  })

  it('nothing is read for a service that no object is for', () => {
    expect(read([virtualService({ hosts: ['ratings'], http: [] })]).spec).toBeUndefined()
    expect(read([virtualService({ hosts: ['reviews'], gateways: ['infra/public'], http: [] })]).spec).toBeUndefined()
  })
})

describe('objects that are for no one service', () => {
  it('are told, and stay', () => {
    const left = istio.reader.left(
      seenOf(
        [
          peerAuthentication({ mtls: { mode: 'STRICT' } }, { name: 'default' }),
          peerAuthentication({ mtls: { mode: 'STRICT' } }, { name: 'default', namespace: 'istio-system' }),
          authorizationPolicy({ selector: { matchLabels: { tier: 'web' } } }, { name: 'tier' }),
          virtualService({ hosts: ['shop.example.com'], gateways: ['infra/public'] }, { name: 'public' }),
          destinationRule({ host: 'db.example.com' }, { name: 'db' }),
        ],
        [],
      ),
      new Set(),
    )
    expect(left.map(({ code, object }) => `${code} ${object}`)).toEqual([
      'NamespaceWide PeerAuthentication shop/default',
      'NamespaceWide PeerAuthentication istio-system/default',
      'Unattached AuthorizationPolicy shop/tier',
      'GatewayRoute VirtualService shop/public',
      'Unattached DestinationRule shop/db',
    ])
  })
})
