import { expect, it } from 'vitest'
import { gatewayApi } from '../../../../src/mesh/gateway-api/gateway-api.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'

const PARENT = { name: 'public', namespace: 'gateways', sectionName: 'https' }
const rule = (path: string, backend: string) => ({
  matches: [{ path: { type: 'PathPrefix', value: path } }],
  backendRefs: [{ name: backend, port: 80 }],
})

function route(spec: Readonly<Record<string, unknown>>): KubeObject {
  const metadata = { name: 'web', namespace: 'shop' }
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata, spec }
}

const ours = { parentRefs: [PARENT], hostnames: ['web.example.com'], rules: [rule('/', 'web-v1')] }

it.each<[string, boolean, Record<string, unknown>]>([
  ['that sends requests to other versions', true, { ...ours, rules: [rule('/', 'web-v2'), rule('/', 'web-v1')] }],
  [
    'as the server keeps it, with defaults',
    true,
    { ...ours, parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', ...PARENT }] },
  ],
  ['for one host more', false, { ...ours, hostnames: ['web.example.com', 'shop.example.com'] }],
  ['at another listener', false, { ...ours, parentRefs: [{ ...PARENT, sectionName: 'http' }] }],
  ['with one path more', false, { ...ours, rules: [...ours.rules, rule('/cart', 'web-v1')] }],
])('a route of ours %s: claims the same %s', (_, same, spec) => {
  expect(gatewayApi.sameClaim(route(ours), route(spec))).toBe(same)
})
