import { describe, expect, test } from 'vitest'
import { startTimer, type TimerStore, timerStoreOn } from '../../../../src/sandbox/host/timer-trigger.ts'
import { memoryStorage } from '../../../../src/sandbox/storage.ts'
import { type Call, functionWith, invokerFor } from './fake-invoker.ts'
import { settle, virtualClock } from './virtual-clock.ts'

interface TimerInfo {
  readonly IsPastDue: boolean
  readonly ScheduleStatus: { readonly Last: string; readonly Next: string } | null
}

function timerWith(
  expression: string,
  handler: (info: TimerInfo) => unknown,
  extra: { store?: TimerStore; trigger?: object; clock?: ReturnType<typeof virtualClock> } = {},
) {
  const clock = extra.clock ?? virtualClock()
  const stop = new AbortController()
  const timer = startTimer({
    fn: functionWith({ type: 'timerTrigger', ...extra.trigger }),
    expression,
    invoker: invokerFor(clock, ({ input }: Call) => handler(input as TimerInfo)),
    clock,
    store: extra.store,
    signal: stop.signal,
  })
  const stopNow = async (): Promise<void> => {
    stop.abort()
    await timer.stopped
  }
  return { clock, timer, stop: stopNow }
}

describe('a timer', () => {
  test('runs at each time and stops when told', async () => {
    const at: number[] = []
    const { clock, stop } = timerWith('0 * * * * *', () => at.push(clock.now()))
    await clock.advance(185_000)
    await stop()
    await clock.advance(300_000)
    expect(at.map((ms) => ms - Date.UTC(2026, 0, 1))).toEqual([60_000, 120_000, 180_000])
  })

  test('goes on after a handler that throws', async () => {
    let runs = 0
    const { clock } = timerWith('0 * * * * *', () => {
      runs += 1
      throw new Error('no')
    })
    await clock.advance(180_000)
    expect(runs).toBe(3)
  })

  test('never overlaps, and a long run is followed by one run for all that passed meanwhile', async () => {
    let running = 0
    let most = 0
    const startedAt: number[] = []
    const { clock } = timerWith('*/10 * * * * *', async () => {
      startedAt.push((clock.now() - Date.UTC(2026, 0, 1)) / 1000)
      running += 1
      most = Math.max(most, running)
      if (startedAt.length === 1) await clock.sleep(35_000)
      running -= 1
    })
    await clock.advance(65_000)
    expect(most).toBe(1)
    expect(startedAt).toEqual([10, 45, 50, 60])
  })

  test('makes up for missed runs once, marked as past due, after a restart', async () => {
    const store = timerStoreOn(memoryStorage().table('timers'))
    const infos: TimerInfo[] = []
    const first = timerWith('0 */5 * * * *', (info) => infos.push(info), { store })
    await first.clock.advance(300_000)
    await first.stop()
    await first.clock.advance(3_600_000)
    const second = timerWith('0 */5 * * * *', (info) => infos.push(info), { store, clock: first.clock })
    await second.clock.advance(1000)
    expect(infos.map((info) => info.IsPastDue)).toEqual([false, true])
    expect(infos[1]?.ScheduleStatus?.Next).toBe('2026-01-01T00:10:00.000+00:00')
    await second.clock.advance(300_000)
    expect(infos).toHaveLength(3)
    await second.stop()
  })

  test('a schedule that was changed meanwhile is not past due', async () => {
    const store = timerStoreOn(memoryStorage().table('timers'))
    const first = timerWith('0 */5 * * * *', () => {}, { store })
    await first.clock.advance(1000)
    await first.stop()
    await first.clock.advance(3_600_000)
    const infos: TimerInfo[] = []
    const second = timerWith('0 0 12 * * *', (info) => infos.push(info), { store, clock: first.clock })
    await second.clock.advance(1000)
    expect(infos).toEqual([])
    await second.stop()
  })

  test('keeps no record of schedules that come more often than once a minute', async () => {
    const store = timerStoreOn(memoryStorage().table('timers'))
    const infos: TimerInfo[] = []
    const { clock, stop } = timerWith('*/10 * * * * *', (info) => infos.push(info), { store })
    await clock.advance(10_000)
    await stop()
    expect(infos[0]?.ScheduleStatus).toBeNull()
    expect(store.get('fn')).toBeUndefined()
  })

  test('runs at the start when registered so', async () => {
    let runs = 0
    const { clock } = timerWith('0 0 0 1 1 *', () => (runs += 1), { trigger: { runOnStartup: true } })
    await clock.advance(0)
    expect(runs).toBe(1)
  })

  test('a run on demand waits for the run under way', async () => {
    const order: string[] = []
    const { clock, timer } = timerWith('0 * * * * *', async () => {
      order.push('begin')
      await clock.sleep(5000)
      order.push('end')
    })
    await clock.advance(60_000)
    const outcome = timer.runNow()
    await settle()
    expect(order).toEqual(['begin'])
    await clock.advance(20_000)
    expect((await outcome).succeeded).toBe(true)
    expect(order).toEqual(['begin', 'end', 'begin', 'end'])
  })
})
