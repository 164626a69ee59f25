import { describe, expect, it } from 'vitest'
import { serviceSpec } from '../../../../src/model/service.ts'

const base = {
  team: 'shop',
  ports: [{ name: 'http', port: 80, protocol: 'http' }],
  versions: { v1: { labels: { version: 'v1' } } },
  initialVersion: 'v1',
  clusters: ['east'],
}
const mirror = { version: 'v9', percent: 5 }
const match = [{ path: { exact: '/a' } }]

describe('what a policy names', () => {
  it.each([
    ['traffic.mirror.version', { traffic: { mirror } }],
    ['traffic.routes.0.mirror.version', { traffic: { routes: [{ name: 'a', match, mirror }] } }],
    ['traffic.routes.0.ports.1', { traffic: { routes: [{ name: 'a', match, ports: ['http', 'no'] }] } }],
    [
      'security.authorization.deny.0.ports.0',
      { security: { authorization: { deny: [{ name: 'a', ports: ['no'] }] } } },
    ],
    ['exposure.0.port', { exposure: [{ host: 'a.example.com', port: 'no' }] }],
    ['overrides.0.traffic.mirror.version', { overrides: [{ clusters: ['east'], traffic: { mirror } }] }],
  ])('must be of the service: %s', (path, change) => {
    const parsed = serviceSpec.safeParse({ ...base, ...change })
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path])
  })

  it('passes where the service has it', () => {
    const traffic = { mirror: { version: 'v1', percent: 5 }, routes: [{ name: 'a', match, ports: ['http'] }] }
    expect(serviceSpec.safeParse({ ...base, traffic }).success).toBe(true)
  })
})
