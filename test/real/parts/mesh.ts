import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiServer } from './api-server.ts'
import { type Istiod, startIstiod } from './istiod.ts'
import { meshObjects, podReady } from './mesh-objects.ts'
import type { Parts } from './parts.ts'
import { type RunningProcess, startProcess } from './processes.ts'
import type { ScrapeTarget } from './prometheus.ts'
import { type SidecarPod, startSidecar } from './sidecar.ts'
import { type Site, siteOf } from './site.ts'
import { type Client, meshClient } from './traffic.ts'
import { until } from './wait.ts'

/** What to start. The API server must have Istio's CRDs. */
export interface MeshOptions {
  readonly parts: Parts
  readonly dir: string
  readonly api: ApiServer
  /** Versions of the service, by default `v1` and `v2`; at most eight. */
  readonly versions?: readonly string[]
  /** The first when left out. */
  readonly site?: Site
}

/** A mesh with the service `web` in namespace `shop`, each version one pod behind a real sidecar, mutual TLS STRICT, and a client. */
export interface Mesh extends Client {
  readonly namespace: string
  readonly service: string
  /** The host by which the client calls: `web.shop.svc.cluster.local`. */
  readonly host: string
  readonly site: Site
  readonly istiod: Istiod
  /** Envoy's admin API of the client's sidecar: `/clusters` and `/config_dump` show what has reached it. */
  readonly clientAdminUrl: string
  /** What Prometheus should scrape: the sidecars of all versions, and istiod. */
  readonly scrapeTargets: readonly ScrapeTarget[]
  /** Tells a version how to behave from now on; what is left out goes back to healthy. */
  behave(version: string, behaviour: { failShare?: number; delayMs?: number }): Promise<void>
  /** How many requests a version's application has received so far, as it counts itself: copies by a mirror too. */
  received(version: string): Promise<number>
  stop(): Promise<void>
}

const NAMESPACE = 'shop'
const SERVICE = 'web'
const HOST = `${SERVICE}.${NAMESPACE}.svc.cluster.local`

const NAMES = { namespace: NAMESPACE, service: SERVICE, host: HOST }

interface Version {
  readonly name: string
  readonly pod: SidecarPod
  readonly appPort: number
  readonly controlPort: number
}

/**
 * Starts istiod, the versions and the client (about ten seconds) and resolves when every version has answered the client.
 * To be run in the namespace of run.ts: addresses and ports are fixed for each site.
 */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const { parts, api, dir, site = siteOf(0) } = options
  mkdirSync(dir, { recursive: true })
  const versions = (options.versions ?? ['v1', 'v2']).map((name, index) => versionAt(site, name, index))
  const clientPod = clientAt(site)
  const pods = [...versions.map((one) => one.pod), clientPod]
  const processes: RunningProcess[] = []
  const istiod = await startIstiod({ parts, api, dir: join(dir, 'istiod'), site })
  const client = meshClient(HOST, site.entry)
  const stop = async () => {
    client.close()
    await Promise.all(processes.map((one) => one.stop()))
    await istiod.stop()
  }
  try {
    for (const one of versions) processes.push(startApp(one, dir))
    const { entry } = site
    await api.admin.apply(meshObjects({ ...NAMES, servers: versions, client: clientPod, entry }))
    for (const pod of pods) await podReady(api.admin, pod)
    const sidecars = await Promise.all(pods.map((pod) => startSidecar({ parts, dir, api, istiod, pod })))
    processes.push(...sidecars.map((one) => one.process))
    await everyVersionAnswers(client, versions, processes)
    const scrapeTargets = [
      ...versions.map((one, index) => sidecarTarget(one, sidecars[index]?.metricsAddress ?? '')),
      { job: 'istiod', address: istiod.metricsAddress, path: '/metrics', labels: {} },
    ]
    const behave: Mesh['behave'] = (name, behaviour) =>
      control(versions, name, 'PUT', { failShare: 0, delayMs: 0, ...behaviour })
    const received: Mesh['received'] = async (name) =>
      (await control<{ received: number }>(versions, name, 'GET')).received
    const clientAdminUrl = `http://127.0.0.1:${clientPod.adminPort}`
    return { ...client, ...NAMES, site, istiod, clientAdminUrl, scrapeTargets, behave, received, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function clientAt(site: Site): SidecarPod {
  return {
    namespace: NAMESPACE,
    name: 'client',
    serviceAccount: 'client',
    address: site.pod(10),
    labels: { app: 'client', version: 'v0' },
    adminPort: site.port(15_300),
  }
}

function versionAt(site: Site, name: string, index: number): Version {
  const pod = {
    namespace: NAMESPACE,
    name: `${SERVICE}-${name}`,
    serviceAccount: SERVICE,
    address: site.pod(11 + index),
    labels: { app: SERVICE, version: name },
    adminPort: site.port(15_200 + 10 * index),
  }
  return { name, pod, appPort: site.port(9811 + index), controlPort: site.port(9911 + index) }
}

function startApp({ name, appPort, controlPort }: Version, dir: string): RunningProcess {
  const program = join(import.meta.dirname, 'web-app.ts')
  const args = [program, name, String(appPort), String(controlPort)]
  return startProcess({ dir, name: `app-${name}`, command: process.execPath, args })
}

/** Routes come in order, and a healthy endpoint may come later than the first: so all of them must have answered. */
async function everyVersionAnswers(client: Client, versions: readonly Version[], processes: readonly RunningProcess[]) {
  const answered = new Set<string>()
  await until('every version has answered', 60_000, async () => {
    for (const one of processes) one.assertAlive()
    const { status, version: name, detail } = await client.send()
    if (status !== 200 || name === null) throw new Error(`${status} ${detail}`)
    return answered.add(name).size === versions.length
  })
}

function sidecarTarget({ name, pod }: Version, address: string): ScrapeTarget {
  const labels = { namespace: NAMESPACE, pod: pod.name, app: SERVICE, version: name, workload: pod.name }
  return { job: 'envoy-stats', address, path: '/stats/prometheus', labels }
}

/** Asks the application of a version, besides its sidecar. */
async function control<T>(versions: readonly Version[], name: string, method: string, body?: object): Promise<T> {
  const found = versions.find((one) => one.name === name)
  if (!found) throw new Error(`there is no version ${name}`)
  const answer = await fetch(`http://127.0.0.1:${found.controlPort}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`version ${name} did not take ${method} ${JSON.stringify(body)}: ${answer.status}`)
  return (await answer.json()) as T
}
