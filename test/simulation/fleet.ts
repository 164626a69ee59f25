import { systemClock } from '../../src/adapters/system-clock.ts'
import { type App, createApp } from '../../src/app.ts'
import type { Emulator } from '../../src/sandbox/emulators/emulator.ts'
import { SANDBOX_VAULT } from '../../src/sandbox/sandbox-vault.ts'
import { fetchTransport } from '../../src/sandbox/transports/fetch-transport.ts'
import { kubernetesTransport } from '../../src/sandbox/transports/kubernetes-transport.ts'
import { pipelineTransport } from '../../src/sandbox/transports/pipeline-transport.ts'
import { storageTransport } from '../../src/sandbox/transports/storage-transport.ts'
import { routeByHost, throughWire } from '../../src/sandbox/transports/wire.ts'
import type { Chance } from '../../src/sandbox/world/chance.ts'
import { credentialOver } from './app-tokens.ts'
import { pick } from './faults.ts'
import { handshakesOver } from './gateways.ts'
import type { Invocation, Life, Network } from './network.ts'
import { kubernetesHost, prometheusUrl, type Surroundings, settingsFor } from './surroundings.ts'
import type { Trace } from './trace.ts'
import type { VirtualTime } from './virtual-time.ts'
import { WEBHOOK_HOST } from './webhook-receivers.ts'

/** One process with the app in it. */
export interface Instance extends Life {
  readonly app: App
  /** What it is working on now. */
  readonly running: Set<Invocation>
}

/** How a call of the app ended. `died`: the process was gone before it did. */
export type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'died' }

/** The processes that run the app at any time. */
export interface Fleet {
  /** Starts the first processes. */
  start(): void
  live(): readonly Instance[]
  /** One of the live ones by chance; a new one when all are dead. */
  pick(): Instance
  /** Calls the app in a process. */
  run<T>(instance: Instance, name: string, call: (app: App) => Promise<T>, mustNotWrite?: boolean): Promise<Outcome<T>>
  kill(life: Life): void
  /** How many processes have died. */
  deaths(): number
  /** Lines that all processes logged. */
  readonly log: readonly string[]
}

export interface FleetOptions {
  readonly time: VirtualTime
  readonly chance: Chance
  readonly trace: Trace
  readonly surroundings: Surroundings
  readonly gateways: Emulator
  /** Looked up late: network and fleet know each other. */
  readonly network: () => Network
  readonly size: number
  /** How far the clock of a process may be from the true time. */
  readonly skewMs: number
  readonly onLog: (line: string) => void
  /** Told of a process before it dies. */
  readonly onDeath: (instance: Instance) => void
  readonly onEnd: (invocation: Invocation, durationMs: number) => void
}

interface State extends FleetOptions {
  readonly instances: Map<Life, Instance & { readonly die: () => void; readonly death: Promise<void> }>
  readonly log: string[]
  born: number
}

export function createFleet(options: FleetOptions): Fleet {
  const state: State = { ...options, instances: new Map(), log: [], born: 0 }
  const { trace, chance, time } = options
  return {
    log: state.log,
    start() {
      for (let number = 0; number < options.size; number += 1) startInstance(state)
    },
    live: () => [...state.instances.values()],
    pick: () => pick(chance, state.instances.size === 0 ? [startInstance(state)] : [...state.instances.values()]),
    run: (instance, name, call, mustNotWrite = false) => runIn(state, instance, name, call, mustNotWrite),
    deaths: () => state.born - state.instances.size,
    kill(life) {
      const instance = state.instances.get(life)
      if (!instance) return
      trace.add(`${life.name} dies`)
      options.onDeath(instance)
      life.dead = true
      state.instances.delete(life)
      instance.die()
      time.after(Math.round(200 + 20_000 * chance.next() ** 3), () => {
        if (state.instances.size < options.size) startInstance(state)
      })
    },
  }
}

function startInstance(state: State): Instance {
  state.born += 1
  const life: Life = { name: `i${state.born}`, dead: false }
  let die = () => {}
  const death = new Promise<void>((resolve) => {
    die = resolve
  })
  const instance = Object.assign(life, { app: appOf(state, life), running: new Set<Invocation>(), die, death })
  state.instances.set(life, instance)
  state.trace.add(`${life.name} starts`)
  return instance
}

function appOf(state: State, life: Life): App {
  const { surroundings, chance } = state
  const network = state.network()
  const to = (system: string) => network.wire(life, system)
  const clusters = [...surroundings.clusters.values()]
  const kubernetes = Object.fromEntries(
    clusters.map(({ name, api }) => [kubernetesHost(name), throughWire(api, to(`kubernetes/${name}`))]),
  )
  const outside = Object.fromEntries(
    clusters.map(({ name, prometheus }) => [
      new URL(prometheusUrl(name)).host,
      throughWire(prometheus, to(`prometheus/${name}`)),
    ]),
  )
  const azure = Object.fromEntries([
    ...(surroundings.arm ? [['management.azure.com', throughWire(surroundings.arm, to('arm'))] as const] : []),
    [new URL(SANDBOX_VAULT).host, throughWire(surroundings.vault.vault, to('vault'))] as const,
    ...Object.entries(surroundings.azure?.hosts ?? {}).map(
      ([host, { system, emulator }]) => [host, throughWire(emulator, to(system))] as const,
    ),
  ])
  const skew = Math.round((2 * chance.next() - 1) * state.skewMs)
  const clock = systemClock()
  return createApp(settingsFor([...surroundings.clusters.keys()], surroundings.azure !== undefined), {
    clock: { now: () => clock.now() + skew, sleep: clock.sleep },
    random: { next: () => chance.next(), uuid: () => uuid(chance) },
    cosmosHttp: pipelineTransport(throughWire(surroundings.cosmos, to('cosmos'))),
    queueHttp: storageTransport(throughWire(surroundings.queues, to('queues'))),
    kubernetesHttp: kubernetesTransport(routeByHost(kubernetes)),
    fetch: fetchTransport(
      routeByHost({
        ...azure,
        ...outside,
        'entra.test': throughWire(surroundings.entra, to('entra')),
        [WEBHOOK_HOST]: throughWire(surroundings.receivers.handle, to('webhook')),
      }),
    ),
    handshakes: handshakesOver(throughWire(state.gateways, to('gateway'))),
    lookup: async () => ['10.1.2.3'],
    azureHttp: pipelineTransport(routeByHost(azure)),
    credential: credentialOver(throughWire(surroundings.identity, to('identity'))),
    logSink(_level, line) {
      if (life.dead) return
      state.log.push(line)
      state.onLog(line)
    },
  })
}

async function runIn<T>(
  state: State,
  instance: Instance,
  name: string,
  call: (app: App) => Promise<T>,
  mustNotWrite: boolean,
): Promise<Outcome<T>> {
  const held = state.instances.get(instance)
  if (!held) return { kind: 'died' }
  const invocation: Invocation = { name, life: instance, startedAt: state.time.now(), requests: 0, mustNotWrite }
  instance.running.add(invocation)
  const done = state
    .network()
    .within(invocation, () => call(instance.app))
    .then(
      (value): Outcome<T> => ({ kind: 'done', value }),
      (error): Outcome<T> => ({ kind: 'threw', error }),
    )
    .then((outcome): Outcome<T> => {
      if (outcome.kind === 'threw')
        state.onLog(`threw ${outcome.error instanceof Error ? outcome.error.stack : outcome.error}`)
      instance.running.delete(invocation)
      if (!instance.dead) state.onEnd(invocation, state.time.now() - invocation.startedAt)
      return outcome
    })
  const died = held.death.then((): Outcome<T> => ({ kind: 'died' }))
  return Promise.race([died, done])
}

function uuid(chance: Chance): string {
  const hex = (length: number) => Array.from({ length }, () => Math.floor(chance.next() * 16).toString(16)).join('')
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`
}
