import { kubernetesClusters } from '../src/adapters/kubernetes/cluster-apis.ts'
import { systemClock } from '../src/adapters/system-clock.ts'
import { systemRandom } from '../src/adapters/system-random.ts'
import { timestamp } from '../src/model/names.ts'
import type { ReconcileDeps } from '../src/reconcile/deps.ts'
import { reconcilePlacement } from '../src/reconcile/reconcile-placement.ts'
import { resyncCluster } from '../src/reconcile/resync-cluster.ts'
import { CLUSTER_TOKEN, emulatedKubernetes } from '../src/sandbox/emulated-cluster.ts'
import type { KubernetesEmulator } from '../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import { memoryStorage } from '../src/sandbox/storage.ts'
import { kubernetesTransport } from '../src/sandbox/transports/kubernetes-transport.ts'
import { throughWire } from '../src/sandbox/transports/wire.ts'
import { kubeconfigText } from '../test/contract/cluster-api/kubeconfig-text.ts'
import { MemoryStore } from '../test/unit/fakes/memory-store.ts'
import { clusterDocument, rollout, serviceDocument } from '../test/unit/reconcile/world.ts'
import type { Figure } from './figure.ts'

const SERVICES = 1000
const NAMESPACE_SIZE = 100

interface Bench {
  readonly deps: ReconcileDeps
  readonly store: MemoryStore
  readonly kubernetes: KubernetesEmulator
  /** Requests that a piece of work sends, as `METHOD path`. */
  count(work: () => Promise<unknown>): Promise<readonly string[]>
}

/** What the product asks of a cluster: a weight step, nothing to do, and a resync of a thousand services. */
export async function kubernetesRequests(): Promise<readonly Figure[]> {
  const bench = openBench()
  await settleOneService(bench)
  const step = await bench.count(() => weightStep(bench))
  const back = await bench.count(() => wayBack(bench))
  const idle = await bench.count(() => reconcilePlacement(bench.deps, { service: 'shop/web', cluster: 'east' }))
  bench.store.put(serviceDocument({ renderRevision: 103, targets: { east: { stable: 'v2' } } }))
  await untilLive(bench.deps)
  const due = await bench.store.due(timestamp(Date.now() + 86_400_000), 10)
  await registerMany(bench)
  const resync = await bench.count(() => resyncCluster(bench.deps, 'east'))
  const lists = resync.filter((request) => request.startsWith('GET ') && request.includes('labelSelector')).length
  return [
    {
      name: 'weight step, decided to live',
      value: step.length,
      unit: 'requests',
      limit: 6,
      note: step.map(short).join(', '),
    },
    {
      name: 'way back, decided to live',
      value: back.length,
      unit: 'requests',
      limit: 6,
      note: back.map(short).join(', '),
    },
    {
      name: 'reconcile of a service in order',
      value: idle.length,
      unit: 'requests',
      note: 'all reads; sent only when asked for',
    },
    {
      name: 'a live service, left alone for a day',
      value: due.length,
      unit: 'passes due',
      limit: 0,
      note: 'it is part of the resync',
    },
    {
      name: `no-op resync of ${SERVICES} services`,
      value: resync.length,
      unit: 'requests',
      note: `${lists} of them lists by label; writes: ${resync.filter((request) => !request.startsWith('GET ')).length}`,
    },
  ]
}

function openBench(): Bench {
  const context = { now: Date.now, random: Math.random, storage: memoryStorage() }
  const kubernetes = emulatedKubernetes(context, 'east')
  const seen: string[] = []
  const counting = throughWire(kubernetes.handle, (request, deliver) => {
    if (!/\/(apis?|version)$/.test(request.url.pathname))
      seen.push(`${request.method} ${request.url.pathname}${request.url.search}`)
    return deliver()
  })
  const machine = systemClock()
  let aheadMs = 0
  const clock = { ...machine, now: () => machine.now() + aheadMs }
  const kubeconfig = { text: kubeconfigText('http://east.test', CLUSTER_TOKEN, true) }
  const clusters = kubernetesClusters({ kubeconfig, http: kubernetesTransport(counting) }, clock)
  const store = new MemoryStore()
  return {
    store,
    kubernetes,
    deps: { store, clock, random: systemRandom(), clusters, settleMs: 1 },
    async count(work) {
      seen.length = 0
      // What others asked a moment before is no help.
      aheadMs += 10_000
      await work()
      return [...seen]
    },
  }
}

/** shop/web, live, with ready endpoints of both versions and a rollout at 10 %. */
async function settleOneService({ deps, store, kubernetes }: Bench): Promise<void> {
  for (const version of ['v1', 'v2']) kubernetes.seed([pod(version)])
  kubernetes.seed([service(), slice()])
  store.put(clusterDocument())
  store.put(serviceDocument({ rollouts: [rollout('progressing', 10, 100)] }))
  await untilLive(deps)
}

async function weightStep({ deps, store }: Bench): Promise<void> {
  store.put(serviceDocument({ renderRevision: 101, rollouts: [rollout('progressing', 50, 101)] }))
  await untilLive(deps)
}

async function wayBack({ deps, store }: Bench): Promise<void> {
  store.put(serviceDocument({ renderRevision: 102, rollouts: [rollout('rolling-back', 0, 102)] }))
  await untilLive(deps)
}

async function untilLive(deps: ReconcileDeps): Promise<void> {
  for (let pass = 0; pass < 20; pass += 1) {
    const { state } = await reconcilePlacement(deps, { service: 'shop/web', cluster: 'east' })
    if (state === 'live') return
    await deps.clock.sleep(5)
  }
  throw new Error('the service does not become live')
}

/** A thousand services, each reconciled once, in namespaces of a hundred. */
async function registerMany({ deps, store, kubernetes }: Bench): Promise<void> {
  for (let index = 0; index < SERVICES; index += 1) {
    const namespace = `team-${Math.floor(index / NAMESPACE_SIZE)}`
    if (index % NAMESPACE_SIZE === 0)
      kubernetes.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }])
    store.put(
      serviceDocument({ namespace, name: `service-${index}`, spec: { ...serviceDocument().spec, traffic: {} } }),
    )
  }
  const keys = (await store.list('service', { limit: SERVICES + 1 })).value.map(
    ({ value }) => `${value.namespace}/${value.name}`,
  )
  for (const service of keys.filter((key) => key !== 'shop/web')) {
    for (let pass = 0; pass < 3; pass += 1) await reconcilePlacement(deps, { service, cluster: 'east' })
  }
}

function short(request: string): string {
  const [method = '', path = ''] = request.split(' ')
  return `${method} ${path.split('?')[0]?.split('/').at(-1)}`
}

function pod(version: string) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `web-${version}`, namespace: 'shop', labels: { app: 'web', version } },
    spec: { containers: [{ name: 'web', image: 'web' }] },
  }
}

function service() {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80 }] },
  }
}

function slice() {
  const endpoint = (version: string, address: string) => ({
    addresses: [address],
    conditions: { ready: true },
    targetRef: { kind: 'Pod', namespace: 'shop', name: `web-${version}` },
  })
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 80 }],
    endpoints: [endpoint('v1', '10.0.0.1'), endpoint('v2', '10.0.0.2')],
  }
}
