import { kubernetesClusters } from '../src/adapters/kubernetes/cluster-apis.ts'
import { systemClock } from '../src/adapters/system-clock.ts'
import { systemRandom } from '../src/adapters/system-random.ts'
import type { ServiceDocument } from '../src/model/documents.ts'
import { serviceKey } from '../src/model/service.ts'
import type { ReconcileDeps } from '../src/reconcile/deps.ts'
import { reconcilePlacement } from '../src/reconcile/reconcile-placement.ts'
import { CLUSTER_TOKEN, emulatedKubernetes } from '../src/sandbox/emulated-cluster.ts'
import { memoryStorage } from '../src/sandbox/storage.ts'
import { kubernetesTransport } from '../src/sandbox/transports/kubernetes-transport.ts'
import { throughWire } from '../src/sandbox/transports/wire.ts'
import { kubeconfigText } from '../test/contract/cluster-api/kubeconfig-text.ts'
import { MemoryStore } from '../test/unit/fakes/memory-store.ts'
import { clusterDocument, serviceDocument } from '../test/unit/reconcile/world.ts'

/** One in so many says a timeout itself. */
export const OWN_WORDS_EVERY = 5
const NAMESPACE_SIZE = 100

/** Many services on one emulated cluster, with a store in memory; requests to the cluster are counted. */
export interface Bench {
  readonly deps: ReconcileDeps
  readonly store: MemoryStore
  /** `METHOD path` of what was asked of the cluster. */
  readonly requests: string[]
  seed(objects: Parameters<ReturnType<typeof emulatedKubernetes>['seed']>[0]): void
  later(ms: number): void
}

export function openBench(): Bench {
  let aheadMs = 0
  const now = () => Date.now() + aheadMs
  const kubernetes = emulatedKubernetes({ now, random: Math.random, storage: memoryStorage() }, 'east')
  const requests: string[] = []
  const counting = throughWire(kubernetes.handle, (request, deliver) => {
    const { pathname } = request.url
    if (!/\/(apis?|version)$/.test(pathname)) requests.push(`${request.method} ${pathname}`)
    return deliver()
  })
  const clock = { ...systemClock(), now }
  const kubeconfig = { text: kubeconfigText('http://east.test', CLUSTER_TOKEN, true) }
  const clusters = kubernetesClusters({ kubeconfig, http: kubernetesTransport(counting) }, clock)
  const store = new MemoryStore({ relaying: true })
  const deps = { store, clock, random: systemRandom(), clusters, settleMs: 1 }
  const later = (ms: number) => {
    aheadMs += ms
  }
  return { store, deps, requests, seed: (objects) => kubernetes.seed(objects), later }
}

/** Registers so many services, and brings all of them to life. */
export async function registerAll(bench: Bench, count: number): Promise<void> {
  const { store, seed } = bench
  store.put(clusterDocument())
  for (let index = 0; index < count; index += 1) {
    const namespace = `team-${Math.floor(index / NAMESPACE_SIZE)}`
    if (index % NAMESPACE_SIZE === 0) seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }])
    const service = serviceOf(namespace, `service-${index}`, index % OWN_WORDS_EVERY === 0)
    seed(endpointsOf(service))
    store.put(service)
  }
  const keys = (await store.all('service')).map(({ namespace, name }) => serviceKey(namespace, name))
  for (const key of keys) await reconcile(bench, key)
}

function serviceOf(namespace: string, name: string, ownWords: boolean): ServiceDocument {
  const base = serviceDocument()
  const traffic = ownWords ? { timeout: '3s' } : {}
  return { ...base, namespace, name, spec: { ...base.spec, traffic } }
}

/** Until it is live. */
export async function reconcile({ deps, later }: Bench, service: string): Promise<void> {
  for (let pass = 0; pass < 20; pass += 1) {
    const { state, message } = await reconcilePlacement(deps, { service, cluster: 'east' })
    if (state === 'live') return
    if (state === 'failed') throw new Error(message)
    later(5)
  }
  throw new Error(`${service} does not become live`)
}

function endpointsOf({ namespace, name }: ServiceDocument) {
  const pod = { name: `${name}-v1`, namespace, labels: { app: name, version: 'v1' } }
  const target = { kind: 'Pod', namespace, name: pod.name }
  return [
    { apiVersion: 'v1', kind: 'Pod', metadata: pod, spec: { containers: [{ name: 'web', image: 'web' }] } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { selector: { app: name }, ports: [{ name: 'http', port: 80 }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 80 }],
      endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true }, targetRef: target }],
    },
  ]
}
