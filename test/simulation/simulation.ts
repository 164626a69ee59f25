import { type Chance, seededChance } from '../../src/sandbox/world/chance.ts'
import { type Client, createClient } from './client.ts'
import { type Counts, createCounts } from './counts.ts'
import { listenToVault } from './event-grid.ts'
import type { CrashFlavour, FaultRates } from './faults.ts'
import { createFleet, type Fleet, type Instance } from './fleet.ts'
import { createGateways } from './gateways.ts'
import { createHost, type Host, type HostHabits } from './host.ts'
import { createInfrastructure } from './infrastructure.ts'
import { startMeshAuthorities } from './mesh-authorities.ts'
import { createNetwork, type Network } from './network.ts'
import { observedStorage } from './observed-storage.ts'
import { placeOf } from './places.ts'
import { createSurroundings, type Parts, START_MS, type Surroundings, secretsOf, type Tenant } from './surroundings.ts'
import { createTrace, type Trace } from './trace.ts'
import type { KeyRing } from './vault-side.ts'
import { startVirtualTime, type VirtualTime } from './virtual-time.ts'
import { createWatch, type Watch } from './watch/watch.ts'

/** A world with the app in it, in virtual time: everything that a scenario and the checks at its end work with. */
export interface Simulation {
  readonly time: VirtualTime
  /** For what the scenario draws; network, host and traffic have streams of their own. */
  readonly chance: Chance
  readonly trace: Trace
  readonly surroundings: Surroundings
  readonly ring: KeyRing
  readonly network: Network
  readonly fleet: Fleet
  readonly host: Host
  readonly client: Client
  readonly watch: Watch
  readonly habits: HostHabits
  readonly counts: Counts
}

export interface SimulationOptions extends Parts {
  readonly seed: number
  readonly tenant: Tenant
  readonly clusters: readonly string[]
  /** How many processes run the app. */
  readonly instances: number
  /** How far the clock of a process may be from the true time. */
  readonly skewMs?: number
  readonly rates: FaultRates
  readonly habits: HostHabits
  /** Note where each request is sent. */
  readonly notesPlaces?: boolean
  readonly planned?: { readonly request: number; readonly flavour: CrashFlavour } | undefined
  readonly echo?: ((line: string) => void) | undefined
}

/** What a run came to. */
export interface RunResult {
  readonly hash: string
  readonly requests: number
  /** Where each of them was sent, in order (`placeOf`); only of runs that were asked for it. */
  readonly places: readonly string[]
  /** Milliseconds of virtual time. */
  readonly virtualMs: number
  /** How often faults and other things happened. */
  readonly counts: Counts
  /** What was broken, the first first; empty for a good run. */
  readonly broken: readonly string[]
  readonly tail: readonly string[]
}

/** No run needs so many: a livelock. */
const MOST_EVENTS = 3_000_000

/** Runs a scenario to its end, or until an invariant is broken. The same options give the same trace. */
export async function runSimulation(
  options: SimulationOptions,
  scenario: (simulation: Simulation) => Promise<void>,
): Promise<RunResult> {
  const streams = [1, 2, 3, 4, 5].map((stream) => seededChance(options.seed * 8 + stream))
  const [scenarioChance, networkChance, hostChance, worldChance, globalChance] = streams as [
    Chance,
    Chance,
    Chance,
    Chance,
    Chance,
  ]
  const time = startVirtualTime(START_MS, () => globalChance.next())
  try {
    const trace = createTrace(time.now, START_MS, options.echo)
    const places: string[] = []
    const simulation = await assemble(options, {
      places,
      time,
      trace,
      chance: scenarioChance,
      networkChance,
      hostChance,
      worldChance,
    })
    let over = false
    const running = scenario(simulation).then(
      () => {
        over = true
      },
      (error: unknown) => {
        simulation.watch.broke(error instanceof Error ? (error.stack ?? error.message) : String(error))
      },
    )
    for (let events = 0; ; events += 1) {
      await time.drain()
      if (over || simulation.watch.broken.length > 0) break
      if (!time.next() || events > MOST_EVENTS) {
        simulation.watch.broke(events > MOST_EVENTS ? 'it does not come to an end' : 'nothing can go on')
        break
      }
    }
    if (over) await running
    return {
      hash: trace.hash(),
      requests: simulation.network.requests(),
      places,
      virtualMs: time.now() - START_MS,
      counts: simulation.counts,
      broken: simulation.watch.broken,
      tail: trace.tail(),
    }
  } finally {
    time.restore()
  }
}

interface Means {
  readonly time: VirtualTime
  readonly trace: Trace
  readonly chance: Chance
  readonly networkChance: Chance
  readonly hostChance: Chance
  readonly worldChance: Chance
  readonly places: string[]
}

async function assemble(options: SimulationOptions, means: Means): Promise<Simulation> {
  const { time, trace, chance, networkChance, hostChance, worldChance } = means
  const listen = { document: () => {}, message: (_queue: string, _visibleAt: number) => {} }
  const watch = createWatch({
    skewMs: options.skewMs ?? 0,
    time,
    trace,
    secrets: secretsOf(options.tenant),
    acting: () => network.acting(),
  })
  time.onKey(watch.keyMade)
  const storage = observedStorage((table, key, value, text) => {
    watch.written(table, key, value, text)
    if (table.startsWith('queue/') && value !== undefined)
      listen.message(table.slice(6), (value as { visibleAt: number }).visibleAt)
    if (table.startsWith('cosmos/') && value !== undefined) listen.document()
  })
  const context = { now: time.now, random: () => worldChance.next(), storage }
  const surroundings = await createSurroundings(context, options.clusters, options.tenant, options)
  watch.clusters(surroundings.clusters)
  watch.receivers(surroundings.receivers)
  await createInfrastructure(surroundings)
  const counts = createCounts()
  const network: Network = createNetwork({
    counts,
    time,
    chance: networkChance,
    trace,
    planned: options.planned,
    beforeServe: (system) => surroundings.clusters.get(system.replace(/^kubernetes\//, ''))?.advance(),
    crash: (life) => fleet.kill(life),
    onSend(acting, request) {
      if (options.notesPlaces) means.places.push(placeOf(acting, request, watch.documents.all()))
      watch.sent(acting, request)
    },
    onAnswer: (acting, request, response) => watch.answered(acting, request, response),
  })
  const fleet: Fleet = createFleet({
    time,
    chance: networkChance,
    trace,
    surroundings,
    gateways: createGateways({ time, chance: hostChance, clusters: surroundings.clusters }),
    network: () => network,
    size: options.instances,
    skewMs: options.skewMs ?? 0,
    onLog: (line) => watch.logged(line),
    onDeath: (instance) => countDeath(counts, watch, instance),
    onEnd: (invocation, durationMs) => watch.ended(invocation, durationMs),
  })
  const host = createHost({ time, chance: hostChance, trace, fleet, surroundings, counts, habits: options.habits })
  listen.document = host.documentWritten
  listen.message = host.messageWritten
  const client = createClient({
    time,
    chance,
    trace,
    fleet,
    tokens: options.tenant.tokens,
    onAnswer: watch.answeredCaller,
  })
  network.setRates(options.rates)
  fleet.start()
  host.start()
  const { ring } = options.tenant
  const { meshes, clusters, vault } = surroundings
  if (meshes) watch.meshCas.meshes(meshes)
  if (meshes) startMeshAuthorities({ time, vault, clusters, meshes, watch })
  listenToVault({ time, chance: hostChance, trace, client, surroundings })
  const { habits } = options
  return { time, chance, trace, surroundings, ring, network, fleet, host, client, watch, habits, counts }
}

/** In which phases rollouts are whose services the process works on as it dies. */
function countDeath(counts: Counts, watch: Watch, { running }: Instance): void {
  counts.add('faults: death of a process')
  const names = [...running].map(({ name }) => name)
  for (const document of watch.documents.all()) {
    if (document.kind !== 'service') continue
    const { namespace, name, rollouts } = document
    const isAtWork = names.some(
      (call) => call.includes(`${namespace}/${name}`) || call.includes(`${namespace}.${name}.`),
    )
    for (const { phase } of isAtWork ? rollouts : []) counts.add(`deaths by phase: ${phase}`)
  }
}
