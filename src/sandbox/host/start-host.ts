import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ChangeFeedSource } from './change-feed-source.ts'
import { type CoreApp, installCoreModule, type RegisteredFunction } from './core-module.ts'
import { type HostClock, realClock } from './host-clock.ts'
import { filterLog, type HostLog } from './host-log.ts'
import { type HostSettings, readHostSettings } from './host-settings.ts'
import type { HttpExchange } from './http-exchange.ts'
import { type HttpFront, startHttpFront } from './http-front.ts'
import { proxyExchange } from './http-proxy.ts'
import { wholeExchange } from './http-whole.ts'
import { logThroughHooks, runAppHooks } from './invocation.ts'
import { createInvoker, type InvocationOutcome, type Invoker } from './invoker.ts'
import { type LibraryProxy, openLibraryProxy } from './library-proxy.ts'
import { type ProxyArrivals, watchProxyArrivals } from './proxy-arrivals.ts'
import type { QueueSource } from './queue-source.ts'
import type { TimerStore, TimerTrigger } from './timer-trigger.ts'
import type { AppSettings } from './trigger-settings.ts'
import { prepareTriggers } from './triggers.ts'

export interface HostOptions {
  /**
   * Loads the app: imports the modules that call `app.http(…)` and the like. Or a glob of those modules, relative to
   * `appDirectory`, as `main` of package.json holds one.
   */
  readonly load: (() => Promise<unknown>) | string
  /** The directory that `appStart` hooks are told. */
  readonly appDirectory: string
  /** The content of host.json. */
  readonly hostJson: unknown
  /** 0 for any free port. */
  readonly port: number
  /** Default 127.0.0.1. */
  readonly hostname?: string
  /** Needed when the app has a queue trigger. */
  readonly queue?: QueueSource
  /** Needed when the app has a Cosmos DB trigger. */
  readonly cosmos?: ChangeFeedSource
  readonly log: HostLog
  /** What `%NAME%` in a trigger means; default the process's environment. */
  readonly settings?: AppSettings
  readonly clock?: HostClock
  readonly random?: () => number
  /** Remembers timers over restarts, so that a missed run is made up for. */
  readonly timers?: TimerStore
  /** How long a queue message is hidden while it is worked on; default ten minutes, as in Azure. */
  readonly queueLockMs?: number
  /** How long `stop` waits for running invocations; default 10 s. */
  readonly graceMs?: number
}

/** A running app. */
export interface FunctionsHost {
  readonly url: string
  readonly functions: readonly RegisteredFunction[]
  /** Runs a timer's function now, after a run that is under way. Throws when there is no such timer. */
  runTimer(functionName: string): Promise<InvocationOutcome>
  /** Takes no more work, waits for what runs, runs the `appTerminate` hooks and closes everything. Twice is once. */
  stop(): Promise<void>
}

/**
 * Runs a Functions app in this process with the real library `@azure/functions`, in the place of Azure's host and worker:
 * HTTP, timer, Storage queue and Cosmos DB triggers, whatever the app registers. Rejects when the app cannot be loaded or
 * asks for something this host does not have. One host a process at a time: the library keeps its state by process.
 */
export async function startHost(options: HostOptions): Promise<FunctionsHost> {
  const settings = readHostSettings(options.hostJson)
  const app = installCoreModule()
  const filtered = filterLog(settings.logLevels, options.log)
  const log: HostLog = (line) => logThroughHooks(app, filtered, line)
  app.log = (level, category, message) => log({ level, category: category === 'user' ? 'user' : 'system', message })
  await loadApp(app, options)
  const proxy = await openLibraryProxy(app.model)
  const running = { options, settings, app, log, filtered, proxy, stopping: new AbortController() }
  try {
    return await startParts(running)
  } catch (error) {
    running.stopping.abort()
    await proxy?.close()
    throw error
  }
}

interface Running {
  readonly options: HostOptions
  readonly settings: HostSettings
  readonly app: CoreApp
  readonly log: HostLog
  /** Without the app's log hooks: invocations run those themselves. */
  readonly filtered: HostLog
  readonly proxy: LibraryProxy | undefined
  readonly stopping: AbortController
}

async function loadApp(app: CoreApp, options: HostOptions): Promise<void> {
  app.locked = false
  try {
    if (typeof options.load === 'function') await options.load()
    else await importAll(options.load, options.appDirectory)
    await runAppHooks(app, 'appStart', { functionAppDirectory: resolve(options.appDirectory) })
  } finally {
    app.locked = true
  }
  for (const { metadata } of app.functions.values()) {
    if (!/^(?!host$)[a-z][a-z0-9_-]{0,127}$/i.test(metadata.name))
      throw new Error(`"${metadata.name}" is no function name`)
  }
}

async function importAll(pattern: string, directory: string): Promise<void> {
  const files = globSync(pattern, { cwd: directory }).sort()
  if (files.length === 0) throw new Error(`No file matches ${pattern}`)
  for (const file of files) await import(pathToFileURL(resolve(directory, file)).href)
}

async function startParts(running: Running): Promise<FunctionsHost> {
  const { options, settings, app, stopping } = running
  const clock = options.clock ?? realClock
  const random = options.random ?? Math.random
  const { functionTimeoutMs } = settings
  const invoker = createInvoker({ app, clock, log: running.filtered, functionTimeoutMs, random })
  const triggers = prepareTriggers({
    functions: app.functions,
    hostSettings: settings,
    appSettings: options.settings ?? process.env,
    queue: options.queue,
    cosmos: options.cosmos,
    timers: options.timers,
    queueLockMs: options.queueLockMs ?? 600_000,
    invoker,
    clock,
    random,
    log: running.log,
    signal: stopping.signal,
  })
  const arrivals = watchProxyArrivals()
  const front = await startHttpFront({
    functions: app.functions,
    routePrefix: settings.routePrefix,
    port: options.port,
    hostname: options.hostname ?? '127.0.0.1',
    carry: (exchange) => carryExchange(running, invoker, arrivals, exchange),
  })
  const done = triggers.start()
  let stopped: Promise<void> | undefined
  return {
    url: front.url,
    functions: [...app.functions.values()],
    runTimer: (name) => timerOf(triggers.timers, name).runNow(),
    stop: () => {
      stopped ??= stopHost(running, { clock, invoker, front, arrivals, done })
      return stopped
    },
  }
}

function carryExchange(
  running: Running,
  invoker: Invoker,
  arrivals: ProxyArrivals,
  exchange: HttpExchange,
): Promise<void> {
  const { proxy, log } = running
  return proxy ? proxyExchange(exchange, { ...proxy, invoker, arrivals, log }) : wholeExchange(exchange, invoker)
}

function timerOf(timers: ReadonlyMap<string, TimerTrigger>, name: string): TimerTrigger {
  const timer = timers.get(name)
  if (!timer) throw new Error(`There is no timer "${name}"`)
  return timer
}

interface Parts {
  readonly clock: HostClock
  readonly invoker: Invoker
  readonly front: HttpFront
  readonly arrivals: ProxyArrivals
  /** Resolves when the triggers have stopped. */
  readonly done: Promise<unknown>
}

async function stopHost(running: Running, parts: Parts): Promise<void> {
  const { app, log, proxy, stopping } = running
  const graceMs = running.options.graceMs ?? 10_000
  parts.front.refuse()
  stopping.abort()
  const deadlineMs = parts.clock.now() + graceMs
  const over = new AbortController()
  await Promise.race([parts.done, parts.clock.sleep(graceMs, over.signal)])
  over.abort()
  const left = await parts.invoker.drain(Math.max(0, deadlineMs - parts.clock.now()))
  if (left > 0) log({ level: 'warning', category: 'system', message: `Stopped while ${left} invocations were running` })
  await parts.front.close()
  await runAppHooks(app, 'appTerminate', {})
  await proxy?.close()
  parts.arrivals.stop()
}
