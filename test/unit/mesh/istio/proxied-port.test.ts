import { expect, it } from 'vitest'
import { proxiedPort } from '../../../../src/mesh/istio/proxied-port.ts'

const app = (...ports: readonly object[]) => ({ name: 'app', ports })
const proxy = { name: 'istio-proxy', ports: [{ containerPort: 15090 }] }

function portOf(spec: object, status: object = { podIP: '10.1.0.5' }, metadata: object = {}) {
  const found = proxiedPort({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', ...metadata },
    spec,
    status,
  } as never)
  return found && `${found.address}:${found.port}`
}

it.each<[string, object, string | undefined]>([
  [
    'the first that its application has',
    { containers: [proxy, app({ containerPort: 8080 }, { containerPort: 9090 })] },
    '10.1.0.5:8080',
  ],
  [
    'the first of TCP',
    { containers: [app({ containerPort: 53, protocol: 'UDP' }, { containerPort: 8053 }), proxy] },
    '10.1.0.5:8053',
  ],
  [
    'that of another container',
    { containers: [{ name: 'tool' }, app({ containerPort: 8080, protocol: 'TCP' })] },
    '10.1.0.5:8080',
  ],
  ['none of a gateway', { containers: [proxy] }, undefined],
  ['none of a Pod without ports', { containers: [app()] }, undefined],
  ['none of a Pod in its node’s network', { hostNetwork: true, containers: [app({ containerPort: 22 })] }, undefined],
])('is %s', (_, spec, expected) => {
  expect(portOf(spec)).toBe(expected)
})

it('is none of a Pod without an address, or on its way out', () => {
  const spec = { containers: [app({ containerPort: 8080 })] }
  expect(portOf(spec, {})).toBeUndefined()
  expect(portOf(spec, { podIP: '10.1.0.5' }, { deletionTimestamp: '2026-05-01T10:00:00Z' })).toBeUndefined()
})
