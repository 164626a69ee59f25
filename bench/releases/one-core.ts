import { systemClock } from '../../src/adapters/system-clock.ts'
import { type App, createApp } from '../../src/app.ts'
import { CLUSTER_TOKEN, emulatedKubernetes } from '../../src/sandbox/emulated-cluster.ts'
import type { Emulator } from '../../src/sandbox/emulators/emulator.ts'
import type { SeedObject } from '../../src/sandbox/emulators/kubernetes/seed.ts'
import { queueSourceOver } from '../../src/sandbox/host/queue-source.ts'
import { memoryStorage } from '../../src/sandbox/storage.ts'
import { fetchTransport } from '../../src/sandbox/transports/fetch-transport.ts'
import { kubernetesTransport } from '../../src/sandbox/transports/kubernetes-transport.ts'
import { pipelineTransport } from '../../src/sandbox/transports/pipeline-transport.ts'
import { storageTransport } from '../../src/sandbox/transports/storage-transport.ts'
import { routeByHost } from '../../src/sandbox/transports/wire.ts'
import { kubeconfigOf } from '../../test/real/parts/kubeconfig.ts'
import type { KubernetesObject } from '../../test/real/parts/kubernetes.ts'
import { credentialOver } from '../../test/simulation/app-tokens.ts'
import { createInfrastructure } from '../../test/simulation/infrastructure.ts'
import {
  createSurroundings,
  createTenant,
  HOST_AUTHORIZATION,
  QUEUES_URL,
  START_MS,
  settingsFor,
} from '../../test/simulation/surroundings.ts'
import { startVirtualTime, type VirtualTime } from '../../test/simulation/virtual-time.ts'
import { servedRequest } from './clusters.ts'
import { prometheusOf } from './metrics-server.ts'
import { Traffic } from './traffic.ts'

/** Requests so far, by what they were: `store write`, `store read`, `cluster GET`, `queue`, `metrics`. */
export type Tally = ReadonlyMap<string, number>

/** Meshwright, the emulators of all that it needs, and a host for its queues, in this process and in virtual time. */
export interface OneCore {
  readonly time: VirtualTime
  /** One call below `/api/v1`; throws unless it succeeds. */
  call<T = unknown>(
    person: 'admin' | 'operator' | 'deployer' | 'viewer',
    method: string,
    path: string,
    body?: unknown,
  ): Promise<T>
  put(objects: readonly KubernetesObject[]): void
  tally(): Tally
  /** From now on the candidate fails this share of its requests. */
  turnBad(share: number): void
  /** Per cents of a service's requests that its route gives to the candidate now. */
  candidateShare(service: string): number
  /** Lets virtual time pass. */
  pass(durationMs: number): Promise<void>
  restore(): void
}

const CLUSTER_URL = 'https://one.test'
const METRICS_URL = 'https://prometheus.test'
/** Of queries, and of what the SDK asks about them first. */
const QUERY_HEADERS = ['x-ms-documentdb-isquery', 'x-ms-cosmos-is-query-plan-request']
const SWEEP_MS = 30_000
/** As the host of host.json: looks once a second, sixteen messages at a time. */
const POLL_MS = 1000
const BATCH = 16

export const METRICS = { prometheus: { url: METRICS_URL }, delay: '30s', every: '1m' }

export async function startOneCore(): Promise<OneCore> {
  const tenant = await createTenant()
  const time = startVirtualTime(START_MS, Math.random)
  const context = { now: time.now, random: Math.random, storage: memoryStorage() }
  const kubernetes = emulatedKubernetes(context, 'one')
  const tally = new Map<string, number>()
  const traffic = new Traffic()
  const prometheus = prometheusOf(() => traffic, time.now)
  const noted: Emulator = async (request) => {
    const answer = await kubernetes.handle(request)
    traffic.note({ ...servedRequest(request, answer.status), atMs: time.now() })
    return answer
  }
  const counted = (emulator: Emulator, name: (method: string, path: string, query: boolean) => string): Emulator => {
    return (request) => {
      const key = name(
        request.method,
        request.url.pathname,
        QUERY_HEADERS.some((header) => request.headers[header] !== undefined),
      )
      tally.set(key, (tally.get(key) ?? 0) + 1)
      return emulator(request)
    }
  }
  const surroundings = await createSurroundings(context, [], tenant, {})
  await createInfrastructure(surroundings)
  const app = createApp(
    {
      ...settingsFor(['one'], false),
      kubeconfig: { text: kubeconfigOf([{ context: 'one', url: CLUSTER_URL, token: CLUSTER_TOKEN }]), folder: '/' },
      caps: { perCluster: 10_000, inAll: 10_000 },
    },
    {
      clock: systemClock(),
      cosmosHttp: pipelineTransport(counted(surroundings.cosmos, storeRequest)),
      queueHttp: storageTransport(counted(surroundings.queues, () => 'messages sent')),
      kubernetesHttp: kubernetesTransport(
        counted(noted, (method) => (method === 'GET' ? 'cluster reads' : 'cluster writes')),
      ),
      fetch: fetchTransport(
        routeByHost({
          'entra.test': surroundings.entra,
          'prometheus.test': counted(prometheus.emulator, () => 'metrics queries'),
        }),
      ),
      lookup: async () => ['10.1.2.3'],
      credential: credentialOver(surroundings.identity),
      logSink: () => {},
    },
  )
  host(app, time, surroundings.queues)
  return {
    time,
    tally: () => new Map(tally),
    turnBad: prometheus.turnBad,
    candidateShare: (service) => traffic.share(service),
    put: (objects) => kubernetes.seed(objects as unknown as readonly SeedObject[]),
    restore: time.restore,
    async pass(durationMs) {
      const end = time.now() + durationMs
      let over = false
      time.after(durationMs, () => {
        over = true
      })
      await time.drain()
      while (!over && time.now() <= end && time.next()) await time.drain()
    },
    async call<T>(person: 'admin' | 'operator' | 'deployer' | 'viewer', method: string, path: string, body?: unknown) {
      const bytes = new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body))
      let answer: Awaited<ReturnType<App['http']>> | undefined
      void app
        .http({
          method,
          path: `/api/v1${path}`,
          query: new URLSearchParams(),
          headers: { authorization: `Bearer ${tenant.tokens[person]}`, 'content-type': 'application/json' },
          baseUrl: 'https://meshwright.test',
          body: async () => bytes,
        })
        .then((got) => {
          answer = got
        })
      await time.drain()
      while (!answer && time.next()) await time.drain()
      if (!answer || answer.status >= 300)
        throw new Error(`${method} ${path}: ${answer?.status} ${String(answer?.body)}`)
      return JSON.parse(String(answer.body ?? 'null')) as T
    },
  }
}

function storeRequest(method: string, path: string, isQuery: boolean): string {
  if (method === 'GET') return 'store reads'
  if (method === 'POST' && isQuery) return 'store queries'
  if (path.includes('/colls/events') || path.includes('/colls/audit')) return 'events kept'
  return 'store writes'
}

/** Hands messages to the app as the Functions host does, and sweeps. */
function host(app: App, time: VirtualTime, queues: Emulator): void {
  const authorization = { authorization: HOST_AUTHORIZATION.queues, 'x-ms-date': new Date(0).toUTCString() }
  const source = queueSourceOver(QUEUES_URL, (request) =>
    queues({ ...request, headers: { ...authorization, ...request.headers } }),
  )
  const poll = async (queue: string) => {
    const messages = await source.receive(queue, BATCH, 600_000)
    for (const message of messages) void app.work(message.text).then(() => source.remove(queue, message))
    time.after(messages.length > 0 ? 100 : POLL_MS, () => void poll(queue))
  }
  for (const queue of ['urgent', 'work', 'lifecycle']) void poll(queue)
  const sweep = async () => {
    await app.sweep()
    time.after(SWEEP_MS, () => void sweep())
  }
  time.after(SWEEP_MS, () => void sweep())
}
