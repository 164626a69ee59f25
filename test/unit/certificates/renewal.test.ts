import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isUrgent, renewAt, warningOf } from '../../../src/certificates/renewal.ts'
import { leadMs } from '../../../src/model/expiry.ts'
import { windowProblem, windowState } from '../../../src/ports/window-state.ts'
import { DAY, HOUR, START } from './world.ts'

const lasting = (days: number) => ({
  notBefore: new Date(START).toISOString(),
  notAfter: new Date(START + days * DAY).toISOString(),
})

describe('a certificate is renewed', () => {
  it('a third of its life before its end, or as long before as it says', () => {
    expect(leadMs({}, lasting(90))).toBe(30 * DAY)
    expect(leadMs({ renewBefore: '720h' }, lasting(365))).toBe(30 * DAY)
  })

  it('never in the first third of its life, whatever it says', () => {
    expect(leadMs({ renewBefore: '1000d' }, lasting(90))).toBe(60 * DAY)
  })

  it('earlier by a part of that which its name decides, so that 10,000 do not come at once', () => {
    const times = Array.from({ length: 10_000 }, (_, index) => renewAt(`c${index}`, {}, lasting(90)) - START)
    expect(renewAt('c1', {}, lasting(90))).toBe(renewAt('c1', {}, lasting(90)))
    expect(Math.max(...times)).toBeLessThanOrEqual(60 * DAY)
    expect(Math.min(...times)).toBeGreaterThan(57 * DAY)
    const hours = Map.groupBy(times, (time) => Math.floor(time / HOUR))
    expect(Math.max(...[...hours.values()].map((all) => all.length))).toBeLessThan(250)
  })

  it('without regard to windows in its last seven days, or the last fifth of a short life', () => {
    expect(isUrgent(lasting(90), START + 83 * DAY - 1)).toBe(false)
    expect(isUrgent(lasting(90), START + 83 * DAY)).toBe(true)
    expect(isUrgent(lasting(10), START + 8 * DAY - 1)).toBe(false)
    expect(isUrgent(lasting(10), START + 8 * DAY)).toBe(true)
    expect(isUrgent(undefined, START)).toBe(false)
  })
})

describe('warnings', () => {
  it('are those that lie within the time in which it should have been renewed', () => {
    const passed = (days: number, at: number) => warningOf({}, lasting(days), [], START + at * DAY).passed
    expect(passed(90, 59)).toEqual([])
    expect(passed(90, 60)).toEqual([30])
    expect(passed(90, 89.5)).toEqual([30, 14, 7, 3, 1])
    expect(passed(9, 8.5)).toEqual([3, 1])
    expect(passed(9, 5)).toEqual([])
  })

  it('are new once, and tell the days that are left', () => {
    const first = warningOf({}, lasting(90), [], START + 84 * DAY)
    expect(first).toEqual({ passed: [30, 14, 7], isNew: true, daysLeft: 6, nextAt: START + 87 * DAY })
    expect(warningOf({}, lasting(90), first.passed, START + 84 * DAY).isNew).toBe(false)
    expect(warningOf({}, lasting(90), [30, 14, 7, 3, 1], START + 100 * DAY)).toMatchObject({
      isNew: false,
      daysLeft: 0,
    })
  })
})

describe('a maintenance window', () => {
  const tuesday = { cron: '0 2 * * 2', for: '2h', timeZone: 'Europe/Berlin' }
  const at = (text: string) => windowState([tuesday], Date.parse(text))

  it('opens and closes by the clock of its time zone', () => {
    expect(at('2026-01-06T00:59:59Z')).toEqual({ open: false, opensAt: Date.parse('2026-01-06T01:00:00Z') })
    expect(at('2026-01-06T01:00:00Z')).toEqual({ open: true })
    expect(at('2026-01-06T02:59:59Z')).toEqual({ open: true })
    expect(at('2026-01-06T03:00:00Z')).toEqual({ open: false, opensAt: Date.parse('2026-01-13T01:00:00Z') })
    // In summer two hours ahead of UTC.
    expect(at('2026-07-07T00:00:00Z')).toEqual({ open: true })
    expect(at('2026-07-07T02:00:00Z')).toMatchObject({ open: false })
  })

  it('is found again whenever one asks: what is said to open is open then', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (minutes) => {
        const now = START + minutes * 60_000
        const state = windowState([tuesday, { cron: '30 23 1 * *', for: '1h', timeZone: 'America/New_York' }], now)
        if (state.open) return
        expect(state.opensAt).toBeGreaterThan(now)
        expect(windowState([tuesday], state.opensAt ?? 0).open || (state.opensAt ?? 0) > now).toBe(true)
      }),
    )
  })

  it('is always open when none is named', () => {
    expect(windowState(undefined, START)).toEqual({ open: true })
    expect(windowState([], START)).toEqual({ open: true })
  })

  it.each([
    [{ cron: '0 2 * *' }, 'cron'],
    [{ cron: '0 0 2 * * 2' }, 'cron'],
    [{ cron: '99 * * * *' }, 'cron'],
    [{ cron: '0 2 31 2 *' }, 'cron'],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone'],
  ])('that cannot be read is refused: %j', (change, field) => {
    expect(windowProblem({ ...tuesday, ...change })?.field).toBe(field)
  })

  it('that can be read is not', () => {
    expect(windowProblem(tuesday)).toBeUndefined()
  })
})
