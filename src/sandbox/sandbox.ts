import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { azureHosts } from './azure-hosts.ts'
import {
  azureVariables,
  cosmosAsHost,
  createLeaseContainer,
  OVERRULING_VARIABLES,
  QUEUE_ACCOUNT,
  queuesAsHost,
  sandboxEntra,
} from './azure-services.ts'
import { chatControl, SANDBOX_TEAMS_SECRET, SANDBOX_TEAMS_WEBHOOK } from './chat-world.ts'
import { registerDemo } from './demo-data.ts'
import { emulatedAddOns } from './emulated-add-ons.ts'
import { SANDBOX_CLUSTERS } from './emulated-cluster.ts'
import { emulateClusters } from './emulated-clusters.ts'
import type { Emulator, EmulatorContext, Table } from './emulators/emulator.ts'
import { type Served, serve } from './emulators/serve.ts'
import { webhookReceiver } from './emulators/webhook/webhook-receiver.ts'
import { hookSecrets, hookVariables } from './hook-secrets.ts'
import { changeFeedSourceOver } from './host/change-feed-source.ts'
import type { HostLog } from './host/host-log.ts'
import { queueSourceOver } from './host/queue-source.ts'
import { type FunctionsHost, startHost } from './host/start-host.ts'
import { timerStoreOn } from './host/timer-trigger.ts'
import { kubeconfigFor } from './kubeconfig.ts'
import { LINKERD_CLUSTER } from './linkerd-cluster.ts'
import { installLinkerd } from './linkerd-install.ts'
import { lockFolder } from './lock-folder.ts'
import { managedClusterControl, registerManagedClusters, sandboxArm } from './managed-clusters.ts'
import { type SandboxFile, writeSandboxFile } from './sandbox-file.ts'
import type { SandboxOptions } from './sandbox-options.ts'
import { sandboxVault, subscribeToVault } from './sandbox-vault.ts'
import { serviceRoutes } from './service-routes.ts'
import { type StateServices, startStateServices } from './state-services.ts'
import { sqliteStorage } from './storage.ts'
import { storeSecret } from './store-secret.ts'

/** A running sandbox. */
export interface Sandbox {
  readonly file: SandboxFile
  stop(): Promise<void>
}

const HOST_JSON = new URL('../../host.json', import.meta.url)
/** The name under which Meshwright looks for its key when a step names none. */
const SANDBOX_WEBHOOK_SECRET = 'webhook-signing'
const TICK_MS = 1000
/** A crashed worker's message comes back soon: nobody waits ten minutes, as in Azure, for a demonstration. */
const QUEUE_LOCK_MS = 10_000
/** Streams of events never end by themselves. */
const GRACE_MS = 2000

/**
 * Starts everything: emulators, the local Functions host with the app in it, and the file that says where. Throws
 * StartError; what was started until then ends with the process.
 */
export async function startSandbox(options: SandboxOptions, log: HostLog): Promise<Sandbox> {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  const unlock = lockFolder(options.folder)
  const statePath = join(options.folder, 'state.db')
  if (options.reset) for (const suffix of ['', '-wal', '-shm']) rmSync(statePath + suffix, { force: true })
  const storage = sqliteStorage(statePath)
  const context: EmulatorContext = { now: Date.now, random: Math.random, storage }
  const own = storage.table('sandbox')
  const hooks = hookSecrets(own)
  const entra = await sandboxEntra(context)
  const emulated = options.kubeconfig === undefined ? emulateClusters(context, entra, options) : undefined
  if (emulated) await installLinkerd(context, emulated)
  const arm = sandboxArm(context, entra)
  const vault = sandboxVault(context, entra)
  const { keyVault } = vault
  const addOns = emulated && emulatedAddOns(context, emulated, { arm, entra, keyVault })
  await storeSecret(keyVault.handle, entra, SANDBOX_TEAMS_SECRET, SANDBOX_TEAMS_WEBHOOK)
  await storeSecret(keyVault.handle, entra, SANDBOX_WEBHOOK_SECRET, hooks.webhook)
  const hosts = azureHosts({
    context,
    entra,
    arm,
    keyVault,
    ...(emulated ? { world: emulated.world } : {}),
  })
  const webhooks = webhookReceiver(context, { secret: hooks.webhook })
  const controls = { chat: chatControl(storage), managedClusters: managedClusterControl(arm), webhooks }
  const routes = serviceRoutes({ entra: entra.handle, azure: hosts, ...controls, ...emulated })
  const state = await startStateServices(statePath)
  const services = await servePersistent(routes, own, options.port)
  registerManagedClusters(arm, emulated && services.url)
  const kubeconfig = options.kubeconfig ?? writeKubeconfig(options, services.url)
  setEnvironment(options, { ...state.urls, services: services.url }, kubeconfig)
  Object.assign(process.env, hookVariables(hooks))
  await createLeaseContainer(cosmosAsHost(state.cosmos), state.urls.cosmos)
  const host = await startFunctions(options, state, storage.table('timers'), log)
  await subscribeToVault(vault, host.url, hooks.eventGrid, log)
  let ticked = Promise.resolve()
  const ticker = setInterval(() => {
    for (const cluster of emulated?.clusters.values() ?? []) cluster.advance()
    emulated?.world.advance()
    const azureTick = Promise.all([vault.advance(), addOns?.advance()])
    ticked = azureTick.then(
      () => undefined,
      (error: unknown) => {
        log({ level: 'error', category: 'system', message: `The emulated Azure failed: ${error}` })
      },
    )
  }, TICK_MS)
  const file = await writeSandboxFile(options.folder, entra, {
    baseUrl: host.url,
    hooks,
    kubeconfig,
    servicesUrl: services.url,
    emulated: emulated !== undefined,
  })
  if (emulated && !options.empty) await registerDemo(file, own, options)
  return {
    file,
    async stop() {
      clearInterval(ticker)
      await ticked
      await host.stop()
      for (const part of [state, services]) await part.close()
      storage.close()
      unlock()
    },
  }
}

function startFunctions(
  options: SandboxOptions,
  { urls, cosmos, queues }: StateServices,
  timers: Table,
  log: HostLog,
): Promise<FunctionsHost> {
  return startHost({
    load: options.functions ?? loadSources,
    appDirectory: process.cwd(),
    hostJson: JSON.parse(readFileSync(HOST_JSON, 'utf8')),
    port: options.port,
    queue: queueSourceOver(`${urls.queues}/${QUEUE_ACCOUNT}`, queuesAsHost(queues)),
    cosmos: changeFeedSourceOver(urls.cosmos, cosmosAsHost(cosmos)),
    queueLockMs: QUEUE_LOCK_MS,
    graceMs: GRACE_MS,
    timers: timerStoreOn(timers),
    settings: process.env,
    log,
  })
}

/** Registered clusters name their Prometheus by URL, so its port is kept over restarts: at first the one after the API's. */
async function servePersistent(routes: Emulator, own: Table, apiPort: number): Promise<Served> {
  const kept = own.get('services-port')
  if (typeof kept === 'number') return serve(routes, { port: kept })
  const next = apiPort === 0 || apiPort === 65_535 ? 0 : apiPort + 1
  const served = await serve(routes, { port: next }).catch(() => serve(routes, { port: 0 }))
  own.put('services-port', Number(new URL(served.url).port))
  return served
}

function writeKubeconfig({ folder, linkerd }: SandboxOptions, servicesUrl: string): string {
  const path = join(folder, 'kubeconfig')
  const clusters = linkerd ? [...SANDBOX_CLUSTERS, LINKERD_CLUSTER] : SANDBOX_CLUSTERS
  writeFileSync(path, kubeconfigFor(servicesUrl, clusters), { mode: 0o600 })
  return path
}

/** The app reads its settings from the environment, in Azure and here alike. */
function setEnvironment(
  options: SandboxOptions,
  urls: { cosmos: string; queues: string; services: string },
  kubeconfig: string,
): void {
  const variables: Record<string, string> = { ...azureVariables(urls), MESHWRIGHT_KUBECONFIG_FILE: kubeconfig }
  if (options.prometheus !== undefined) {
    variables.MESHWRIGHT_PROMETHEUS_URL = options.prometheus
    variables.MESHWRIGHT_OUTSIDE_HOSTS = new URL(options.prometheus).host
  }
  if (options.quiet && !process.env.MESHWRIGHT_LOG_LEVEL) variables.MESHWRIGHT_LOG_LEVEL = 'error'
  for (const name of OVERRULING_VARIABLES) delete process.env[name]
  Object.assign(process.env, variables)
}

async function loadSources(): Promise<void> {
  for (const name of ['api', 'work', 'feed', 'timers', 'lifecycle'])
    await import(new URL(`../../functions/${name}.ts`, import.meta.url).href)
}
