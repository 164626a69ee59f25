import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiServer } from './api-server.ts'
import { type Istiod, startIstiod } from './istiod.ts'
import { meshObjects, podReady } from './mesh-objects.ts'
import type { Parts } from './parts.ts'
import { type RunningProcess, startProcess } from './processes.ts'
import type { ScrapeTarget } from './prometheus.ts'
import { type SidecarPod, startSidecar } from './sidecar.ts'
import { type Client, meshClient } from './traffic.ts'
import { until } from './wait.ts'

/** What to start. The API server must have Istio's CRDs. */
export interface MeshOptions {
  readonly parts: Parts
  readonly dir: string
  readonly api: ApiServer
  /** Versions of the service, by default `v1` and `v2`; at most eight. */
  readonly versions?: readonly string[]
}

/** A mesh with the service `web` in namespace `shop`, each version one pod behind a real sidecar, mutual TLS STRICT, and a client. */
export interface Mesh extends Client {
  readonly namespace: string
  readonly service: string
  /** The host by which the client calls: `web.shop.svc.cluster.local`. */
  readonly host: string
  readonly istiod: Istiod
  /** Envoy's admin API of the client's sidecar: `/clusters` and `/config_dump` show what has reached it. */
  readonly clientAdminUrl: string
  /** What Prometheus should scrape: the sidecars of all versions, and istiod. */
  readonly scrapeTargets: readonly ScrapeTarget[]
  /** Tells a version how to behave from now on; what is left out goes back to healthy. */
  behave(version: string, behaviour: { failShare?: number; delayMs?: number }): Promise<void>
  stop(): Promise<void>
}

const NAMESPACE = 'shop'
const SERVICE = 'web'
const HOST = `${SERVICE}.${NAMESPACE}.svc.cluster.local`

const CLIENT: SidecarPod = {
  namespace: NAMESPACE,
  name: 'client',
  serviceAccount: 'client',
  address: '10.77.0.10',
  labels: { app: 'client', version: 'v0' },
  adminPort: 15_300,
}

const NAMES = {
  namespace: NAMESPACE,
  service: SERVICE,
  host: HOST,
  clientAdminUrl: `http://127.0.0.1:${CLIENT.adminPort}`,
}

interface Version {
  readonly name: string
  readonly pod: SidecarPod
  readonly appPort: number
  readonly controlPort: number
}

/**
 * Starts istiod, the versions and the client (about ten seconds) and resolves when every version has answered the client.
 * To be run in the namespace of run.ts: addresses and ports are fixed.
 */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const { parts, api, dir } = options
  mkdirSync(dir, { recursive: true })
  const versions = (options.versions ?? ['v1', 'v2']).map(version)
  const pods = [...versions.map((one) => one.pod), CLIENT]
  const processes: RunningProcess[] = []
  const istiod = await startIstiod({ parts, api, dir: join(dir, 'istiod') })
  const client = meshClient(HOST)
  const stop = async () => {
    client.close()
    await Promise.all(processes.map((one) => one.stop()))
    await istiod.stop()
  }
  try {
    for (const one of versions) processes.push(startApp(one, dir))
    await api.admin.apply(meshObjects({ namespace: NAMESPACE, service: SERVICE, servers: versions, client: CLIENT }))
    for (const pod of pods) await podReady(api.admin, pod)
    const sidecars = await Promise.all(pods.map((pod) => startSidecar({ parts, dir, api, istiod, pod })))
    processes.push(...sidecars.map((one) => one.process))
    await everyVersionAnswers(client, versions, processes)
    const scrapeTargets = [
      ...versions.map((one, index) => sidecarTarget(one, sidecars[index]?.metricsAddress ?? '')),
      { job: 'istiod', address: istiod.metricsAddress, path: '/metrics', labels: {} },
    ]
    const behave: Mesh['behave'] = (name, behaviour) => tell(versions, name, behaviour)
    return { ...client, ...NAMES, istiod, scrapeTargets, behave, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function version(name: string, index: number): Version {
  const pod = {
    namespace: NAMESPACE,
    name: `${SERVICE}-${name}`,
    serviceAccount: SERVICE,
    address: `10.77.0.${11 + index}`,
    labels: { app: SERVICE, version: name },
    adminPort: 15_200 + 10 * index,
  }
  return { name, pod, appPort: 9811 + index, controlPort: 9911 + index }
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

async function tell(versions: readonly Version[], name: string, behaviour: { failShare?: number; delayMs?: number }) {
  const found = versions.find((one) => one.name === name)
  if (!found) throw new Error(`there is no version ${name}`)
  const body = JSON.stringify({ failShare: 0, delayMs: 0, ...behaviour })
  const answer = await fetch(`http://127.0.0.1:${found.controlPort}`, { method: 'PUT', body })
  if (!answer.ok) throw new Error(`version ${name} did not take ${body}: ${answer.status}`)
}
