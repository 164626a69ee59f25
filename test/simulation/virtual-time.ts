import { AsyncLocalStorage } from 'node:async_hooks'
import { makeKeysAtOnce } from './steady-keys.ts'

/**
 * Time that passes only when it is told to: in place of the machine's timers, `Date`, `Math.random` and random UUIDs, so
 * that code which knows nothing of it (the Azure SDKs) runs in it too. Events come in the order of time, and of being asked
 * for; between two of them everything that can run does run.
 */
export interface VirtualTime {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Calls back at `now() + delayMs`. */
  after(delayMs: number, callback: () => void): void
  /** Resolves after `durationMs`. */
  sleep(durationMs: number): Promise<void>
  /** Goes to the next event and runs it; false when there is none. */
  next(): boolean
  /** Lets all promises that can go on do so. */
  drain(): Promise<void>
  /** Told of every key pair that is made from now on: its private half, PKCS #8 PEM. */
  onKey(listener: (pem: string) => void): void
  /** Gives the machine its own time back. */
  restore(): void
}

interface Event {
  readonly at: number
  readonly order: number
  callback: (() => void) | undefined
}

const realSetImmediate = globalThis.setImmediate
const RealDate = globalThis.Date

/** Takes over the globals of this process until `restore`. `random` gives numbers in [0, 1). */
export function startVirtualTime(startMs: number, random: () => number): VirtualTime {
  const heap: Event[] = []
  let nowMs = startMs
  let orders = 0
  const add = (delayMs: number, callback: () => void): Event => {
    orders += 1
    const event = { at: nowMs + Math.max(0, delayMs), order: orders, callback: AsyncLocalStorage.bind(callback) }
    push(heap, event)
    return event
  }
  let tellOfKey: (pem: string) => void = () => {}
  const restorers = [
    fakeTimers(add),
    fakeDate(() => nowMs),
    fakeChance(random),
    makeKeysAtOnce((pem) => tellOfKey(pem)),
  ]
  const crypto = trackCrypto()
  return {
    now: () => nowMs,
    after: (delayMs, callback) => void add(delayMs, callback),
    sleep: (durationMs) => new Promise((resolve) => void add(durationMs, resolve)),
    next() {
      for (let event = pop(heap); event; event = pop(heap)) {
        const { callback } = event
        if (!callback) continue
        event.callback = undefined
        nowMs = Math.max(nowMs, event.at)
        callback()
        return true
      }
      return false
    },
    async drain() {
      // Promises and process.nextTick are done before a check phase; only hashes and signatures run elsewhere.
      do await new Promise<void>((resolve) => realSetImmediate(resolve))
      while (crypto.busy())
    },
    onKey(listener) {
      tellOfKey = listener
    },
    restore() {
      for (const restore of [...restorers, crypto.restore]) restore()
    },
  }
}

/** A timer as code under test holds it. */
class Timer {
  readonly #add: () => Event
  #event: Event

  constructor(add: () => Event) {
    this.#add = add
    this.#event = add()
  }

  stop(): void {
    this.#event.callback = undefined
  }

  refresh(): this {
    this.stop()
    this.#event = this.#add()
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  hasRef(): boolean {
    return true
  }

  close(): void {
    this.stop()
  }

  [Symbol.toPrimitive](): number {
    return this.#event.order
  }
}

function fakeTimers(add: (delayMs: number, callback: () => void) => Event): () => void {
  const clear = (timer: unknown) => {
    if (timer instanceof Timer) timer.stop()
  }
  const once = (callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]) =>
    new Timer(() => add(Math.max(1, Math.trunc(delayMs)), () => callback(...args)))
  return replace({
    setTimeout: once,
    setImmediate: (callback: (...args: unknown[]) => void, ...args: unknown[]) =>
      new Timer(() => add(0, () => callback(...args))),
    setInterval(callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]) {
      const timer: Timer = new Timer(() =>
        add(Math.max(1, Math.trunc(delayMs)), () => {
          timer.refresh()
          callback(...args)
        }),
      )
      return timer
    },
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
  })
}

function fakeDate(now: () => number): () => void {
  class VirtualDate extends RealDate {
    constructor(...args: [] | [number | string]) {
      if (args.length === 0) super(now())
      else super(...args)
    }

    static override now(): number {
      return now()
    }
  }
  return replace({ Date: VirtualDate })
}

function fakeChance(random: () => number): () => void {
  const realRandom = Math.random
  Math.random = random
  return () => {
    Math.random = realRandom
  }
}

function replace(members: Readonly<Record<string, unknown>>): () => void {
  const before = Object.keys(members).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const)
  for (const [name, value] of Object.entries(members))
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: true })
  return () => {
    for (const [name, descriptor] of before) if (descriptor) Object.defineProperty(globalThis, name, descriptor)
  }
}

/** Signatures are checked in threads of the machine: how many are under way is the one thing that promises do not tell. */
function trackCrypto(): { busy(): boolean; restore(): void } {
  const { subtle } = globalThis.crypto
  const names = ['verify', 'importKey', 'digest', 'sign'] as const
  let running = 0
  for (const name of names) {
    const real = subtle[name].bind(subtle) as (...args: unknown[]) => Promise<unknown>
    const tracked = (...args: unknown[]) => {
      running += 1
      return real(...args).finally(() => {
        running -= 1
      })
    }
    Object.defineProperty(subtle, name, { value: tracked, configurable: true, writable: true })
  }
  return {
    busy: () => running > 0,
    restore() {
      for (const name of names) Reflect.deleteProperty(subtle, name)
    },
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

function push(heap: Event[], event: Event): void {
  let at = heap.length
  heap.push(event)
  while (at > 0) {
    const parent = (at - 1) >> 1
    const above = heap[parent] as Event
    if (!isBefore(event, above)) break
    heap[at] = above
    at = parent
  }
  heap[at] = event
}

function pop(heap: Event[]): Event | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (first === undefined || last === undefined || heap.length === 0) return first
  let at = 0
  for (;;) {
    const left = 2 * at + 1
    if (left >= heap.length) break
    const right = left + 1
    const [leftEvent, rightEvent] = [heap[left] as Event, heap[right]]
    const [child, smaller] = rightEvent && isBefore(rightEvent, leftEvent) ? [right, rightEvent] : [left, leftEvent]
    if (!isBefore(smaller, last)) break
    heap[at] = smaller
    at = child
  }
  heap[at] = last
  return first
}
