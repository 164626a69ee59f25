import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiServer } from './api-server.ts'
import { type ClientSpec, clientObjects, clientPodAt } from './client-pod.ts'
import { type Istiod, startIstiod } from './istiod.ts'
import { POD_PORT, podReady, serviceObjects } from './mesh-objects.ts'
import type { Parts } from './parts.ts'
import type { RunningProcess } from './processes.ts'
import type { ScrapeTarget } from './prometheus.ts'
import { metricsAddress, type SidecarPod, startSidecar } from './sidecar.ts'
import { type Site, siteOf } from './site.ts'
import { type Client, meshClient } from './traffic.ts'
import { controlApp, startApp, type VersionPod, versionPodAt } from './version-pod.ts'
import { until } from './wait.ts'

/** What to start. The API server must have Istio's CRDs. */
export interface MeshOptions {
  readonly parts: Parts
  readonly dir: string
  readonly api: ApiServer
  /** Versions of the service, by default `v1` and `v2`; at most eight. */
  readonly versions?: readonly string[]
  /** What the service is called; `shop/web` when left out. */
  readonly named?: Pick<Mesh, 'namespace' | 'service'>
  /** Service accounts of versions; that of the service's name where one is left out. */
  readonly accounts?: Readonly<Record<string, string>>
  /** Further services, with one version each; they count to the eight. */
  readonly others?: readonly Pick<Mesh, 'namespace' | 'service'>[]
  /** Who calls besides the mesh's own client, each behind a sidecar of its own; at most nine. */
  readonly clients?: readonly ClientSpec[]
  /** What the namespace of the service asks of those who call; `STRICT` when left out. */
  readonly mtls?: 'STRICT' | 'PERMISSIVE'
  /** Whose keys istiod may fetch: see `TokenIssuers.certificate`. */
  readonly issuers?: string
  /** Lifetime of workload certificates, as Go writes durations; that of Istio when left out. */
  readonly workloadTtl?: string
  /** Prefixes of statistics that Envoy keeps besides the usual ones. */
  readonly stats?: readonly string[]
  /** The first when left out. */
  readonly site?: Site
}

/**
 * A mesh with a service, `web` in namespace `shop`, each version one pod behind a real sidecar, and clients; by itself it is the
 * client of that name, in the service's namespace, with service account `client`.
 */
export interface Mesh extends Client {
  readonly namespace: string
  readonly service: string
  /** `web.shop.svc.cluster.local` */
  readonly host: string
  readonly site: Site
  readonly istiod: Istiod
  /** Envoy's admin API of the client's sidecar: `/clusters` and `/config_dump` show what has reached it. */
  readonly clientAdminUrl: string
  /** What Prometheus should scrape: the sidecars of all versions, and istiod. */
  readonly scrapeTargets: readonly ScrapeTarget[]
  /** One of `clients`, by its name; with the host of one of `others`, it calls that. */
  client(name: string, host?: string): Client
  /** A caller outside the mesh: in plain text, without a sidecar, straight to the Pod of a version. */
  plainClient(version: string): Client
  /** All Pods with a sidecar: the versions', then the clients'. */
  readonly pods: readonly SidecarPod[]
  /** Tells a version how to behave from now on; what is left out goes back to healthy. */
  behave(version: string, behaviour: { failShare?: number; delayMs?: number }): Promise<void>
  /** How many requests a version's application has received so far, as it counts itself: copies by a mirror too. */
  received(version: string): Promise<number>
  stop(): Promise<void>
}

const SHOP_WEB = { namespace: 'shop', service: 'web' }

/** The host by which clients call a service. */
export function hostOf({ namespace, service }: Pick<Mesh, 'namespace' | 'service'>): string {
  return `${service}.${namespace}.svc.cluster.local`
}

/**
 * Starts istiod, the versions and the clients (about ten seconds) and resolves when every version has answered each client.
 * To be run in the namespace of run.ts: addresses and ports are fixed for each site.
 */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const { api, dir, site = siteOf(0), named: names = SHOP_WEB, others = [], accounts = {} } = options
  const host = hostOf(names)
  mkdirSync(dir, { recursive: true })
  const versions = (options.versions ?? ['v1', 'v2']).map((name, at) =>
    versionPodAt(site, { ...names, name, serviceAccount: accounts[name] ?? names.service }, at),
  )
  const further = others.map((one, at) => ({
    ...one,
    servers: [versionPodAt(site, { ...one, name: 'v1', serviceAccount: one.service }, versions.length + at)],
  }))
  const clientPods = [{ name: 'client' }, ...(options.clients ?? [])].map((spec, at) =>
    clientPodAt(site, { namespace: names.namespace, serviceAccount: spec.name, ...spec }, at),
  )
  const processes: RunningProcess[] = []
  const istiod = await startIstiod({ ...options, dir: join(dir, 'istiod'), site })
  const clients = new Map(clientPods.map(({ name, entry }) => [name, meshClient(host, entry)]))
  const plainClients = new Map(versions.map(({ name, pod }) => [name, meshClient(host, pod.address, POD_PORT)]))
  const stop = async () => {
    for (const one of [...clients.values(), ...plainClients.values()]) one.close()
    await Promise.all(processes.map((one) => one.stop()))
    await istiod.stop()
  }
  try {
    const servers = [...versions, ...further.flatMap((one) => one.servers)]
    for (const one of servers) processes.push(startApp(one, dir))
    for (const one of [{ ...names, servers: versions }, ...further])
      await api.admin.apply(serviceObjects({ ...one, mtls: options.mtls ?? 'STRICT' }))
    const called = [...new Set([names, ...others].map(({ namespace }) => namespace))]
    for (const one of clientPods) await api.admin.apply(clientObjects(one, called))
    const pods = [...servers.map((one) => one.pod), ...clientPods]
    for (const pod of pods) await podReady(api.admin, pod)
    processes.push(...(await Promise.all(pods.map((pod) => startSidecar({ ...options, dir, istiod, pod })))))
    for (const one of clients.values()) await everyVersionAnswers(one, versions, processes)
    const [own] = clientPods
    return {
      ...named(clients, 'client')('client'),
      ...names,
      host,
      ...controls(versions),
      site,
      istiod,
      pods,
      clientAdminUrl: `http://127.0.0.1:${own?.adminPort}`,
      scrapeTargets: [...versions.map((one) => sidecarTarget(names, one)), istiodTarget(istiod)],
      client(name, to = host) {
        const key = to === host ? name : `${name} ${to}`
        const entry = clientPods.find((one) => one.name === name)?.entry
        if (!clients.has(key) && entry !== undefined) clients.set(key, meshClient(to, entry))
        return named(clients, 'client')(key)
      },
      plainClient: named(plainClients, 'version'),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** What one tells the applications, and asks them, besides their sidecars. */
function controls(versions: readonly VersionPod[]): Pick<Mesh, 'behave' | 'received'> {
  const version = named(new Map(versions.map((one) => [one.name, one])), 'version')
  return {
    behave: (name, behaviour) => controlApp(version(name), 'PUT', { failShare: 0, delayMs: 0, ...behaviour }),
    received: async (name) => (await controlApp<{ received: number }>(version(name), 'GET')).received,
  }
}

/** Finds one by its name; throws when there is none. */
function named<T>(all: ReadonlyMap<string, T>, kind: string): (name: string) => T {
  return (name) => {
    const found = all.get(name)
    if (found === undefined) throw new Error(`there is no ${kind} ${name}`)
    return found
  }
}

/** Routes come in order, and a healthy endpoint may come later than the first: so all of them must have answered. */
async function everyVersionAnswers(
  client: Client,
  versions: readonly VersionPod[],
  processes: readonly RunningProcess[],
) {
  const answered = new Set<string>()
  await until('every version has answered', 60_000, async () => {
    for (const one of processes) one.assertAlive()
    const { status, version: name, detail } = await client.send()
    if (status !== 200 || name === null) throw new Error(`${status} ${detail}`)
    return answered.add(name).size === versions.length
  })
}

function sidecarTarget({ namespace, service }: typeof SHOP_WEB, { name, pod }: VersionPod): ScrapeTarget {
  const labels = { namespace, pod: pod.name, app: service, version: name, workload: pod.name }
  return { job: 'envoy-stats', address: metricsAddress(pod), path: '/stats/prometheus', labels }
}

function istiodTarget({ metricsAddress: address }: Istiod): ScrapeTarget {
  return { job: 'istiod', address, path: '/metrics', labels: {} }
}
