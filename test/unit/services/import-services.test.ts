import { beforeEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/model/kube.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { type ImportRequest, importServices } from '../../../src/services/import/import-services.ts'
import { AT, aCaller, aCluster, aService, aTeam, by } from '../fakes/documents.ts'
import { FakeClusters } from '../fakes/fake-clusters.ts'
import { FakeMetrics } from '../fakes/fake-metrics.ts'
import { MemoryStore } from '../fakes/memory-store.ts'

let store: MemoryStore
let clusters: FakeClusters
const clock = { now: () => Date.parse(AT), sleep: async () => undefined }

function kubeService(name: string, namespace = 'shop'): KubeObject {
  const ports = [{ name: 'http', port: 80 }]
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace, name }, spec: { selector: { app: name }, ports } }
}

function route(name: string, more: Partial<KubeObject['metadata']> = {}): KubeObject {
  const spec = { hosts: [name], http: [{ route: [{ destination: { host: name } }], timeout: '5s' }] }
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { namespace: 'shop', name, ...more },
    spec,
  }
}

beforeEach(() => {
  store = new MemoryStore()
  clusters = new FakeClusters()
  store.put(aCluster('east'))
  store.put(aTeam())
  clusters.objects.set('Service', [kubeService('web'), kubeService('cart'), kubeService('idle')])
  clusters.objects.set('VirtualService', [route('web'), route('cart')])
})

async function run(change: Partial<ImportRequest> = {}, context = by()) {
  const request = { cluster: 'east', isDone: true, limit: 50, ...change }
  const result = await importServices({ store, clock, clusters, metrics: new FakeMetrics() }, request, context)
  if (!result.ok) throw new Error(`${result.failure.code}: ${result.failure.detail}`)
  return result.value
}

const results = (found: Awaited<ReturnType<typeof run>>) =>
  found.value.map(({ service, result }) => `${service} ${result}`)

describe('an import', () => {
  it('registers services that the mesh has objects for, in observe, on this cluster', async () => {
    expect(results(await run())).toEqual(['shop/cart created', 'shop/web created'])
    const { spec } = store.get('service', 'shop/web')
    expect(spec).toMatchObject({ team: 'shop', mode: 'observe', clusters: ['east'], traffic: { timeout: '5s' } })
  })

  it('again registers nothing, and leaves what is registered as it is', async () => {
    await run()
    store.change('service', 'shop/web', (web) => ({ ...web, spec: { ...web.spec, onDrift: 'report' } }))
    const writes = store.writes
    const again = await run()
    expect(results(again)).toEqual(['shop/cart registered', 'shop/web registered'])
    expect(again.value[0]?.findings.map(({ code }) => code)).toEqual(['AlreadyRegistered'])
    expect(store.writes).toBe(writes)
  })

  it('as a plan writes nothing, and says what it would be refused for', async () => {
    expect(results(await run({ isDone: false }))).toEqual(['shop/cart planned', 'shop/web planned'])
    expect(store.writes).toBe(0)
    const caller = aCaller({ roles: ['Mesh.Operator'], groups: [] })
    const [cart] = (await run({ isDone: false }, by({ caller }))).value
    expect(cart).toMatchObject({ result: 'failed', failure: { code: 'Forbidden' } })
    expect(cart?.spec).toBeUndefined()
  })

  it('shows a deployer the namespaces of their teams alone, and an operator all', async () => {
    clusters.objects.set('Service', [kubeService('web'), kubeService('till', 'pay')])
    clusters.objects.set('VirtualService', [
      route('web'),
      route('till', { namespace: 'pay' }),
      route('ratings'),
      route('vault', { namespace: 'pay' }),
    ])
    store.put({ ...aTeam(), name: 'pay', spec: { ...aTeam().spec, namespaces: ['pay'], groups: [] } })
    const own = await run({ isDone: false })
    expect(JSON.stringify(own)).not.toContain('pay')
    expect(results(own)).toEqual(['shop/web planned'])
    expect(own.findings.map(({ object }) => object)).toEqual(['VirtualService shop/ratings'])
    const all = await run({ isDone: false }, by({ caller: aCaller({ roles: ['Mesh.Operator'] }) }))
    expect(results(all)).toEqual(['pay/till failed', 'shop/web planned'])
    expect(all.findings).toHaveLength(2)
  })

  it('looks at some namespaces alone, where asked', async () => {
    clusters.objects.set('Service', [kubeService('web'), kubeService('cart', 'till')])
    clusters.objects.set('VirtualService', [route('web'), route('cart', { namespace: 'till' })])
    expect(results(await run({ namespaces: ['shop'] }))).toEqual(['shop/web created'])
  })

  it('names its place, and goes on behind it', async () => {
    const first = await run({ limit: 1 })
    expect([results(first), first.next]).toEqual([['shop/cart created'], 'shop/cart'])
    const second = await run({ limit: 1, after: first.next })
    expect([results(second), second.next]).toEqual([['shop/web created'], undefined])
  })

  it('takes the only team that owns a namespace, else the one that is named', async () => {
    store.put({ ...aTeam(), name: 'till' })
    const [cart] = (await run()).value
    expect([cart?.result, cart?.findings.map(({ code }) => code)]).toEqual(['failed', ['NoTeam']])
    expect(results(await run({ team: 'shop' }))).toEqual(['shop/cart created', 'shop/web created'])
  })

  it('reads nothing that Meshwright wrote', async () => {
    const labels = { 'app.kubernetes.io/managed-by': 'meshwright' }
    clusters.objects.set('VirtualService', [route('web', { labels })])
    expect((await run()).value).toEqual([])
  })

  it('tells what it may not list, and objects that are for no one service', async () => {
    clusters.failures.set('list Telemetry', new PortError('denied', 'Kubernetes', 'forbidden'))
    clusters.failures.set('list WasmPlugin', new PortError('not-found', 'Kubernetes', 'no such kind'))
    clusters.objects.set('VirtualService', [route('ratings')])
    const { findings } = await run()
    expect(findings.map(({ code }) => code)).toEqual(['NotSeen', 'Unattached'])
    expect((await run({ after: 'shop/a' })).findings).toEqual([])
  })

  it('reads routes of the Gateway API at Gateways that the cluster names', async () => {
    const gateways = { external: { namespace: 'infra', name: 'public' } }
    const route = (name: string, parent: string): KubeObject => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { namespace: 'shop', name },
      spec: {
        parentRefs: [{ name: parent, namespace: 'infra' }],
        hostnames: [`${name}.example.com`],
        rules: [{ backendRefs: [{ name, port: 80 }] }],
      },
    })
    const mesh = { provider: 'gateway-api' as const }
    store.put(aCluster('east', { mesh, spec: { ...aCluster('east').spec, mesh: { gateways } } }))
    store.put(aTeam({ hosts: ['*.example.com'] }))
    clusters.objects.set('HTTPRoute', [route('web', 'public'), route('cart', 'private')])
    const { value } = await run()
    expect(value).toMatchObject([
      { service: 'shop/cart', result: 'failed', failure: { code: 'InvalidCombination' } },
      {
        service: 'shop/web',
        result: 'created',
        findings: [],
        spec: {
          exposure: [{ gateway: 'external', host: 'web.example.com', path: '/' }],
          versions: { all: { labels: { app: 'web' } } },
        },
      },
    ])
  })

  it('says of a Service without Pods of its own that there are no versions', async () => {
    const { spec: _, ...bare } = kubeService('web')
    clusters.objects.set('Service', [{ ...bare, spec: { ports: [{ port: 80 }] } }])
    const [web] = (await run()).value
    expect(web).toMatchObject({ result: 'failed', findings: [{ code: 'NoPods' }] })
  })
})

describe('an import is refused', () => {
  const refused = async (change: Partial<ImportRequest> = {}) => {
    const request = { cluster: 'east', isDone: true, limit: 50, ...change }
    const result = await importServices({ store, clock, clusters, metrics: new FakeMetrics() }, request, by())
    return result.ok ? undefined : result.failure.code
  }

  it('for a cluster that is not there, is leaving, has no known mesh, or one that is not read', async () => {
    expect(await refused({ cluster: 'north' })).toBe('NotFound')
    store.put(aCluster('east', { deletingAt: AT }))
    expect(await refused()).toBe('Deleting')
    const { mesh: _, ...unknown } = aCluster('east')
    store.put(unknown)
    expect(await refused()).toBe('Conflict')
    store.put(aCluster('east', { mesh: { provider: 'consul' } }))
    expect(await refused()).toBe('UnsupportedFeature')
  })

  it('of namespaces of other teams', async () => {
    expect(await refused({ namespaces: ['shop', 'pay'] })).toBe('Forbidden')
  })

  it('where Services may not be listed: nothing is not what was seen', async () => {
    clusters.failures.set('list Service', new PortError('denied', 'Kubernetes', 'forbidden'))
    expect(await refused()).toBe('Conflict')
  })

  it('while the cluster does not answer', async () => {
    clusters.refusal = new PortError('unavailable', 'Kubernetes', 'connection refused')
    expect(await refused()).toBe('Unavailable')
  })

  it('of a service that comes between the look and the write: it is told', async () => {
    const read = store.read.bind(store)
    let looks = 0
    store.read = (async (kind: 'service', key: string) => {
      looks += kind === 'service' && key === 'shop/web' ? 1 : 0
      if (looks === 2) store.put(aService())
      return looks === 1 ? undefined : read(kind, key)
    }) as typeof store.read
    clusters.objects.set('Service', [kubeService('web')])
    expect(results(await run({ team: 'shop' }))).toEqual(['shop/web registered'])
  })
})
