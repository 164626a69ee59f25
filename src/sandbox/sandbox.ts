import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  azureServices,
  azureVariables,
  cosmosAsHost,
  createLeaseContainer,
  QUEUE_ACCOUNT,
  queuesAsHost,
} from './azure-services.ts'
import { seedDemoWorld } from './demo-world.ts'
import {
  type EmulatedCluster,
  emulatedCluster,
  emulatedKubernetes,
  routeObjects,
  SANDBOX_CLUSTERS,
} from './emulated-cluster.ts'
import type { EmulatorContext } from './emulators/emulator.ts'
import { type Served, serve } from './emulators/serve.ts'
import { changeFeedSourceOver } from './host/change-feed-source.ts'
import type { HostLog } from './host/host-log.ts'
import { queueSourceOver } from './host/queue-source.ts'
import { type FunctionsHost, startHost } from './host/start-host.ts'
import { timerStoreOn } from './host/timer-trigger.ts'
import { SANDBOX_PEOPLE, type SandboxPerson } from './identities.ts'
import { kubeconfigFor } from './kubeconfig.ts'
import type { SandboxOptions } from './sandbox-options.ts'
import { serviceRoutes } from './service-routes.ts'
import { sqliteStorage } from './storage.ts'
import { ConnectionError } from './transports/wire.ts'
import { istioRoutes } from './world/istio-routes.ts'
import { createWorld, type World } from './world/world.ts'
import { worldControl } from './world/world-control.ts'

/** What `sandbox.json` holds. */
export interface SandboxFile {
  readonly baseUrl: string
  readonly tokens: Readonly<Record<SandboxPerson, string>>
  readonly dashboard: string
  readonly docs: string
  /** Controls the simulated traffic; absent with a real cluster. */
  readonly world?: string
  /** Kubeconfig of the emulated clusters, or the given one. */
  readonly kubeconfig: string
  /** Base URL of the emulated clusters' Prometheus: add the cluster's name. */
  readonly prometheus?: string
}

export interface Sandbox {
  readonly file: SandboxFile
  readonly host: FunctionsHost
  /** The simulated traffic; undefined with a real cluster. */
  readonly world: World | undefined
  stop(): Promise<void>
}

const TICK_MS = 1000

/** Starts everything: emulators, the local Functions host with the app in it, and the file that says where. */
export async function startSandbox(options: SandboxOptions, log: HostLog): Promise<Sandbox> {
  const statePath = join(options.folder, 'state.db')
  if (options.reset) for (const suffix of ['', '-wal', '-shm']) rmSync(statePath + suffix, { force: true })
  mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  const storage = sqliteStorage(statePath)
  const context: EmulatorContext = { now: Date.now, random: Math.random, storage }
  const azure = await azureServices(context)
  const emulation = options.kubeconfig === undefined ? emulateClusters(context) : undefined
  const routes = serviceRoutes({ entra: azure.entra.handle, ...emulation })
  const parts: { close(): Promise<void> }[] = []
  const served = await Promise.all([
    serve(azure.cosmos, { port: 0 }),
    serve(azure.queues, { port: 0 }),
    servePersistent(routes, context, options.port),
  ])
  parts.push(...served)
  const [cosmos, queues, services] = served
  const kubeconfig = options.kubeconfig ?? writeKubeconfig(options.folder, services.url)
  setEnvironment(options, { cosmos: cosmos.url, queues: queues.url, entra: `${services.url}/entra` }, kubeconfig)
  await createLeaseContainer(cosmosAsHost(azure.cosmos), cosmos.url)
  const host = await startHost({
    load: options.functions ?? loadSources,
    appDirectory: process.cwd(),
    hostJson: JSON.parse(readFileSync(resolve('host.json'), 'utf8')),
    port: options.port,
    queue: queueSourceOver(`${queues.url}/${QUEUE_ACCOUNT}`, queuesAsHost(azure.queues)),
    cosmos: changeFeedSourceOver(cosmos.url, cosmosAsHost(azure.cosmos)),
    // A crashed worker's message comes back soon: nobody waits ten minutes for a demonstration.
    queueLockMs: 30_000,
    timers: timerStoreOn(storage.table('timers')),
    settings: process.env,
    log,
  })
  const ticker = emulation && setInterval(() => emulation.world.advance(), TICK_MS)
  const file = await writeFile(options, host.url, services.url, azure, kubeconfig)
  return {
    file,
    host,
    world: emulation?.world,
    async stop() {
      clearInterval(ticker)
      await host.stop()
      for (const part of parts) await part.close()
      storage.close()
    },
  }
}

interface Emulation {
  readonly world: World
  readonly clusters: ReadonlyMap<string, EmulatedCluster>
  readonly control: ReturnType<typeof worldControl>
}

function emulateClusters(context: EmulatorContext): Emulation {
  const clusters = new Map<string, EmulatedCluster>()
  const world = createWorld({ ...context, routes: istioRoutes(routeObjects(clusters)) })
  for (const name of SANDBOX_CLUSTERS) {
    const kubernetes = emulatedKubernetes(context, name)
    clusters.set(name, emulatedCluster(world, name, kubernetes, context.now, refuse))
  }
  seedDemoWorld(world)
  return { world, clusters, control: worldControl(world, context.now) }
}

function refuse(): never {
  throw new ConnectionError('ECONNREFUSED')
}

/** Registered clusters name their Prometheus by URL, so its port is kept over restarts. */
async function servePersistent(
  routes: Parameters<typeof serve>[0],
  context: EmulatorContext,
  apiPort: number,
): Promise<Served> {
  const table = context.storage.table('sandbox')
  const kept = table.get('services-port')
  const wanted = typeof kept === 'number' ? kept : apiPort === 0 ? 0 : apiPort + 1
  const served = await serve(routes, { port: wanted })
  table.put('services-port', Number(new URL(served.url).port))
  return served
}

function writeKubeconfig(folder: string, servicesUrl: string): string {
  const path = join(folder, 'kubeconfig')
  writeFileSync(path, kubeconfigFor(servicesUrl, SANDBOX_CLUSTERS), { mode: 0o600 })
  return path
}

/** The app reads its settings from the environment, in Azure and here alike. */
function setEnvironment(
  options: SandboxOptions,
  urls: { cosmos: string; queues: string; entra: string },
  kubeconfig: string,
): void {
  const variables: Record<string, string> = { ...azureVariables(urls), MESHWRIGHT_KUBECONFIG_FILE: kubeconfig }
  if (options.prometheus !== undefined) {
    variables['MESHWRIGHT_PROMETHEUS_URL'] = options.prometheus
    variables['MESHWRIGHT_OUTSIDE_HOSTS'] = new URL(options.prometheus).host
  }
  for (const [name, value] of Object.entries(variables)) process.env[name] = value
}

async function loadSources(): Promise<void> {
  for (const name of ['api', 'work', 'feed', 'timers'])
    await import(new URL(`../../functions/${name}.ts`, import.meta.url).href)
}

async function writeFile(
  options: SandboxOptions,
  hostUrl: string,
  servicesUrl: string,
  azure: Awaited<ReturnType<typeof azureServices>>,
  kubeconfig: string,
): Promise<SandboxFile> {
  const people = Object.entries(SANDBOX_PEOPLE)
  const tokens = await Promise.all(
    people.map(async ([name, subject]) => [name, await azure.entra.issueToken(subject)] as const),
  )
  const baseUrl = hostUrl.replace(/\/$/, '')
  const emulated =
    options.kubeconfig === undefined ? { world: `${servicesUrl}/world`, prometheus: `${servicesUrl}/prometheus` } : {}
  const file: SandboxFile = {
    baseUrl,
    tokens: Object.fromEntries(tokens) as SandboxFile['tokens'],
    dashboard: `${baseUrl}/`,
    docs: `${baseUrl}/docs`,
    kubeconfig,
    ...emulated,
  }
  writeFileSync(join(options.folder, 'sandbox.json'), `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 })
  return file
}
