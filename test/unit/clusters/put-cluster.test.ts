import { beforeEach, describe, expect, it } from 'vitest'
import { putCluster } from '../../../src/clusters/put-cluster.ts'
import { type ClusterSpec, clusterSpec } from '../../../src/model/cluster.ts'
import type { RequestContext } from '../../../src/model/request.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { AT, aCluster, aService, by, eventsIn, workIn } from '../fakes/documents.ts'
import { FakeClusters } from '../fakes/fake-clusters.ts'
import { MemoryStore } from '../fakes/memory-store.ts'

let store: MemoryStore
let clusters: FakeClusters
beforeEach(() => {
  store = new MemoryStore()
  clusters = new FakeClusters()
})

const EAST = { kubeconfig: { context: 'east' } }
const PROMETHEUS = { prometheus: { url: 'http://metrics.example.com' } }

function put(body: Readonly<Record<string, unknown>> = EAST, context: RequestContext = by()) {
  const clock = { now: () => Date.parse(AT), sleep: async () => undefined }
  const addresses = { refusal: async (url: string) => (url.includes('evil') ? 'the host is not allowed' : undefined) }
  const spec: ClusterSpec = clusterSpec.parse(body)
  return putCluster({ store, clock, addresses, clusters }, 'east', spec, context)
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
  const arm = `/subscriptions/${'1'.repeat(8)}-1111-1111-1111-${'1'.repeat(12)}/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/east`
  it.each([
    ['by ARM id, for now', { resourceId: arm }, 'NotBuilt', '/resourceId'],
    [
      'with managed Prometheus at a host that is not Azure’s',
      { ...EAST, metrics: { azureMonitor: { endpoint: 'https://prometheus.monitor.azure.com.evil.example' } } },
      'InvalidCombination',
      '/metrics/azureMonitor/endpoint',
    ],
    ['with another mesh, for now', { ...EAST, mesh: { provider: 'linkerd' } }, 'NotBuilt', '/mesh/provider'],
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
