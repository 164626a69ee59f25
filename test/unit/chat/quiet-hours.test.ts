import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quietUntil } from '../../../src/chat/quiet-hours.ts'

const MINUTE = 60_000
const BERLIN = { from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' }

function until(hours: Parameters<typeof quietUntil>[0], at: string): string | undefined {
  const end = quietUntil(hours, Date.parse(at))
  return end === undefined ? undefined : new Date(end).toISOString().slice(0, 16)
}

describe('quiet hours', () => {
  it('go over midnight, by the clock of their zone', () => {
    expect(until(BERLIN, '2026-01-10T20:59:59Z')).toBeUndefined()
    expect(until(BERLIN, '2026-01-10T21:00:00Z')).toBe('2026-01-11T05:00')
    expect(until(BERLIN, '2026-01-11T04:59:59Z')).toBe('2026-01-11T05:00')
    expect(until(BERLIN, '2026-01-11T05:00:00Z')).toBeUndefined()
    expect(until({ from: '12:00', to: '13:00', timeZone: 'UTC' }, '2026-01-11T12:30:30Z')).toBe('2026-01-11T13:00')
  })

  it('end by the clock on the wall when clocks are changed', () => {
    // The night of 29 March 2026 has no 02:00 to 03:00 in Berlin; that of 25 October 2026 has it twice.
    expect(until(BERLIN, '2026-03-28T22:00:00Z')).toBe('2026-03-29T04:00')
    expect(until(BERLIN, '2026-10-24T21:00:00Z')).toBe('2026-10-25T05:00')
    const short = { from: '01:00', to: '02:30', timeZone: 'Europe/Berlin' }
    expect(until(short, '2026-03-29T00:30:00Z')).toBe('2026-03-29T01:00')
    expect(until(short, '2026-10-25T00:00:00Z')).toBe('2026-10-25T00:30')
  })

  it('are never when they begin and end at once; an unknown zone is UTC', () => {
    expect(until({ ...BERLIN, to: '22:00' }, '2026-01-10T22:30:00Z')).toBeUndefined()
    expect(until({ ...BERLIN, timeZone: 'Mars/Olympus' }, '2026-01-10T21:30:00Z')).toBeUndefined()
    expect(until({ ...BERLIN, timeZone: 'Mars/Olympus' }, '2026-01-10T22:30:00Z')).toBe('2026-01-11T06:00')
  })

  it('end within a day and an hour, at the first minute outside, in every zone and on every day', () => {
    const time = fc.integer({ min: 0, max: 1439 }).map((minutes) => {
      return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
    })
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu')
    const day = fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-01-01') })
    fc.assert(
      fc.property(time, time, zone, day, (from, to, timeZone, now) => {
        const end = quietUntil({ from, to, timeZone }, now)
        if (end === undefined) return
        expect(quietUntil({ from, to, timeZone }, end)).toBeUndefined()
        expect(end).toBeGreaterThan(now)
        expect(end - now).toBeLessThanOrEqual(25 * 60 * MINUTE)
        const before = Math.max(now, end - MINUTE)
        expect(quietUntil({ from, to, timeZone }, before)).toBe(end)
      }),
      { numRuns: 60 },
    )
  })
})
