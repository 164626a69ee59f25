import { beforeEach, describe, expect, it } from 'vitest'
import { probeCluster } from '../../../src/clusters/probe-cluster.ts'
import { clusterSpec } from '../../../src/model/cluster.ts'
import { findCondition } from '../../../src/model/condition.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { aCluster, eventsIn, workIn } from '../fakes/documents.ts'
import { crd, FakeClusters, istiod } from '../fakes/fake-clusters.ts'
import { armIdOf, FakeManagedClusters, someFacts } from '../fakes/fake-managed-clusters.ts'
import { FakeMetrics } from '../fakes/fake-metrics.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { later, MINUTE, SECOND, T0 } from '../rollouts/fixture.ts'

let store: MemoryStore
let clusters: FakeClusters
let metrics: FakeMetrics
let azure: FakeManagedClusters
let now: number
beforeEach(() => {
  store = new MemoryStore()
  clusters = new FakeClusters()
  metrics = new FakeMetrics()
  azure = new FakeManagedClusters()
  now = T0
  clusters.objects.set('CustomResourceDefinition', [crd('virtualservices.networking.istio.io')])
  clusters.objects.set('Deployment', [istiod('istio-system', 'istiod')])
  metrics.put('east', 'up', { job: 'pods' }, [[T0 - SECOND, 1]])
  metrics.put('east', 'istio_requests_total', { reporter: 'destination' }, [[T0 - SECOND, 7]])
  const { mesh: _, ...fresh } = aCluster('east', { observedGeneration: 0, dueAt: later(0) })
  store.put(fresh)
})

function probe(record = false) {
  const clock = { now: () => now, sleep: async () => undefined }
  const random = { next: () => 0.5, uuid: () => 'uuid' }
  return probeCluster({ store, clock, random, clusters, metrics, managedClusters: azure }, 'east', { record })
}

const east = () => store.get('cluster', 'east')
const said = (type: string) => {
  const found = findCondition(east().conditions, type)
  return found && `${found.status} ${found.reason}`
}
const noAnswer = new PortError('unavailable', 'Kubernetes east', 'Kubernetes east does not answer')

it('takes what asked for it out of the outbox, else its write would send that on and so ask for the next probe', async () => {
  const work = (kind: 'probe' | 'select') =>
    ({ id: kind, kind: 'work', queue: 'work', message: { kind, cluster: 'east' } }) as const
  store.change('cluster', 'east', (before) => ({ ...before, outbox: [work('probe'), work('select')] }))
  store.beforeWrite = () => {
    store.beforeWrite = () => undefined
    const later = { ...work('probe'), id: 'asked for meanwhile' }
    store.change('cluster', 'east', (before) => ({ ...before, outbox: [...before.outbox, later] }))
  }
  await probe()
  const left = east().outbox.flatMap((entry) => (entry.kind === 'work' ? [entry.message.kind, entry.id] : []))
  const asked = ['resync', expect.any(String), 'watch', expect.any(String)]
  expect(left).toEqual(['select', 'select', 'probe', 'asked for meanwhile', ...asked])
})

describe('the first probe', () => {
  it('finds out what is there, says so, and has the cluster compared', async () => {
    expect(await probe()).toEqual({ ok: true, value: undefined })
    expect(east()).toMatchObject({
      mesh: { provider: 'istio', namespace: 'istio-system', revision: 'default', version: '1.30.2' },
      kubernetesVersion: 'v1.36.3',
      observedGeneration: 1,
      attempts: 0,
      probedAt: later(0),
    })
    expect(east()).not.toHaveProperty('dueAt')
    expect([said('Reachable'), said('MeshReady'), said('MetricsReady')]).toEqual([
      'True Answers',
      'True Found',
      'True Answers',
    ])
    expect(eventsIn(east().outbox)).toEqual(['cluster.condition', 'cluster.condition', 'cluster.condition'])
    expect(workIn(east().outbox)).toEqual(['work resync east', 'work watch cluster/east'])
  })

  it('of none is a failure', async () => {
    store.drop('cluster', 'east')
    expect(await probe()).toMatchObject({ ok: false, failure: { code: 'NotFound' } })
  })
})

describe('a later probe', () => {
  beforeEach(async () => {
    await probe()
    store.change('cluster', 'east', (cluster) => ({ ...cluster, outbox: [] }))
    store.writes = 0
    now = T0 + 5 * MINUTE
    const minutes = Array.from({ length: 120 }, (_, minute) => [T0 + minute * MINUTE, 1] as const)
    metrics.put('east', 'up', { job: 'pods' }, minutes)
    metrics.put('east', 'istio_requests_total', { reporter: 'destination' }, minutes)
  })

  it('that finds nothing new writes nothing, in whatever order facts are stored', async () => {
    await probe()
    store.change('cluster', 'east', ({ mesh, ...cluster }) => {
      const turned = Object.fromEntries(Object.entries(mesh ?? {}).toReversed())
      return { ...cluster, mesh: turned } as typeof cluster
    })
    await probe()
    expect(store.writes).toBe(0)
  })

  it('that is to be recorded writes when it was, though nothing is new', async () => {
    now += 20 * MINUTE
    await probe(true)
    expect(east().probedAt).toBe(new Date(now).toISOString())
    expect(east().outbox).toEqual([])
  })

  it('tells what changed, and no more', async () => {
    clusters.kubernetesVersion = 'v1.37.0'
    clusters.objects.set('Deployment', [istiod('istio-system', 'istiod', 'canary')])
    await probe()
    expect(east()).toMatchObject({ kubernetesVersion: 'v1.37.0', mesh: { revision: 'canary' } })
    expect(east().outbox).toEqual([])
  })

  it('that gets no answer says so and is made again, with growing pauses', async () => {
    clusters.refusal = noAnswer
    const pauses: number[] = []
    for (let attempt = 0; attempt < 12; attempt += 1) {
      await probe()
      pauses.push(Date.parse(east().dueAt ?? '') - now)
      now = Date.parse(east().dueAt ?? '')
    }
    expect(pauses.slice(0, 4)).toEqual([1500, 3000, 6000, 12_000])
    expect(pauses.at(-1)).toBe(225_000)
    expect(east()).toMatchObject({ attempts: 12, mesh: { provider: 'istio' }, kubernetesVersion: 'v1.36.3' })
    expect(said('Reachable')).toBe('False NoAnswer')
    expect(said('MeshReady')).toBe('True Found')
    expect(eventsIn(east().outbox)).toEqual(['cluster.condition'])
  })

  it('that gets an answer again has what waited taken up', async () => {
    clusters.refusal = noAnswer
    await probe()
    clusters.refusal = undefined
    store.change('cluster', 'east', (cluster) => ({ ...cluster, outbox: [] }))
    await probe()
    expect(east()).toMatchObject({ attempts: 0 })
    expect(east()).not.toHaveProperty('dueAt')
    expect(eventsIn(east().outbox)).toEqual(['cluster.condition'])
    expect(workIn(east().outbox)).toEqual(['work resync east', 'work watch cluster/east'])
  })

  it('leaves alone what was changed while it looked: that write has its own', async () => {
    clusters.kubernetesVersion = 'v1.37.0'
    let reads = 0
    store.beforeRead = () => {
      reads += 1
      if (reads === 2) store.change('cluster', 'east', (cluster) => ({ ...cluster, generation: 2 }))
    }
    await probe()
    expect(reads).toBe(2)
    expect(store.writes).toBe(0)
  })

  it('leaves alone a cluster that is being let go', async () => {
    store.change('cluster', 'east', (cluster) => ({ ...cluster, deletingAt: later(0), dueAt: later(MINUTE) }))
    clusters.refusal = noAnswer
    metrics.queries.length = 0
    await probe()
    expect(store.writes).toBe(0)
    expect(metrics.queries).toEqual([])
  })
})

describe('a cluster is', () => {
  it.each([
    ['denied', 'False Denied'],
    ['throttled', 'False Throttled'],
    ['unavailable', 'False NoAnswer'],
  ] as const)('not reached when it is %s', async (kind, condition) => {
    clusters.failures.set('version', new PortError(kind, 'Kubernetes east', 'no'))
    await probe()
    expect(said('Reachable')).toBe(condition)
  })

  it('not reached for the finer reason that the system gives', async () => {
    clusters.refusal = new PortError('denied', 'Kubernetes east', 'no', { reason: 'TokenRefused' })
    await probe()
    expect(said('Reachable')).toBe('False TokenRefused')
  })

  it('without a mesh when there are no CRDs of one', async () => {
    clusters.objects.set('CustomResourceDefinition', [])
    await probe()
    expect(said('MeshReady')).toBe('False NoMesh')
    expect(said('Reachable')).toBe('True Answers')
  })

  it('with Open Service Mesh told to end, and whether anybody looks at its policies', async () => {
    clusters.objects.set('CustomResourceDefinition', [crd('meshconfigs.config.openservicemesh.io')])
    await probe()
    expect(east().mesh).toEqual({ provider: 'osm' })
    const kind = { apiVersion: 'config.openservicemesh.io/v1alpha2', kind: 'MeshConfig' }
    const traffic = { enablePermissiveTrafficPolicyMode: true }
    clusters.objects.set('MeshConfig', [{ ...kind, metadata: { name: 'osm-mesh-config' }, spec: { traffic } }])
    await probe()
    expect(east().mesh).toEqual({ provider: 'osm', permissive: true })
    expect(east().conditions.find(({ type }) => type === 'MeshReady')?.message).toContain('2027-09-30')
  })

  it('ready with a mesh of another provider', async () => {
    clusters.objects.set('CustomResourceDefinition', [crd('servers.policy.linkerd.io')])
    await probe()
    expect(said('MeshReady')).toBe('True Found')
    expect(east().mesh).toEqual({ provider: 'linkerd' })
  })

  it('ready with its revision unknown when its control plane cannot be seen', async () => {
    clusters.failures.set('list Deployment', new PortError('denied', 'Kubernetes east', 'deployments: forbidden'))
    await probe()
    expect(said('MeshReady')).toBe('True Found')
    expect(findCondition(east().conditions, 'MeshReady')?.message).toBe('istio, revision unknown.')
  })
})

describe('metrics are', () => {
  it('not ready without a source', async () => {
    metrics.without.add('east')
    await probe()
    expect(said('MetricsReady')).toBe('False NoSource')
  })

  it('not ready when nothing is scraped', async () => {
    metrics.stored.clear()
    await probe()
    expect(said('MetricsReady')).toBe('False NothingScraped')
  })

  it('not ready when the mesh is not scraped', async () => {
    metrics.stored.clear()
    metrics.put('east', 'up', { job: 'nodes' }, [[T0 - SECOND, 1]])
    await probe()
    expect(said('MetricsReady')).toBe('False MeshNotScraped')
  })

  it('ready when the answer holds more series than are read', async () => {
    metrics.failure = new PortError('unavailable', 'Prometheus east', 'too much', { reason: 'TooLarge' })
    await probe()
    expect(said('MetricsReady')).toBe('True Answers')
  })

  it('not ready when the source fails, which is no word on the cluster', async () => {
    metrics.failure = new PortError('unavailable', 'Prometheus east', 'answered 503')
    await probe()
    expect([said('MetricsReady'), said('Reachable')]).toEqual(['False NoAnswer', 'True Answers'])
  })
})

describe('a cluster by ARM id', () => {
  const resourceId = armIdOf('east')
  const message = (type: string) => findCondition(east().conditions, type)?.message
  beforeEach(() => {
    azure.put(resourceId)
    store.change('cluster', 'east', (cluster) => ({ ...cluster, spec: clusterSpec.parse({ resourceId }) }))
  })

  it('shows what Azure says of it, and writes nothing while that stays', async () => {
    await probe()
    expect([said('AzureReady'), said('Reachable'), said('MeshReady')]).toEqual([
      'True Succeeded',
      'True Answers',
      'True Found',
    ])
    expect(east().aks).toEqual(someFacts())
    store.writes = 0
    await probe()
    expect(store.writes).toBe(0)
  })

  it('tells of an operation of Azure, of one that failed, and of an upgrade of the mesh', async () => {
    azure.put(resourceId, { provisioningState: 'Upgrading' })
    await probe()
    expect([said('AzureReady'), said('Reachable')]).toEqual(['False Upgrading', 'True Answers'])
    const mesh = { revisions: ['asm-1-29', 'asm-1-30'], ingressGateways: [], egressGateways: [] }
    azure.put(resourceId, { provisioningState: 'Failed', mesh })
    await probe()
    expect(said('AzureReady')).toBe('False Failed')
    expect(message('MeshReady')).toContain('from asm-1-29 to asm-1-30 is under way')
    expect(east().aks?.mesh).toEqual(mesh)
  })

  it.each([
    ['is stopped', { powerState: 'Stopped' as const }, 'ClusterStopped'],
    ['has no Entra ID', { entra: { enabled: false, azureRbac: false, localAccountsDisabled: false } }, 'EntraRequired'],
  ])('that %s is not called', async (_, change, reason) => {
    azure.put(resourceId, change)
    clusters.refusal = new PortError('unavailable', 'Kubernetes east', 'called')
    await probe()
    expect([said('AzureReady'), said('Reachable')]).toEqual([`False ${reason}`, `False ${reason}`])
    expect(east()).toMatchObject({ attempts: 1, dueAt: expect.any(String), observedGeneration: 1 })
    azure.put(resourceId)
    clusters.refusal = undefined
    await probe()
    expect([said('AzureReady'), said('Reachable')]).toEqual(['True Succeeded', 'True Answers'])
    // Trouble is not believed for as long as what is well.
    expect(azure.ages).toEqual([undefined, 30_000])
  })

  it('that is gone says so, and keeps what was known of it', async () => {
    await probe()
    azure.known.clear()
    await probe()
    expect([said('AzureReady'), said('Reachable')]).toEqual(['False ClusterGone', 'False ClusterGone'])
    expect(east().aks).toEqual(someFacts())
  })

  it('is still used while Azure does not answer', async () => {
    await probe()
    azure.failure = new PortError('unavailable', 'Azure', 'Azure answered 503', { reason: 'ArmUnavailable' })
    await probe()
    expect([said('AzureReady'), said('Reachable')]).toEqual(['Unknown ArmUnavailable', 'True Answers'])
    expect(east().aks).toEqual(someFacts())
  })

  it('loses what Azure said when it is reached by a context from now on', async () => {
    await probe()
    store.change('cluster', 'east', ({ spec: _, ...cluster }) => ({
      ...cluster,
      spec: clusterSpec.parse({ kubeconfig: { context: 'east' } }),
    }))
    await probe()
    expect(east()).not.toHaveProperty('aks')
    expect(said('AzureReady')).toBeUndefined()
  })
})
