import { beforeEach, describe, expect, it } from 'vitest'
import { putCluster } from '../../../src/clusters/put-cluster.ts'
import { type ClusterSpec, clusterSpec } from '../../../src/model/cluster.ts'
import type { RequestContext } from '../../../src/model/request.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { AT, aCluster, aService, by, eventsIn, workIn } from '../fakes/documents.ts'
import { FakeClusters } from '../fakes/fake-clusters.ts'
import { armIdOf, FakeManagedClusters } from '../fakes/fake-managed-clusters.ts'
import { MemoryStore } from '../fakes/memory-store.ts'

let store: MemoryStore
let clusters: FakeClusters
let azure: FakeManagedClusters
beforeEach(() => {
  store = new MemoryStore()
  clusters = new FakeClusters()
  azure = new FakeManagedClusters()
})

const EAST = { kubeconfig: { context: 'east' } }
const PROMETHEUS = { prometheus: { url: 'http://metrics.example.com' } }

function put(body: Readonly<Record<string, unknown>> = EAST, context: RequestContext = by()) {
  const clock = { now: () => Date.parse(AT), sleep: async () => undefined }
  const addresses = { refusal: async (url: string) => (url.includes('evil') ? 'the host is not allowed' : undefined) }
  const spec: ClusterSpec = clusterSpec.parse(body)
  return putCluster({ store, clock, addresses, clusters, managedClusters: azure }, 'east', spec, context)
}

const east = () => store.get('cluster', 'east')

describe('a cluster that is registered', () => {
  it('is one document, and is probed and chosen by whoever chooses by label', async () => {
    expect(await put({ ...EAST, metrics: PROMETHEUS })).toMatchObject({ ok: true, value: { status: 'created' } })
    expect(store.writes).toBe(1)
    expect(east()).toMatchObject({ generation: 1, observedGeneration: 0, conditions: [], attempts: 0, dueAt: AT })
    expect(eventsIn(east().outbox)).toEqual(['cluster.registered'])
    expect(workIn(east().outbox)).toEqual(['work probe east', 'work select east'])
  })

  it('that changes keeps what is known of it, and is probed and chosen again', async () => {
    store.put(aCluster('east'))
    expect(await put({ ...EAST, labels: { env: 'prod' } })).toMatchObject({ ok: true, value: { status: 'updated' } })
    expect(east()).toMatchObject({ generation: 2, observedGeneration: 1, mesh: { provider: 'istio' }, dueAt: AT })
    expect(eventsIn(east().outbox)).toEqual(['cluster.changed'])
    expect(workIn(east().outbox)).toEqual(['work probe east', 'work select east'])
  })

  it('writes nothing when it is the same', async () => {
    await put()
    expect(await put()).toMatchObject({ ok: true, value: { status: 'unchanged' } })
    expect(store.writes).toBe(1)
  })

  it('may be one that does not answer now: whether it does is the probe’s part', async () => {
    clusters.refusal = new PortError('unavailable', 'Kubernetes east', 'no answer')
    expect(await put()).toMatchObject({ ok: true })
  })
})

describe('a cluster that is refused', () => {
  it.each([
    [
      'with managed Prometheus at a host that is not Azure’s',
      { ...EAST, metrics: { azureMonitor: { endpoint: 'https://prometheus.monitor.azure.com.evil.example' } } },
      'InvalidCombination',
      '/metrics/azureMonitor/endpoint',
    ],
    [
      'with an address that may not be called',
      { ...EAST, metrics: { prometheus: { url: 'http://evil.example.com' } } },
      'InvalidCombination',
      '/metrics/prometheus/url',
    ],
  ])('%s, and nothing is written', async (_, body, code, pointer) => {
    expect(await put(body)).toMatchObject({
      ok: false,
      failure: { code, errors: [{ pointer, reason: expect.any(String) }] },
    })
    expect(store.writes).toBe(0)
  })

  it.each(['invalid', 'denied'] as const)('by a context that cannot be used (%s)', async (kind) => {
    clusters.refusal = new PortError(kind, 'kubeconfig', 'there is no context east')
    expect(await put()).toMatchObject({
      ok: false,
      failure: { code: 'UnknownReference', errors: [{ pointer: '/kubeconfig/context' }] },
    })
    expect(store.writes).toBe(0)
  })

  it('while it is being deleted', async () => {
    store.put(aCluster('east', { deletingAt: AT }))
    expect(await put({ ...EAST, labels: { a: 'b' } })).toMatchObject({ failure: { code: 'Deleting' } })
  })

  it('under another context while services are on it, or have yet to leave it', async () => {
    store.put(aCluster('east'))
    for (const service of [aService(), aService({ targets: {}, leaving: ['east'] })]) {
      store.put(service)
      expect(await put({ kubeconfig: { context: 'other' } })).toMatchObject({
        failure: { code: 'InUse', errors: [{ pointer: '/kubeconfig/context' }] },
      })
    }
    store.put(aService({ targets: { west: { stable: 'v1' } } }))
    expect(await put({ kubeconfig: { context: 'other' } })).toMatchObject({ ok: true })
  })

  it('when it has changed since it was read, or is to be created and is there', async () => {
    store.put(aCluster('east'))
    const changed = { ...EAST, labels: { a: 'b' } }
    for (const context of [{ ifMatch: ['"old"'] }, { createOnly: true }]) {
      expect(await put(changed, by(context))).toMatchObject({ failure: { code: 'PreconditionFailed' } })
    }
  })
})

describe('a cluster by ARM id', () => {
  const resourceId = armIdOf('east')

  it('is registered when Azure knows it, without asking for its endpoint', async () => {
    azure.put(resourceId)
    expect(await put({ resourceId })).toMatchObject({ ok: true, value: { status: 'created', warnings: [] } })
    expect(east()).toMatchObject({ spec: { resourceId } })
    expect(workIn(east().outbox)).toEqual(['work probe east', 'work select east'])
  })

  it('is looked at in Azure when its id is new, and not at every later change', async () => {
    azure.put(resourceId)
    await put({ resourceId })
    await put({
      resourceId: resourceId.toUpperCase().replace('/SUBSCRIPTIONS', '/subscriptions'),
      labels: { env: 'prod' },
    })
    expect(east().generation).toBe(2)
    expect(azure.asked).toEqual([resourceId])
  })

  it.each([
    ['denied', 'ArmDenied'],
    ['throttled', 'ArmThrottled'],
    ['unavailable', 'ArmUnavailable'],
  ] as const)('is registered with a warning while Azure does not tell (%s)', async (kind, reason) => {
    azure.failure = new PortError(kind, 'Azure', 'Azure answered otherwise', { reason })
    const warnings = ['Azure did not tell of the cluster: Azure answered otherwise.']
    expect(await put({ resourceId })).toMatchObject({ ok: true, value: { status: 'created', warnings } })
  })

  it('is registered with a warning when it is stopped', async () => {
    azure.put(resourceId, { powerState: 'Stopped' })
    const warnings = ['The cluster cannot be used now: the cluster is stopped.']
    expect(await put({ resourceId })).toMatchObject({ ok: true, value: { warnings } })
  })

  it('is refused when Azure has none with that id', async () => {
    expect(await put({ resourceId })).toMatchObject({
      failure: { code: 'UnknownReference', errors: [{ pointer: '/resourceId' }] },
    })
    expect(store.writes).toBe(0)
  })

  it('is refused without Entra ID, with a way out', async () => {
    azure.put(resourceId, { entra: { enabled: false, azureRbac: false, localAccountsDisabled: false } })
    expect(await put({ resourceId })).toMatchObject({
      failure: { code: 'UnsupportedFeature', hint: expect.stringContaining('--enable-aad') },
    })
    expect(store.writes).toBe(0)
  })

  it('is refused under a second name, in whatever case its id is written', async () => {
    azure.put(resourceId)
    store.put(aCluster('first', { spec: clusterSpec.parse({ resourceId: resourceId.replace('east', 'EAST') }) }))
    expect(await put({ resourceId })).toMatchObject({
      failure: {
        code: 'InUse',
        detail: 'The cluster is registered already, as first.',
        errors: [{ pointer: '/resourceId' }],
      },
    })
  })

  it('cannot become another while services are on it, nor be reached in another way', async () => {
    for (const name of ['east', 'other']) azure.put(armIdOf(name))
    store.put(aCluster('east', { spec: clusterSpec.parse({ resourceId }) }))
    store.put(aService())
    expect(await put({ resourceId: armIdOf('other') })).toMatchObject({
      failure: { code: 'InUse', errors: [{ pointer: '/resourceId' }] },
    })
    expect(await put(EAST)).toMatchObject({ failure: { code: 'InUse', errors: [{ pointer: '/kubeconfig/context' }] } })
    store.put(aService({ targets: { west: { stable: 'v1' } } }))
    expect(await put({ resourceId: armIdOf('other') })).toMatchObject({ ok: true })
  })
})
