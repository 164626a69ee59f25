import { describe, expect, test } from 'vitest'
import type { QueueMessage, QueueSource } from '../../../../src/sandbox/host/queue-source.ts'
import { runQueueTrigger } from '../../../../src/sandbox/host/queue-trigger.ts'
import { type Call, functionWith, invokerFor } from './fake-invoker.ts'
import { settle, type VirtualClock, virtualClock } from './virtual-clock.ts'

interface Stored {
  readonly id: string
  readonly text: string
  dequeueCount: number
  visibleMs: number
  receipt: number
}

/** Queues in memory with the rules of the service: hiding, receipts, counts. */
function memoryQueues(clock: VirtualClock) {
  const queues = new Map<string, Stored[]>()
  const polls: number[] = []
  let nextId = 0
  const find = (queue: string, message: QueueMessage): Stored | undefined =>
    queues.get(queue)?.find(({ id, receipt }) => id === message.id && String(receipt) === message.popReceipt)
  const shown = (stored: Stored): QueueMessage => ({
    id: stored.id,
    popReceipt: String(stored.receipt),
    text: stored.text,
    dequeueCount: stored.dequeueCount,
    insertedMs: 0,
    expiresMs: 0,
    visibleMs: stored.visibleMs,
  })
  const source: QueueSource = {
    async receive(queue, count, hiddenMs) {
      polls.push(clock.now())
      const visible = (queues.get(queue) ?? []).filter(({ visibleMs }) => visibleMs <= clock.now()).slice(0, count)
      for (const stored of visible) {
        stored.dequeueCount += 1
        stored.receipt += 1
        stored.visibleMs = clock.now() + hiddenMs
      }
      return visible.map(shown)
    },
    async hide(queue, message, hiddenMs) {
      const stored = find(queue, message)
      if (!stored) return undefined
      stored.receipt += 1
      stored.visibleMs = clock.now() + hiddenMs
      return shown(stored)
    },
    async remove(queue, message) {
      const stored = find(queue, message)
      if (stored)
        queues.set(
          queue,
          (queues.get(queue) ?? []).filter((other) => other !== stored),
        )
      return stored !== undefined
    },
    async add(queue, text) {
      nextId += 1
      const stored = { id: `m${nextId}`, text, dequeueCount: 0, visibleMs: 0, receipt: 0 }
      queues.set(queue, [...(queues.get(queue) ?? []), stored])
    },
  }
  return { source, polls, texts: (queue: string) => (queues.get(queue) ?? []).map(({ text }) => text) }
}

function queueWith(
  handler: (call: Call) => unknown,
  options: { settings?: object; queue?: string; lockMs?: number } = {},
) {
  const clock = virtualClock()
  const queues = memoryQueues(clock)
  const stop = new AbortController()
  const done = runQueueTrigger({
    fn: functionWith({ type: 'queueTrigger' }),
    queue: options.queue ?? 'work',
    source: queues.source,
    settings: {
      batchSize: 16,
      newBatchThreshold: 8,
      maxDequeueCount: 5,
      maxPollingIntervalMs: 1000,
      visibilityTimeoutMs: 5000,
      messageEncoding: 'none',
      ...options.settings,
    },
    lockMs: options.lockMs ?? 600_000,
    invoker: invokerFor(clock, handler),
    clock,
    random: () => 0.5,
    log: () => {},
    signal: stop.signal,
  })
  return { clock, ...queues, stop: () => stop.abort(), done }
}

describe('a queue trigger', () => {
  test('hands over each message once and deletes it', async () => {
    const got: unknown[] = []
    const { clock, source, texts } = queueWith(({ input }) => got.push(input))
    for (const text of ['a', 'b', 'c']) await source.add('work', text)
    await clock.advance(5000)
    expect(got).toEqual(['a', 'b', 'c'])
    expect(texts('work')).toEqual([])
  })

  test('tells the handler what the message is', async () => {
    const calls: Call[] = []
    const { clock, source } = queueWith((call) => calls.push(call))
    await source.add('work', 'x')
    await clock.advance(100)
    expect(calls[0]?.metadata).toEqual({
      QueueTrigger: { string: 'x' },
      Id: { string: 'm1' },
      PopReceipt: { string: '1' },
      DequeueCount: { json: '1' },
      InsertionTime: { json: '"1970-01-01T00:00:00.000+00:00"' },
      ExpirationTime: { json: '"1970-01-01T00:00:00.000+00:00"' },
      NextVisibleTime: { json: '"2026-01-01T00:10:00.100+00:00"' },
    })
  })

  test('shows a failed message again after the visibility timeout', async () => {
    const at: number[] = []
    const { clock, source, texts } = queueWith(() => {
      at.push(clock.now() - Date.UTC(2026, 0, 1))
      if (at.length === 1) throw new Error('no')
    })
    await source.add('work', 'x')
    await clock.advance(4900)
    expect(at).toHaveLength(1)
    await clock.advance(1200)
    expect(at).toHaveLength(2)
    expect(texts('work')).toEqual([])
  })

  test('moves a message to the poison queue after five failures', async () => {
    let tries = 0
    const { clock, source, texts } = queueWith(() => {
      tries += 1
      throw new Error('never')
    })
    await source.add('work', 'bad')
    await clock.advance(60_000)
    expect(tries).toBe(5)
    expect(texts('work')).toEqual([])
    expect(texts('work-poison')).toEqual(['bad'])
  })

  test('a message of a poison queue that fails stays hidden and is not lost', async () => {
    let tries = 0
    const { clock, source, texts } = queueWith(
      () => {
        tries += 1
        throw new Error('never')
      },
      { queue: 'work-poison' },
    )
    await source.add('work-poison', 'bad')
    await clock.advance(60_000)
    expect(tries).toBe(1)
    expect(texts('work-poison')).toEqual(['bad'])
    expect(texts('work-poison-poison')).toEqual([])
  })

  test('keeps a message hidden while its handler runs, however long', async () => {
    let runs = 0
    const { clock, source, texts } = queueWith(
      async () => {
        runs += 1
        await clock.sleep(300_000)
      },
      { lockMs: 30_000 },
    )
    await source.add('work', 'slow')
    await clock.advance(290_000)
    expect(runs).toBe(1)
    expect(texts('work')).toEqual(['slow'])
    await clock.advance(20_000)
    expect(runs).toBe(1)
    expect(texts('work')).toEqual([])
  })

  test('works on at most a batch and the threshold at once', async () => {
    let running = 0
    let most = 0
    const { clock, source, texts } = queueWith(
      async () => {
        running += 1
        most = Math.max(most, running)
        await clock.sleep(1000)
        running -= 1
      },
      { settings: { batchSize: 4, newBatchThreshold: 2 } },
    )
    for (let index = 0; index < 40; index += 1) await source.add('work', String(index))
    await clock.advance(60_000)
    expect(most).toBeGreaterThan(4)
    expect(most).toBeLessThanOrEqual(6)
    expect(texts('work')).toEqual([])
  })

  test('polls an empty queue less and less often, up to the longest interval, and fast again after a message', async () => {
    const { clock, source, polls } = queueWith(() => {})
    await clock.advance(10_000)
    const gaps = polls.slice(1).map((at, index) => at - (polls[index] ?? 0))
    expect(gaps[0]).toBe(100)
    expect(gaps.every((gap, index) => gap >= (gaps[index - 1] ?? 0))).toBe(true)
    expect(gaps.at(-1)).toBe(1000)
    await source.add('work', 'x')
    await clock.advance(1100)
    expect((polls.at(-1) ?? 0) - (polls.at(-2) ?? 0)).toBeLessThan(1000)
  })

  test('goes on polling while the service fails', async () => {
    const got: unknown[] = []
    const { clock, source } = queueWith(({ input }) => got.push(input))
    const { receive } = source
    let failures = 3
    source.receive = async (...args) => {
      failures -= 1
      if (failures >= 0) throw new Error('down')
      return receive(...args)
    }
    await source.add('work', 'x')
    await clock.advance(5000)
    expect(got).toEqual(['x'])
  })

  test('base64 messages are decoded, and others go to the poison queue untouched', async () => {
    const got: unknown[] = []
    const { clock, source, texts } = queueWith(({ input }) => got.push(input), {
      settings: { messageEncoding: 'base64' },
    })
    await source.add('work', Buffer.from('grüße').toString('base64'))
    await source.add('work', 'not base64!')
    await clock.advance(1000)
    expect(got).toEqual(['grüße'])
    expect(texts('work-poison')).toEqual(['not base64!'])
  })

  test('a stop waits for the message at work and takes no other', async () => {
    const got: unknown[] = []
    const { clock, source, stop, done, texts } = queueWith(async ({ input }) => {
      got.push(input)
      await clock.sleep(3000)
    })
    await source.add('work', 'a')
    await clock.advance(100)
    stop()
    await source.add('work', 'b')
    let ended = false
    void done.then(() => {
      ended = true
    })
    await clock.advance(2000)
    expect(ended).toBe(false)
    await clock.advance(2000)
    await settle()
    expect(ended).toBe(true)
    expect(got).toEqual(['a'])
    expect(texts('work')).toEqual(['b'])
  })
})
