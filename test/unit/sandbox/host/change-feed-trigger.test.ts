import { describe, expect, test } from 'vitest'
import type { ChangeFeedSource, Lease } from '../../../../src/sandbox/host/change-feed-source.ts'
import { runChangeFeedTrigger } from '../../../../src/sandbox/host/change-feed-trigger.ts'
import type { RetryOptions } from '../../../../src/sandbox/host/core-types.ts'
import { type Call, functionWith, invokerFor } from './fake-invoker.ts'
import { virtualClock } from './virtual-clock.ts'

/** A feed of numbers: the continuation is the count of those read. */
function memoryFeed(ranges: Record<string, number[]>) {
  const leases = new Map<string, Lease>()
  let writes = 0
  const source: ChangeFeedSource = {
    ranges: async () => Object.keys(ranges).map((id) => ({ id })),
    async read(_of, range, position, maxItems) {
      const all = ranges[range.id] ?? []
      const start = 'after' in position ? Number(position.after) : position.from === 'now' ? all.length : 0
      const documents = all.slice(start, maxItems > 0 ? start + maxItems : undefined)
      return { documents, continuation: String(start + documents.length) }
    },
    loadLease: async (_leases, id) => leases.get(id),
    async saveLease(_leases, lease) {
      if (leases.get(lease.id)?.etag !== lease.etag) return undefined
      writes += 1
      const saved = { ...lease, etag: `e${writes}` }
      leases.set(lease.id, saved)
      return saved
    },
    createLeases: async () => {},
  }
  return { source, leases, ranges }
}

interface Options {
  readonly retry?: RetryOptions
  readonly settings?: object
  readonly feed?: ReturnType<typeof memoryFeed>
  readonly clock?: ReturnType<typeof virtualClock>
}

function feedWith(handler: (documents: number[], call: Call) => unknown, options: Options = {}) {
  const clock = options.clock ?? virtualClock()
  const feed = options.feed ?? memoryFeed({ 0: [] })
  const stop = new AbortController()
  const logged: string[] = []
  const done = runChangeFeedTrigger({
    fn: functionWith({ type: 'cosmosDBTrigger' }, options.retry),
    settings: {
      monitored: { database: 'app', container: 'state' },
      leases: { database: 'app', container: 'leases' },
      leasePrefix: 'x-',
      createLeases: false,
      pollMs: 5000,
      maxItems: -1,
      start: { from: 'beginning' },
      ...options.settings,
    },
    source: feed.source,
    invoker: invokerFor(clock, (call) => handler(call.input as number[], call)),
    clock,
    log: ({ message }) => logged.push(message),
    signal: stop.signal,
  })
  return { clock, feed, logged, done, stop: () => stop.abort() }
}

const twice: RetryOptions = { retryStrategy: 'fixedDelay', maxRetryCount: 2, delayInterval: { seconds: 10 } }

describe('a change feed trigger', () => {
  test('delivers what is there and what comes, and writes how far it is', async () => {
    const got: number[][] = []
    const feed = memoryFeed({ 0: [1, 2] })
    const { clock } = feedWith((documents) => got.push(documents), { feed })
    await clock.advance(0)
    expect(got).toEqual([[1, 2]])
    feed.ranges[0]?.push(3)
    await clock.advance(5000)
    expect(got).toEqual([[1, 2], [3]])
    expect(feed.leases.get('x-app_state..0')).toMatchObject({ rangeId: '0', continuation: '3' })
  })

  test('goes on after a restart where it was', async () => {
    const got: number[][] = []
    const feed = memoryFeed({ 0: [1] })
    const first = feedWith((documents) => got.push(documents), { feed })
    await first.clock.advance(0)
    first.stop()
    await first.done
    feed.ranges[0]?.push(2)
    const second = feedWith((documents) => got.push(documents), { feed })
    await second.clock.advance(0)
    expect(got).toEqual([[1], [2]])
  })

  test('begins now when told so, and does not forget that over a restart', async () => {
    const got: number[][] = []
    const feed = memoryFeed({ 0: [1, 2] })
    const settings = { start: { from: 'now' } }
    const first = feedWith((documents) => got.push(documents), { feed, settings })
    await first.clock.advance(0)
    first.stop()
    await first.done
    feed.ranges[0]?.push(3)
    const second = feedWith((documents) => got.push(documents), { feed, settings })
    await second.clock.advance(0)
    expect(got).toEqual([[3]])
  })

  test('keeps to the largest batch and reads on at once', async () => {
    const got: number[][] = []
    const feed = memoryFeed({ 0: [1, 2, 3, 4, 5] })
    const { clock } = feedWith((documents) => got.push(documents), { feed, settings: { maxItems: 2 } })
    await clock.advance(0)
    expect(got).toEqual([[1, 2], [3, 4], [5]])
  })

  test('ranges move on independently', async () => {
    const got: number[][] = []
    const feed = memoryFeed({ 0: [1], 7: [2] })
    const handler = async (documents: number[]): Promise<void> => {
      if (documents[0] === 1) await clock.sleep(60_000)
      got.push(documents)
    }
    const { clock } = feedWith(handler, { feed })
    feed.ranges[7]?.push(3)
    await clock.advance(10_000)
    expect(got).toEqual([[2, 3]])
    await clock.advance(60_000)
    expect(got).toEqual([[2, 3], [1]])
  })

  test('without a retry policy a failed batch is lost, as in Azure, and the log says so', async () => {
    const got: number[][] = []
    const feed = memoryFeed({ 0: [1] })
    const { clock, logged } = feedWith(
      (documents) => {
        got.push(documents)
        if (documents.includes(1)) throw new Error('no')
      },
      { feed },
    )
    await clock.advance(0)
    feed.ranges[0]?.push(2)
    await clock.advance(20_000)
    expect(got).toEqual([[1], [2]])
    expect(logged).toContain('A batch of 1 changes failed for good and is skipped')
  })

  test('with a retry policy the batch comes again, numbered, and later changes wait', async () => {
    const got: [number[], number | undefined][] = []
    const feed = memoryFeed({ 0: [1] })
    const { clock } = feedWith(
      (documents, { retryCount }) => {
        got.push([documents, retryCount])
        if (got.length < 3) throw new Error('not yet')
      },
      { feed, retry: twice },
    )
    await clock.advance(0)
    feed.ranges[0]?.push(2)
    expect(feed.leases.size).toBe(0)
    await clock.advance(20_000)
    expect(got).toEqual([
      [[1], undefined],
      [[1], 1],
      [[1], 2],
      [[2], undefined],
    ])
  })

  test('an exhausted retry policy moves on', async () => {
    let runs = 0
    const feed = memoryFeed({ 0: [1] })
    const { clock } = feedWith(
      () => {
        runs += 1
        throw new Error('never')
      },
      { feed, retry: twice },
    )
    await clock.advance(60_000)
    expect(runs).toBe(3)
    expect(feed.leases.get('x-app_state..0')?.continuation).toBe('1')
  })

  test('exponential backoff waits longer each time, up to the most, for ever when asked', async () => {
    const at: number[] = []
    const retry: RetryOptions = {
      retryStrategy: 'exponentialBackoff',
      maxRetryCount: -1,
      minimumInterval: { seconds: 1 },
      maximumInterval: { seconds: 8 },
    }
    const { clock } = feedWith(
      () => {
        at.push(clock.now())
        throw new Error('never')
      },
      { feed: memoryFeed({ 0: [1] }), retry },
    )
    await clock.advance(60_000)
    const gaps = at.slice(1).map((ms, index) => (ms - (at[index] ?? 0)) / 1000)
    expect(gaps.slice(0, 5)).toEqual([1, 2, 3, 5, 8])
    expect(gaps.at(-1)).toBe(8)
  })

  test('a stop between two tries keeps the batch for the next start', async () => {
    const feed = memoryFeed({ 0: [1] })
    const first = feedWith(
      () => {
        throw new Error('no')
      },
      { feed, retry: twice },
    )
    await first.clock.advance(5000)
    first.stop()
    await first.done
    expect(feed.leases.size).toBe(0)
    const got: number[][] = []
    const second = feedWith((documents) => got.push(documents), { feed })
    await second.clock.advance(0)
    expect(got).toEqual([[1]])
  })

  test('a lease that another writer moved is read again', async () => {
    const got: number[][] = []
    const feed = memoryFeed({ 0: [1] })
    const { clock } = feedWith((documents) => got.push(documents), { feed })
    await clock.advance(0)
    feed.leases.set('x-app_state..0', { id: 'x-app_state..0', rangeId: '0', continuation: '2', etag: 'other' })
    feed.ranges[0]?.push(2, 3)
    await clock.advance(5000)
    expect(got).toEqual([[1], [2, 3], [3]])
  })

  test('a service that fails at the start or later is tried again', async () => {
    const got: number[][] = []
    const feed = memoryFeed({ 0: [1] })
    const { ranges, read } = feed.source
    let failures = 2
    const flaky =
      <T extends unknown[], R>(call: (...args: T) => Promise<R>) =>
      async (...args: T): Promise<R> => {
        failures -= 1
        if (failures >= 0) throw new Error('down')
        return call(...args)
      }
    Object.assign(feed.source, { ranges: flaky(ranges), read: flaky(read) })
    const { clock, logged } = feedWith((documents) => got.push(documents), { feed })
    await clock.advance(15_000)
    expect(got).toEqual([[1]])
    expect(logged.filter((line) => line.includes('down'))).toHaveLength(2)
  })
})
