import { beforeEach, describe, expect, it } from 'vitest'
import type { ServiceDocument } from '../../../src/model/documents.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { resyncCluster } from '../../../src/reconcile/resync-cluster.ts'
import { settleHost } from '../../../src/services/hosts/settle-host.ts'
import { GATEWAY_NAMESPACE, HOST, HostsWorld } from './hosts-world.ts'

let world: HostsWorld
beforeEach(() => {
  world = new HostsWorld()
})

/** Both services are let in: web at /, api at /api. */
async function bothLive(): Promise<void> {
  world.expose('web', {})
  world.expose('api', { path: '/api' })
  for (const name of ['web', 'api']) {
    await world.claim(name)
    expect(await world.settled(`shop/${name}`)).toMatchObject({ state: 'live' })
  }
  expect(await world.settled(HOST)).toMatchObject({ state: 'live' })
}

describe('a host that services share', () => {
  it('gets one Gateway and one VirtualService, which tries the longest path first', async () => {
    await bothLive()
    expect(world.gateway).toMatchObject({
      metadata: {
        namespace: GATEWAY_NAMESPACE,
        labels: { 'app.kubernetes.io/managed-by': 'meshwright' },
        annotations: { 'meshwright.io/host': HOST, 'meshwright.io/revision': String(world.host.renderRevision) },
      },
      spec: {
        selector: { istio: 'gw' },
        servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['web.example.com'] }],
      },
    })
    expect(world.root?.spec).toMatchObject({
      hosts: ['web.example.com'],
      gateways: [`${GATEWAY_NAMESPACE}/external.web.example.com`],
    })
    expect(world.routes).toEqual(['exact /api or prefix /api/ → api', 'all → web'])
    expect(world.hostCondition('Ready')).toBe('True Live')
  })

  it('lets a path in only once its service has brought its own routes', async () => {
    world.expose('web', {})
    world.expose('api', { path: '/api' })
    await world.claim('web')
    await world.claim('api')
    await world.settled('shop/web')
    expect(await world.pass(HOST)).toMatchObject({ state: 'stopped', reason: 'AwaitsServices' })
    expect(world.routes).toEqual(['all → web'])
    expect(world.hostPlacement?.routes).toEqual([{ path: '/', service: 'shop/web' }])
    await world.settled('shop/api')
    await world.settled(HOST)
    expect(world.routes).toEqual(['exact /api or prefix /api/ → api', 'all → web'])
    expect(world.hostCondition('RoutesReady')).toBe('True Ready')
  })

  it('gets nothing while all its services are only observed', async () => {
    world.expose('web', {})
    const web = world.store.peek('service', 'shop/web') as ServiceDocument
    world.store.put({ ...web, spec: { ...web.spec, mode: 'observe' } })
    await world.claim('web')
    await world.settled('shop/web')
    expect(await world.pass(HOST)).toMatchObject({ state: 'stopped', reason: 'ObserveMode' })
    expect(world.gateway).toBeUndefined()
  })

  it('again writes nothing', async () => {
    await bothLive()
    const writes = world.store.writes
    world.cluster.forget()
    await world.pass(HOST)
    expect(world.cluster.forget().filter((request) => request.startsWith('apply'))).toEqual([])
    expect(world.store.writes).toBe(writes)
  })

  it('waits for its certificate, and then names its Secret', async () => {
    world.addCertificate(false)
    world.expose('web', { tls: { certificate: 'web-tls' }, redirectHttp: true })
    await world.claim('web')
    await world.settled('shop/web')
    expect(await world.pass(HOST)).toMatchObject({ state: 'stopped', reason: 'CertificateNotThere' })
    expect(world.gateway).toBeUndefined()
    world.addCertificate(true)
    await world.settled(HOST)
    const hosts = ['web.example.com']
    expect(world.gateway?.spec?.servers).toEqual([
      {
        port: { number: 443, name: 'https', protocol: 'HTTPS' },
        hosts,
        tls: { mode: 'SIMPLE', credentialName: 'web-tls-secret' },
      },
      { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts, tls: { httpsRedirect: true } },
    ])
  })

  it('is held up by others who serve it there, and names them', async () => {
    const object = { apiVersion: 'networking.istio.io/v1', metadata: { name: 'theirs', namespace: 'other' } }
    const servers = [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['other/web.example.com'] }]
    world.cluster.edit('helm', { ...object, kind: 'Gateway', spec: { selector: { istio: 'gw', app: 'x' }, servers } })
    world.expose('web', {})
    await world.claim('web')
    await world.settled('shop/web')
    expect(await world.pass(HOST)).toMatchObject({
      reason: 'OwnedByOthers',
      message: expect.stringContaining('Gateway other/theirs'),
    })
    expect(world.gateway).toBeUndefined()
    expect(world.hostCondition('Conflict')).toBe('True OwnedByOthers')
  })

  it.each([
    ['of another gateway', { istio: 'gw2' }, 80, 'web.example.com'],
    ['on another port', { istio: 'gw' }, 8080, 'web.example.com'],
    ['for a wildcard that covers it', { istio: 'gw' }, 80, '*.example.com'],
  ])('is not held up by a Gateway %s', async (_, selector, number, host) => {
    const object = { apiVersion: 'networking.istio.io/v1', metadata: { name: 'theirs', namespace: 'other' } }
    const servers = [{ port: { number, name: 'http', protocol: 'HTTP' }, hosts: [host] }]
    world.cluster.edit('helm', { ...object, kind: 'Gateway', spec: { selector, servers } })
    world.expose('web', {})
    await world.claim('web')
    await world.settled('shop/web')
    expect(await world.settled(HOST)).toMatchObject({ state: 'live' })
  })

  it('is held up by a VirtualService of others on a gateway of the same Pods', async () => {
    const object = { apiVersion: 'networking.istio.io/v1', metadata: { name: 'theirs', namespace: 'other' } }
    world.cluster.edit('argo', { ...object, kind: 'Gateway', spec: { selector: { istio: 'gw' }, servers: [] } })
    const spec = { hosts: ['web.example.com'], gateways: ['theirs'], http: [] }
    world.cluster.edit('argo', { ...object, kind: 'VirtualService', spec })
    world.expose('web', {})
    await world.claim('web')
    await world.settled('shop/web')
    expect(await world.pass(HOST)).toMatchObject({ message: expect.stringContaining('VirtualService other/theirs') })
  })

  it('is frozen with the namespace of its gateway, and held by an annotation there', async () => {
    world.expose('web', {})
    await world.claim('web')
    await world.settled('shop/web')
    world.freeze({ reason: 'holiday', scope: { namespaces: [GATEWAY_NAMESPACE] }, covers: ['configuration'] } as never)
    expect(await world.pass(HOST)).toMatchObject({ reason: 'FreezeActive' })
    world.store.documents.delete('freeze holiday')
    await world.settled(HOST)
    world.annotate('VirtualService', 'external.web.example.com', { 'meshwright.io/hold': 'true' })
    world.expose('api', { path: '/api' })
    await world.claim('api')
    await world.settled('shop/api')
    expect(await world.pass(HOST)).toMatchObject({ reason: 'ObjectHeld' })
    expect(world.routes).toEqual(['all → web'])
  })

  it('is written again when another hand has changed it', async () => {
    await bothLive()
    world.cluster.change('kubectl', 'VirtualService', 'external.web.example.com', (object) => ({
      ...object,
      spec: { ...object.spec, http: [] },
    }))
    expect((await resyncCluster(world.deps, 'east')).reconcile).toContain(HOST)
    await world.settled(HOST)
    expect(world.routes).toHaveLength(2)
  })

  it('is never written over by an older render', async () => {
    await bothLive()
    world.annotate('VirtualService', 'external.web.example.com', { 'meshwright.io/revision': '9999999999' })
    world.expose('api', { path: '/v2' })
    await world.claim('api')
    await world.settled('shop/api', 3)
    expect(await world.pass(HOST)).toMatchObject({ reason: 'FencedOff' })
  })
})

describe('a service that is exposed no longer', () => {
  it('leaves the host first, and keeps its own routes until then', async () => {
    await bothLive()
    world.expose('api')
    expect(await world.pass('shop/api')).toMatchObject({ reason: 'StillExposed' })
    expect(world.delegates('api')).toHaveLength(1)
    await world.claim('api')
    await world.settled(HOST)
    expect(world.routes).toEqual(['all → web'])
    expect(await world.settled('shop/api')).toMatchObject({ state: 'live' })
    expect(world.delegates('api')).toEqual([])
  })

  it('takes the host with it when it was the last: objects, placement and document', async () => {
    world.expose('web', {})
    await world.claim('web')
    await world.settled('shop/web')
    await world.settled(HOST)
    world.expose('web')
    await world.claim('web')
    expect(world.host).toMatchObject({ holders: {}, leaving: ['east'] })
    expect(await world.settled(HOST)).toMatchObject({ state: 'removed' })
    expect([world.root, world.gateway, world.hostPlacement]).toEqual([undefined, undefined, undefined])
    expect(world.store.peek('host', HOST)).toBeUndefined()
    await world.settled('shop/web')
    expect(world.delegates('web')).toEqual([])
    expect(world.cluster.peek('VirtualService', 'web')).toBeDefined()
  })

  it('when it is deleted keeps its DestinationRule until no gateway needs its subsets', async () => {
    await bothLive()
    const service = world.store.peek('service', 'shop/api')
    if (!service) throw new Error('no service')
    world.store.put({ ...service, targets: {}, leaving: ['east'], deletingAt: '2026-05-01T10:00:00.000Z' })
    await world.settled('shop/api', 4)
    expect(world.cluster.peek('DestinationRule', 'api')).toBeDefined()
    expect(world.delegates('api')).toHaveLength(1)
    await world.claim('api')
    await world.settled(HOST)
    expect(await world.settled('shop/api')).toMatchObject({ state: 'removed' })
    expect(world.delegates('api')).toEqual([])
    expect(world.cluster.peek('DestinationRule', 'api')).toBeUndefined()
  })
})

describe('weights of an exposed service', () => {
  const weightsOf = (world: HostsWorld) =>
    [world.cluster.peek('VirtualService', 'web'), ...world.delegates('web')].map((object) => {
      const [http] = (object?.spec?.http ?? []) as { route: { destination: { subset: string }; weight: number }[] }[]
      return Object.fromEntries((http?.route ?? []).map(({ destination, weight }) => [destination.subset, weight]))
    })

  it('move for callers in the mesh and for gateways in one pass, back to stable too', async () => {
    await bothLive()
    world.rollout('progressing', 0)
    await world.settled('shop/web')
    world.rollout('progressing', 10)
    await world.pass('shop/web')
    expect(weightsOf(world)).toEqual([
      { v1: 90, v2: 10 },
      { v1: 90, v2: 10 },
    ])
    world.rollout('rolling-back', 0)
    await world.pass('shop/web')
    expect(weightsOf(world)).toEqual([
      { v1: 100, v2: 0 },
      { v1: 100, v2: 0 },
    ])
  })

  it('are not live while the gateway still has others', async () => {
    await bothLive()
    world.rollout('progressing', 0)
    await world.settled('shop/web')
    world.rollout('progressing', 10)
    let applied = 0
    world.cluster.before = (request) => {
      if (request === 'apply VirtualService' && ++applied === 2)
        throw new PortError('unavailable', 'Kubernetes', 'gone')
    }
    expect(await world.pass('shop/web')).toMatchObject({ state: 'failed' })
    world.cluster.before = () => undefined
    expect(weightsOf(world)).toEqual([
      { v1: 90, v2: 10 },
      { v1: 100, v2: 0 },
    ])
    expect(world.placement.weightsLive).toBeUndefined()
    await world.pass('shop/web')
    expect(weightsOf(world)).toEqual([
      { v1: 90, v2: 10 },
      { v1: 90, v2: 10 },
    ])
    expect(world.placement.weightsLive?.revision).toBe(world.store.peek('service', 'shop/web')?.renderRevision)
  })
})

describe('a reservation', () => {
  it('that nobody came for is forgotten, with the host that it made', async () => {
    const { reserveHosts, RESERVED_FOR_MS } = await import('../../../src/services/hosts/reserve-hosts.ts')
    const claims = new Map([[HOST, [{ path: '/', cluster: 'east' }]]])
    expect(await reserveHosts(world.deps, 'shop/web', claims)).toBeUndefined()
    expect(await reserveHosts(world.deps, 'shop/api', claims)).toMatchObject({ code: 'HostTaken' })
    await settleHost(world.deps, { host: HOST })
    expect(world.host.holders['shop/web']?.reserved).toBeDefined()
    world.clock.at += RESERVED_FOR_MS
    await settleHost(world.deps, { host: HOST })
    expect(world.store.peek('host', HOST)).toBeUndefined()
  })
})
