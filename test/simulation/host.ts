import { type QueueMessage, queueSourceOver } from '../../src/sandbox/host/queue-source.ts'
import { bodyText } from '../../src/sandbox/transports/wire.ts'
import type { Chance } from '../../src/sandbox/world/chance.ts'
import type { Counts } from './counts.ts'
import type { Fleet } from './fleet.ts'
import { FEED_PATH, HOST_AUTHORIZATION, QUEUES_URL, type Surroundings } from './surroundings.ts'
import type { Trace } from './trace.ts'
import type { VirtualTime } from './virtual-time.ts'

/** How the host of the functions treats this run. */
export interface HostHabits {
  /** A message is hidden for so long while it is worked on; renewed at half while its process lives. */
  readonly lockMs: number
  /** Chance that a message is handed out a second time though the first is still at work. */
  readonly doubles: number
  /** Chance that a feed position is not kept: the batch comes again. */
  readonly forgetsFeed: number
  /** Whether the change feed runs at all; the sweep must do without. */
  readonly feed: boolean
  /** Longest wait before a visible message or a change is seen. */
  readonly pollMs: { readonly queue: number; readonly feed: number }
}

/** The Functions host: queues, change feed and timers, each call in a process by chance. */
export interface Host {
  /** Begins timers. */
  start(): void
  /** Call when a message was written: it can be had at `visibleAt`. */
  messageWritten(queue: string, visibleAt: number): void
  /** Call when a document was written. */
  documentWritten(): void
  setHabits(habits: HostHabits): void
  /** Messages given up so far, as text. */
  readonly poisoned: readonly string[]
}

export interface HostOptions {
  readonly time: VirtualTime
  readonly chance: Chance
  readonly trace: Trace
  readonly fleet: Fleet
  readonly surroundings: Surroundings
  readonly habits: HostHabits
  readonly counts: Counts
}

const MAX_DEQUEUE_COUNT = 5
const RETRY_MS = 5000
const SWEEP_MS = 30_000
const RESYNC_MS = 300_000
const SCAN_MS = 3_600_000
const FEED_RETRIES = 5

interface State extends HostOptions {
  habits: HostHabits
  readonly source: ReturnType<typeof queueSourceOver>
  readonly poisoned: string[]
  readonly polls: Map<string, number>
  feedPlanned: boolean
  feedBusy: boolean
  lease: string | undefined
}

export function createHost(options: HostOptions): Host {
  const authorization = { authorization: HOST_AUTHORIZATION.queues, 'x-ms-date': new Date(0).toUTCString() }
  const source = queueSourceOver(QUEUES_URL, (request) =>
    options.surroundings.queues({ ...request, headers: { ...authorization, ...request.headers } }),
  )
  const state: State = {
    ...options,
    source,
    poisoned: [],
    polls: new Map(),
    feedPlanned: false,
    feedBusy: false,
    lease: undefined,
  }
  return {
    poisoned: state.poisoned,
    start() {
      every(state, 'sweep', SWEEP_MS)
      every(state, 'resync', RESYNC_MS)
      every(state, 'watch', SCAN_MS)
      every(state, 'scan', SCAN_MS)
    },
    messageWritten: (queue, visibleAt) => planPoll(state, queue, visibleAt),
    documentWritten: () => planFeed(state),
    setHabits(habits) {
      state.habits = habits
    },
  }
}

/** A timer is one at a time: while its last call runs, the next is left out. */
function every(state: State, timer: 'sweep' | 'resync' | 'watch' | 'scan', intervalMs: number): void {
  const { time, fleet } = state
  let busy = false
  const tick = async () => {
    time.after(intervalMs, () => void tick())
    if (busy) return
    busy = true
    await fleet.run(fleet.pick(), timer, (app) => app[timer]())
    busy = false
  }
  time.after(intervalMs - (time.now() % intervalMs), () => void tick())
}

/** Looks at a queue when a message can be had, or a little later. */
function planPoll(state: State, queue: string, visibleAt: number): void {
  const { time, chance, habits } = state
  const at = Math.round(Math.max(visibleAt, time.now()) + habits.pollMs.queue * chance.next())
  const planned = state.polls.get(queue)
  if (planned !== undefined && planned <= at && planned > time.now()) return
  state.polls.set(queue, at)
  time.after(at - time.now(), () => void poll(state, queue, at))
}

async function poll(state: State, queue: string, at: number): Promise<void> {
  const { time, chance, fleet, source, habits, surroundings, counts } = state
  if (state.polls.get(queue) !== at) return
  state.polls.delete(queue)
  const messages = await source.receive(queue, 1 + Math.floor(chance.next() * 16), habits.lockMs)
  for (const message of messages) {
    void handle(state, queue, message)
    if (chance.next() < habits.doubles) {
      const instance = fleet.pick()
      counts.add('faults: message handed out twice')
      time.after(Math.round(3000 * chance.next()), () => {
        if (!instance.dead)
          void fleet.run(instance, `double ${message.text.slice(0, 80)}`, (app) => app.work(message.text))
      })
    }
  }
  const rest = [...surroundings.storage.table(`queue/${queue}`).entries()].map(
    ([, value]) => (value as { visibleAt: number }).visibleAt,
  )
  if (rest.length > 0) planPoll(state, queue, Math.min(...rest))
}

async function handle(state: State, queue: string, message: QueueMessage): Promise<void> {
  const { time, fleet, source, habits, trace } = state
  const instance = fleet.pick()
  let held: QueueMessage | undefined = message
  let over = false
  const renew = () => {
    time.after(habits.lockMs / 2, async () => {
      if (over || !held || instance.dead) return
      held = await source.hide(queue, held, habits.lockMs)
      renew()
    })
  }
  renew()
  const outcome = await fleet.run(instance, nameOf(message.text), (app) => app.work(parsed(state, message.text)))
  over = true
  if (outcome.kind === 'died' || !held) return
  if (outcome.kind === 'done') return void (await source.remove(queue, held))
  trace.add(`${instance.name} failed ${message.text.slice(0, 120)} ${String(outcome.error).slice(0, 160)}`)
  if (message.dequeueCount < MAX_DEQUEUE_COUNT) return void (await source.hide(queue, held, RETRY_MS))
  trace.add(`poison ${message.text}`)
  state.counts.add('faults: poison message')
  state.poisoned.push(message.text)
  await source.remove(queue, held)
}

/** The Functions library hands JSON over as what it says, or as text. */
function parsed({ chance }: State, text: string): unknown {
  return chance.next() < 0.5 ? text : JSON.parse(text)
}

function nameOf(text: string): string {
  const { kind, service, cluster, document } = JSON.parse(text) as Record<string, unknown>
  const key = (document as { key?: string } | undefined)?.key
  return [kind, service, cluster, key].filter((part) => part !== undefined).join(' ')
}

function planFeed(state: State): void {
  if (state.feedPlanned || !state.habits.feed) return
  state.feedPlanned = true
  state.time.after(Math.round(500 + state.habits.pollMs.feed * state.chance.next()), () => {
    state.feedPlanned = false
    if (state.feedBusy) planFeed(state)
    else void readFeed(state)
  })
}

async function readFeed(state: State): Promise<void> {
  state.feedBusy = true
  const headers = {
    authorization: HOST_AUTHORIZATION.cosmos,
    'x-ms-version': '2020-07-15',
    'x-ms-date': new Date(0).toUTCString(),
    'a-im': 'Incremental feed',
    'x-ms-documentdb-partitionkeyrangeid': '0',
    'x-ms-max-item-count': '100',
    ...(state.lease === undefined ? {} : { 'if-none-match': state.lease }),
  }
  const request = { method: 'GET', url: new URL(FEED_PATH), headers, body: new Uint8Array() }
  const response = await state.surroundings.cosmos(request)
  if (response.status === 200) {
    const { Documents } = JSON.parse(bodyText(response)) as { Documents: unknown[] }
    await deliver(state, Documents)
    if (state.chance.next() >= state.habits.forgetsFeed) state.lease = response.headers.etag
    else state.counts.add('faults: feed position forgotten')
    planFeed(state)
  } else if (response.status !== 304) {
    throw new Error(`the change feed answered ${response.status}: ${bodyText(response)}`)
  }
  state.feedBusy = false
}

/** The host's retry policy: five more tries, then it goes on. */
async function deliver(state: State, documents: readonly unknown[]): Promise<void> {
  const { fleet, time } = state
  for (let tries = 0; tries <= FEED_RETRIES; tries += 1) {
    const outcome = await fleet.run(fleet.pick(), 'feed', (app) => app.feed(documents))
    if (outcome.kind === 'done') return
    await time.sleep(1000 * 2 ** tries)
  }
}
