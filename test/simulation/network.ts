import { AsyncLocalStorage } from 'node:async_hooks'
import type { EmulatorRequest, EmulatorResponse } from '../../src/sandbox/emulators/emulator.ts'
import { ConnectionError, type Wire } from '../../src/sandbox/transports/wire.ts'
import type { Chance } from '../../src/sandbox/world/chance.ts'
import type { Counts } from './counts.ts'
import { type CrashFlavour, drawFate, type Fate, type FaultRates, NO_FAULTS, type SystemKind } from './faults.ts'
import type { Trace } from './trace.ts'
import type { VirtualTime } from './virtual-time.ts'

/** A process of the app, as the network knows it. What a dead one still sends goes nowhere, and it hears of nothing. */
export interface Life {
  readonly name: string
  dead: boolean
}

/** One call of the app by its host, with the requests that it made. */
export interface Invocation {
  readonly name: string
  readonly life: Life
  readonly startedAt: number
  /** It repeats a call that has had its effect. */
  readonly mustNotWrite: boolean
  requests: number
}

/** Who is being served at this moment: set while an emulator works on a request. */
export interface Acting {
  readonly life: Life
  readonly invocation: Invocation | undefined
  readonly system: string
}

export interface Network {
  /** The wire of a process to one system: `cosmos`, `kubernetes/east`… */
  wire(life: Life, system: string): Wire
  /** Runs a call so that its requests are known to be its own. */
  within<T>(invocation: Invocation, call: () => Promise<T>): Promise<T>
  acting(): Acting | undefined
  /** Requests of all processes so far. */
  requests(): number
  /** Has anything gone otherwise than it should? */
  disturbed(): boolean
  /** Faults from now on. */
  setRates(rates: FaultRates): void
  /** Cuts the wire of a process to a system, for a while. */
  cutWire(life: Life, system: string, durationMs: number): void
}

export interface NetworkOptions {
  readonly time: VirtualTime
  readonly chance: Chance
  readonly trace: Trace
  /** Kills a process. */
  readonly crash: (life: Life) => void
  /** A crash that was planned at the n-th request, counted from 1. */
  readonly planned?: { readonly request: number; readonly flavour: CrashFlavour } | undefined
  readonly counts: Counts
  /** Called before a system works on a request: what others do there by then is not the process's doing. */
  readonly beforeServe: (system: string) => void
  /** Told of every request as it is sent, whatever becomes of it. */
  readonly onSend: (acting: Acting, request: EmulatorRequest) => void
  /** Told of every answer before the process gets it. */
  readonly onAnswer: (acting: Acting, request: EmulatorRequest, response: EmulatorResponse) => void
}

/** Milliseconds that a request to a system takes each way: least and most. */
const LATENCY: Readonly<Record<SystemKind, readonly [number, number]>> = {
  cosmos: [1, 8],
  queues: [1, 10],
  entra: [5, 40],
  kubernetes: [2, 30],
  prometheus: [2, 60],
  arm: [20, 400],
  identity: [2, 30],
  vault: [5, 80],
  graph: [20, 300],
  chat: [30, 400],
  monitor: [5, 100],
  gateway: [2, 60],
  webhook: [5, 200],
}

/** Carries the requests of all processes, each with a fate and a time of its own. */
export function createNetwork(options: NetworkOptions): Network {
  const { time, chance } = options
  const invocations = new AsyncLocalStorage<Invocation>()
  const cuts = new Map<string, number>()
  const state: State = { ...options, rates: NO_FAULTS, requests: 0, disturbed: false, acting: undefined }
  return {
    wire: (life, system) => (request, deliver) => {
      if (life.dead) return never()
      state.requests += 1
      const invocation = invocations.getStore()
      if (invocation) invocation.requests += 1
      const isCut = (cuts.get(`${life.name} ${system}`) ?? 0) > time.now()
      const fate: Fate = isCut ? { kind: chance.next() < 0.5 ? 'refused' : 'hung' } : fateFor(state, system, request)
      if (fate.kind !== 'carried') {
        state.disturbed = true
        options.counts.add(`faults: ${nameOf(fate, isCut)}`)
        options.counts.add(`faults by system: ${kindOf(system)}`)
      }
      const acting = { life, invocation, system }
      options.onSend(acting, request)
      return carry(state, acting, fate, request, deliver)
    },
    within: (invocation, call) => invocations.run(invocation, call),
    acting: () => state.acting,
    requests: () => state.requests,
    disturbed: () => state.disturbed,
    setRates(rates) {
      state.rates = rates
      if (rates === NO_FAULTS) cuts.clear()
    },
    cutWire: (life, system, durationMs) => void cuts.set(`${life.name} ${system}`, time.now() + durationMs),
  }
}

interface State extends NetworkOptions {
  rates: FaultRates
  requests: number
  disturbed: boolean
  acting: Acting | undefined
}

/** `crash after-effect`, `answered 429`, `wire cut`, `hung`… */
function nameOf(fate: Fate, isCut: boolean): string {
  if (isCut) return 'wire cut'
  if (fate.kind === 'crash') return `crash ${fate.flavour}`
  return fate.kind === 'answered' ? `answered ${fate.response.status}` : fate.kind
}

type Deliver = () => Promise<EmulatorResponse>

function kindOf(system: string): SystemKind {
  return system.split('/')[0] as SystemKind
}

function fateFor(state: State, system: string, request: EmulatorRequest): Fate {
  const { planned } = state
  if (planned?.request === state.requests) return { kind: 'crash', flavour: planned.flavour }
  return drawFate(state.rates, state.chance, kindOf(system), request)
}

async function carry(
  state: State,
  acting: Acting,
  fate: Fate,
  request: EmulatorRequest,
  deliver: Deliver,
): Promise<EmulatorResponse> {
  const { life } = acting
  const tell = (what: string) => state.trace.add(`${life.name} ${describe(acting, request)} ${what}`)
  if (fate.kind === 'crash' && fate.flavour === 'before-send') {
    tell('crash before it is sent')
    state.crash(life)
    return never()
  }
  await travel(state, acting.system)
  if (fate.kind === 'refused' || fate.kind === 'dropped') {
    tell(fate.kind)
    return comeBack(life, () => {
      throw new ConnectionError(fate.kind === 'refused' ? 'ECONNREFUSED' : 'ECONNRESET')
    })
  }
  if (fate.kind === 'hung') {
    tell('hung')
    return never()
  }
  const answered = fate.kind === 'answered' ? fate.response : await serve(state, acting, deliver, fate, tell)
  if (fate.kind === 'answered') tell(`${answered.status} in its place`)
  if (fate.kind === 'reply-hung') return never()
  await travel(state, acting.system)
  return comeBack(life, () => {
    if (fate.kind === 'reply-lost') throw new ConnectionError('ECONNRESET')
    const response = fate.kind === 'spoiled' ? fate.spoil(answered) : answered
    state.onAnswer(acting, request, response)
    // What the reply sets going runs before the next event: then the process is gone.
    if (fate.kind === 'crash' && fate.flavour === 'after-reply') state.time.after(0, () => state.crash(life))
    return response
  })
}

/** The emulator works on the request, even if the process that sent it is dead by now. */
async function serve(
  state: State,
  acting: Acting,
  deliver: Deliver,
  fate: Fate,
  tell: (what: string) => void,
): Promise<EmulatorResponse> {
  const once = () => {
    state.beforeServe(acting.system)
    state.acting = acting
    try {
      return deliver()
    } finally {
      state.acting = undefined
    }
  }
  let response: EmulatorResponse
  try {
    response = await once()
    if (fate.kind === 'twice') response = await once()
  } catch (error) {
    tell(`${error}`)
    throw error
  }
  const suffix = fate.kind === 'carried' ? '' : ` ${fate.kind}${fate.kind === 'crash' ? ` ${fate.flavour}` : ''}`
  tell(`${response.status} ${response.headers.etag ?? ''}${suffix}`)
  if (fate.kind === 'crash' && fate.flavour === 'after-effect') {
    state.crash(acting.life)
    return never()
  }
  return response
}

function comeBack<T>(life: Life, answer: () => T): Promise<T> | T {
  return life.dead ? never() : answer()
}

async function travel(state: State, system: string): Promise<void> {
  const { time, chance, rates } = state
  const [least, most] = LATENCY[kindOf(system)]
  const usual = least * (most / least) ** chance.next()
  const slow = rates.slow > 0 && chance.next() < rates.slow
  if (slow) {
    state.disturbed = true
    state.counts.add('faults: slow')
  }
  await time.sleep(Math.round(slow ? 200 * 100 ** chance.next() : usual))
}

/** Method, path and, of an object with a fence, its revision. */
function describe({ system, invocation }: Acting, { method, url, body }: EmulatorRequest): string {
  const revision =
    method === 'PATCH' ? /"meshwright\.io\/revision":"(\d+)"/.exec(new TextDecoder().decode(body))?.[1] : undefined
  const who = invocation === undefined ? '' : `(${invocation.name}) `
  return `${who}${system} ${method} ${url.pathname}${url.search}${revision === undefined ? '' : ` r${revision}`}`
}

function never(): Promise<never> {
  return new Promise(() => {})
}
