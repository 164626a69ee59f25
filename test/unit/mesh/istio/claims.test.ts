import { describe, expect, it } from 'vitest'
import { istio } from '../../../../src/mesh/istio/istio.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import { inputOf, specOf } from './specs.ts'

const service = inputOf({ spec: specOf({ hosts: ['web.example.com'] }) })

function route(namespace: string, spec: Readonly<Record<string, unknown>>): KubeObject {
  return { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'other', namespace }, spec }
}

describe('a VirtualService of others', () => {
  const full = 'web.shop.svc.cluster.local'
  it.each<[string, boolean, string, Record<string, unknown>]>([
    ['with the short name in the same namespace', true, 'shop', { hosts: ['web'] }],
    ['with the short name in another namespace', false, 'pay', { hosts: ['web'] }],
    ['with the full name anywhere', true, 'pay', { hosts: [full] }],
    ['with a wildcard above it', true, 'pay', { hosts: ['*.shop.svc.cluster.local'] }],
    ['with a further host of the service', true, 'pay', { hosts: ['web.example.com'] }],
    ['with a wildcard above a further host', true, 'pay', { hosts: ['*.example.com'] }],
    ['with another host', false, 'shop', { hosts: ['cart', 'api.other.com'] }],
    ['for a gateway alone', false, 'shop', { hosts: ['web'], gateways: ['shop/public'] }],
    ['for a gateway and the mesh', true, 'shop', { hosts: ['web'], gateways: ['shop/public', 'mesh'] }],
    ['that is not exported to the service', false, 'pay', { hosts: [full], exportTo: ['.'] }],
    ['that is exported to the service', true, 'pay', { hosts: [full], exportTo: ['shop'] }],
    ["exported to its own namespace, which is the service's", true, 'shop', { hosts: ['web'], exportTo: ['.'] }],
    ['without hosts', false, 'shop', {}],
  ])('%s: claims it %s', (_, claims, namespace, spec) => {
    expect(istio.claims(route(namespace, spec), service, [])).toBe(claims)
  })
})

describe('a DestinationRule of others', () => {
  const subsets = [{ name: 'v1' }]
  it.each<[string, boolean, string, Record<string, unknown>]>([
    ['with subsets beside ours', true, 'shop', { host: 'web', subsets }],
    ['with a policy alone beside ours, which Istio merges', false, 'shop', { host: 'web', trafficPolicy: {} }],
    ['in a namespace of callers, where it hides ours', true, 'pay', { host: 'web.shop.svc.cluster.local' }],
    ['in the root namespace, where ours goes first', false, 'istio-system', { host: 'web.shop.svc.cluster.local' }],
    ['for another host', false, 'shop', { host: 'cart', subsets }],
  ])('%s: claims it %s', (_, claims, namespace, spec) => {
    expect(istio.claims({ ...route(namespace, spec), kind: 'DestinationRule' }, service, [])).toBe(claims)
  })
})

describe('an HTTPRoute', () => {
  it.each<[string, boolean, string, unknown]>([
    ['on the Service', true, 'shop', [{ kind: 'Service', name: 'web' }]],
    ['on the Service from another namespace', true, 'pay', [{ kind: 'Service', name: 'web', namespace: 'shop' }]],
    ['on a Gateway', false, 'shop', [{ kind: 'Gateway', name: 'web' }]],
    ['without parents', false, 'shop', undefined],
  ])('%s: claims it %s', (_, claims, namespace, parentRefs) => {
    expect(istio.claims({ ...route(namespace, { parentRefs }), kind: 'HTTPRoute' }, service, [])).toBe(claims)
  })
})

describe('two objects of ours', () => {
  const spec = { hosts: ['web'], http: [{ route: [{ destination: { host: 'web', subset: 'v1' }, weight: 100 }] }] }
  it.each<[string, boolean, Record<string, unknown>]>([
    ['that send requests elsewhere', true, { ...spec, http: [] }],
    ['with other hosts', false, { ...spec, hosts: ['web', 'web.example.com'] }],
    ['for other gateways', false, { ...spec, gateways: ['mesh', 'shop/public'] }],
    ['that are exported to others', false, { ...spec, exportTo: ['.'] }],
  ])('%s: claim the same %s', (_, same, other) => {
    expect(istio.sameClaim(route('shop', spec), route('shop', other))).toBe(same)
  })
})

describe('of what Istio takes one for a Pod', () => {
  const all = inputOf({
    spec: specOf({
      workload: { labels: { app: 'web' } },
      traffic: { loadBalancing: 'random' },
      egress: { hosts: [{ host: 'pay.example.com', ports: [{ port: 80, protocol: 'http' }], originateTls: true }] },
    }),
  })
  const other = (kind: string, spec: Readonly<Record<string, unknown>>, namespace = 'shop'): KubeObject => {
    const group = /Peer|Request|Authorization/.test(kind)
      ? 'security'
      : kind === 'Telemetry'
        ? 'telemetry'
        : 'networking'
    return { apiVersion: `${group}.istio.io/v1`, kind, metadata: { name: 'other', namespace }, spec }
  }
  const web = { matchLabels: { app: 'web' } }
  const port = { number: 80, protocol: 'HTTP' }

  it.each<[string, boolean, KubeObject]>([
    ['a PeerAuthentication for the same Pods', true, other('PeerAuthentication', { selector: web })],
    [
      'one for some of them',
      true,
      other('PeerAuthentication', { selector: { matchLabels: { app: 'web', version: 'v1' } } }),
    ],
    ['one for more than them', false, other('PeerAuthentication', { selector: { matchLabels: { team: 'shop' } } })],
    ['one for the namespace', false, other('PeerAuthentication', {})],
    ['one in another namespace', false, other('PeerAuthentication', { selector: web }, 'pay')],
    ['a RequestAuthentication for the same Pods', true, other('RequestAuthentication', { selector: web })],
    [
      'one for the Pods of others',
      false,
      other('RequestAuthentication', { selector: { matchLabels: { app: 'bff' } } }),
    ],
    ['a Telemetry for the same Pods', true, other('Telemetry', { selector: web })],
    ['a Sidecar for the same Pods', true, other('Sidecar', { workloadSelector: { labels: { app: 'web' } } })],
    [
      'one that is tried only',
      false,
      {
        ...other('AuthorizationPolicy', { selector: web, rules: [{}] }),
        metadata: { name: 'other', namespace: 'shop', annotations: { 'istio.io/dry-run': 'true' } },
      },
    ],
    ['an AuthorizationPolicy that lets more in', true, other('AuthorizationPolicy', { selector: web, rules: [{}] })],
    ['one that lets nobody in', false, other('AuthorizationPolicy', { selector: web })],
    ['one that denies', false, other('AuthorizationPolicy', { selector: web, action: 'DENY', rules: [{}] })],
    [
      'a ServiceEntry that says other things of a port',
      true,
      other('ServiceEntry', { hosts: ['pay.example.com'], ports: [port] }),
    ],
    [
      'one that says the same',
      false,
      other('ServiceEntry', { hosts: ['pay.example.com'], ports: [{ ...port, targetPort: 443 }] }),
    ],
    ['one of another host', false, other('ServiceEntry', { hosts: ['other.example.com'], ports: [port] })],
    ['a DestinationRule with a policy beside ours', true, other('DestinationRule', { host: 'web', trafficPolicy: {} })],
  ])('%s: claims it %s', (_, claims, object) => {
    expect(istio.claims(object, all, [other('AuthorizationPolicy', { selector: web })])).toBe(claims)
  })

  it('an AuthorizationPolicy that lets in stays beside ours where ours only deny: it is what keeps the others out', () => {
    const theirs = other('AuthorizationPolicy', { selector: web, rules: [{}] })
    const deny = other('AuthorizationPolicy', { selector: web, action: 'DENY', rules: [{}] })
    expect(istio.claims(theirs, all, [deny])).toBe(false)
  })

  it.each<[string, boolean, KubeObject]>([
    ['for just these Pods', true, other('PeerAuthentication', { selector: web })],
    [
      'for some of the Pods',
      false,
      other('PeerAuthentication', { selector: { matchLabels: { app: 'web', version: 'v1' } } }),
    ],
    ['a VirtualService for the host', true, other('VirtualService', { hosts: ['web'] })],
    ['a VirtualService of a wildcard', false, other('VirtualService', { hosts: ['*.shop.svc.cluster.local'] })],
    [
      'a VirtualService for the host and a wildcard',
      false,
      other('VirtualService', { hosts: ['web', '*.example.com'] }),
    ],
    ['a VirtualService for gateways', false, other('VirtualService', { hosts: ['web'], gateways: ['infra/public'] })],
    ['an HTTPRoute, which is not read', false, other('HTTPRoute', {})],
    ['a DestinationRule', true, other('DestinationRule', { host: 'web' })],
  ])('%s: may be taken over %s', (_, may, object) => {
    expect(istio.isAdoptable?.(object, all)).toBe(may)
  })
})
