import { beforeEach, describe, expect, it } from 'vitest'
import { handleWork, type WorkDeps } from '../../../src/handle-work.ts'
import type { PlacementDocument, ServiceDocument } from '../../../src/model/documents.ts'
import type { WorkMessage } from '../../../src/model/outbox.ts'
import { serviceSpec } from '../../../src/model/service.ts'
import { RESERVED_FOR_MS } from '../../../src/services/hosts/reserve-hosts.ts'
import { clusterDocument, createWorld, placementDocument, teamDocument, type World } from './fixture.ts'

const gateways = { external: { namespace: 'ingress', selector: { istio: 'gw' } } }
const HOST = '/api/v1/hosts/external/web.example.com'
let world: World

beforeEach(() => {
  world = createWorld()
  for (const name of ['east', 'west']) {
    const cluster = clusterDocument(name)
    world.store.put({ ...cluster, mesh: { provider: 'istio' }, spec: { ...cluster.spec, mesh: { gateways } } })
  }
  const team = teamDocument()
  world.store.put({ ...team, spec: { ...team.spec, hosts: ['web.example.com'] } })
})

const body = (exposure: readonly object[], more: object = {}) => ({
  team: 'shop',
  ports: [{ name: 'http', port: 80, protocol: 'http' }],
  versions: { v1: { labels: { version: 'v1' } } },
  initialVersion: 'v1',
  clusters: ['east'],
  ...(exposure.length === 0 ? {} : { exposure: exposure.map((one) => ({ host: 'web.example.com', ...one })) }),
  ...more,
})
const put = (name: string, exposure: readonly object[], more: object = {}) =>
  world.call('PUT', `/api/v1/services/shop/${name}`, { body: body(exposure, more) })

/** What the queue would have workers do for hosts. */
async function settle(name: string): Promise<void> {
  const service = world.store.get('service', `shop/${name}`)
  const messages = service.outbox.flatMap((entry) => (entry.kind === 'work' ? [entry.message] : []))
  const work = { store: world.store, clock: world.clock } as unknown as WorkDeps
  for (const message of messages.filter(({ kind }) => kind === 'host')) await handleWork(work, message as WorkMessage)
}

describe('a path of a host', () => {
  it('is claimed by the first service that exposes it, shown, and 409 for the second', async () => {
    expect((await put('web', [{}])).status).toBe(201)
    expect((await world.call('GET', HOST)).json).toMatchObject({
      paths: [],
      reserved: [{ path: '/', service: 'shop/web', clusters: ['east'] }],
    })
    await settle('web')
    const { status, json } = await put('api', [{ path: '/api' }, { path: '/' }])
    expect({ status, json }).toMatchObject({
      status: 409,
      json: { code: 'HostTaken', detail: expect.stringContaining('shop/web holds / on east') },
    })
    expect(world.store.peek('service', 'shop/api')).toBeUndefined()
    expect((await put('api', [{ path: '/api/' }])).status).toBe(201)
    await settle('api')
    expect((await world.call('GET', HOST)).json).toMatchObject({
      gateway: 'external',
      host: 'web.example.com',
      paths: [
        { path: '/', service: 'shop/web', clusters: ['east'] },
        { path: '/api', service: 'shop/api', clusters: ['east'] },
      ],
      reserved: [],
      refused: [],
    })
    expect((await world.call('GET', '/api/v1/hosts')).json.value).toHaveLength(1)
  })

  it('is held from the moment of the PUT, before any worker has looked', async () => {
    await put('web', [{}])
    expect((await put('api', [{}])).json).toMatchObject({ code: 'HostTaken' })
    world.clock.time += RESERVED_FOR_MS
    // The reservation is over, the service is there all the same.
    const work = { store: world.store, clock: world.clock } as unknown as WorkDeps
    await handleWork(work, { kind: 'host', host: 'external/web.example.com' })
    expect((await put('api', [{}])).json).toMatchObject({ code: 'HostTaken' })
  })

  it('is free again once its service gave it up, and on other clusters all along', async () => {
    await put('web', [{}])
    await settle('web')
    expect((await put('api', [{}], { clusters: ['west'] })).status).toBe(201)
    await put('web', [])
    await settle('web')
    expect((await put('late', [{}])).status).toBe(201)
  })

  it('is told by a plan to be taken, which reserves nothing', async () => {
    await put('web', [{}])
    const plan = await world.call('POST', '/api/v1/services/shop/api/plan', { body: body([{}]) })
    expect(plan).toMatchObject({ status: 409, json: { code: 'HostTaken' } })
    const free = await world.call('POST', '/api/v1/services/shop/api/plan', { body: body([{ path: '/api' }]) })
    expect(free.status).toBe(200)
    expect((await world.call('GET', HOST)).json.reserved).toHaveLength(1)
  })

  it('is given up by a service that is deleted', async () => {
    await put('web', [{}])
    await settle('web')
    expect((await world.call('DELETE', '/api/v1/services/shop/web')).status).toBe(202)
    await settle('web')
    expect((await put('api', [{}])).status).toBe(201)
  })

  it('that is lost by a cluster chosen by label is shown, with who holds it', async () => {
    await put('web', [{}])
    await settle('web')
    const before = world.store.get('cluster', 'east')
    world.store.put({ ...before, spec: { ...before.spec, labels: { env: 'prod' } } })
    const api: ServiceDocument = {
      ...world.store.get('service', 'shop/web'),
      name: 'api',
      spec: serviceSpec.parse(body([{}], { clusters: { matchLabels: { env: 'prod' } } })),
    }
    world.store.put(api)
    const message = { kind: 'host', host: 'external/web.example.com', service: 'shop/api' } as const
    await handleWork({ store: world.store, clock: world.clock } as unknown as WorkDeps, message)
    expect((await world.call('GET', HOST)).json.refused).toEqual([
      { path: '/', service: 'shop/api', cluster: 'east', by: 'shop/web', reason: 'holds /' },
    ])
    const { json } = await world.call('GET', '/api/v1/services/shop/api/placements')
    expect(json.value[0].conditions).toContainEqual(
      expect.objectContaining({ type: 'Exposed', status: 'False', reason: 'HostTaken' }),
    )
  })
})

describe('the condition Exposed', () => {
  const exposed = async () => {
    const { json } = await world.call('GET', '/api/v1/services/shop/web/placements')
    const found = json.value[0].conditions.find(({ type }: { type: string }) => type === 'Exposed')
    return found && `${found.status} ${found.reason}`
  }

  it('follows the host on the cluster', async () => {
    await put('web', [{}])
    expect(await exposed()).toBe('Unknown Pending')
    await settle('web')
    expect(await exposed()).toBe('False Pending')
    const host = { ...placementDocument(), service: 'external/web.example.com', cluster: 'east' } as PlacementDocument
    const ready = {
      type: 'Ready',
      status: 'False',
      reason: 'GatewayUnknown',
      message: '',
      lastTransitionTime: '',
    } as const
    world.store.put({ ...host, conditions: [{ ...ready, lastTransitionTime: '2030-01-01T00:00:00.000Z' }] })
    expect(await exposed()).toBe('False GatewayUnknown')
    world.store.put({
      ...world.store.get('placement', 'external/web.example.com/east'),
      routes: [{ path: '/', service: 'shop/web' }],
    })
    expect(await exposed()).toBe('True Exposed')
    await put('web', [])
    expect(await exposed()).toBeUndefined()
  })
})

describe('an exposure that cannot be', () => {
  const twice = [{ path: '/a' }, { path: '/a/' }]
  it.each([
    ['a host that the team does not own', [{ host: 'other.example.com' }], 'InvalidCombination', '/exposure/0/host'],
    ['a gateway that the cluster does not have', [{ gateway: 'none' }], 'UnknownReference', '/exposure/0/gateway'],
    ['an unknown certificate', [{ tls: { certificate: 'x' } }], 'UnknownReference', '/exposure/0/tls/certificate'],
    ['one path twice', twice, 'InvalidCombination', '/exposure'],
  ])('for %s is 422 and reserves nothing', async (_, exposure, code, pointer) => {
    const { status, json } = await put('web', exposure)
    expect({ status, json }).toMatchObject({ status: 422, json: { code, errors: [{ pointer }] } })
    expect((await world.call('GET', '/api/v1/hosts')).json.value).toEqual([])
  })

  it.each([
    ['does not cover the host', { dnsNames: ['other.example.com'] }],
    ['is brought elsewhere', { secret: { namespace: 'elsewhere', name: 'tls' } }],
  ])('for a certificate that %s is 422; one in use stays', async (_, wrong) => {
    const spec = {
      purpose: 'gateway-tls',
      dnsNames: ['*.example.com'],
      clusters: ['east'],
      secret: { namespace: 'ingress', name: 'tls' },
      issuer: { kind: 'self' },
    }
    await world.call('PUT', '/api/v1/certificates/web-tls', { body: { ...spec, ...wrong } })
    const exposure = [{ tls: { certificate: 'web-tls' } }]
    expect(await put('web', exposure)).toMatchObject({ status: 422, json: { code: 'InvalidCombination' } })
    await world.call('PUT', '/api/v1/certificates/web-tls', { body: spec })
    expect((await put('web', exposure)).status).toBe(201)
    expect(await world.call('DELETE', '/api/v1/certificates/web-tls')).toMatchObject({
      status: 409,
      json: { code: 'InUse' },
    })
  })
})
