import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSchedule } from '../../../../src/sandbox/host/schedule.ts'

function nextOf(expression: string, after: string, count = 1): string[] {
  const schedule = parseSchedule(expression)
  const times: string[] = []
  for (let atMs = Date.parse(after); times.length < count; times.push(new Date(atMs).toISOString()))
    atMs = schedule.next(atMs)
  return times
}

describe('a schedule', () => {
  test.each([
    ['every 30 seconds', '*/30 * * * * *', '2026-01-01T00:00:10Z', '2026-01-01T00:00:30.000Z'],
    ['not the time itself but the next', '0 * * * * *', '2026-01-01T00:01:00Z', '2026-01-01T00:02:00.000Z'],
    ['milliseconds count', '0 * * * * *', '2026-01-01T00:00:59.999Z', '2026-01-01T00:01:00.000Z'],
    ['five fields begin with the minute', '5 * * * *', '2026-01-01T00:06:00Z', '2026-01-01T01:05:00.000Z'],
    ['a number with a step runs to the end', '0 5/20 * * * *', '2026-01-01T00:25:00Z', '2026-01-01T00:45:00.000Z'],
    ['a range with a step', '0 0 9-17/4 * * *', '2026-01-01T09:00:00Z', '2026-01-01T13:00:00.000Z'],
    ['a list', '0 0 3,4 * * *', '2026-01-01T03:00:00Z', '2026-01-01T04:00:00.000Z'],
    ['names of months and days', '0 0 0 * MAR Monday', '2026-01-01T00:00:00Z', '2026-03-02T00:00:00.000Z'],
    ['day of month and day of week both', '0 0 0 13 * FRI', '2026-01-01T00:00:00Z', '2026-02-13T00:00:00.000Z'],
    ['Sunday is 0', '0 0 0 * * 0', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00.000Z'],
    ['the 29th of February waits for a leap year', '0 0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['a time span counts from the run before', '01:30:00', '2026-01-01T00:10:00Z', '2026-01-01T01:40:00.000Z'],
  ])('%s', (_reason, expression, after, next) => {
    expect(nextOf(expression, after)).toEqual([next])
  })

  test('names the next four runs in order', () => {
    expect(nextOf('*/20 * * * * *', '2026-01-01T00:00:00Z', 4).map((time) => time.slice(14, 19))).toEqual([
      '00:20',
      '00:40',
      '01:00',
      '01:20',
    ])
  })

  test.each([
    '',
    'every minute',
    '* * * *',
    '60 * * * * *',
    '* * * * * 7',
    '* * * L * *',
    '* * * 15W * *',
    '* * * * * FRI#2',
    '* * * ? * *',
    '@daily',
    '*/0 * * * * *',
    '10-5 * * * * *',
    '0 0 0 30 2 * extra',
    '00:00:00',
    '24:00:00',
  ])('refuses "%s"', (expression) => {
    expect(() => parseSchedule(expression)).toThrow()
  })

  test.each([
    ['*/30 * * * * *', true],
    ['0 * * * * *', false],
    ['0 */5 * * * *', false],
    ['00:00:30', true],
    ['00:01:00', false],
  ])('"%s" comes more than once a minute: %s', (expression, frequent) => {
    expect(parseSchedule(expression).frequent).toBe(frequent)
  })

  test('the next time is always later and on the second asked for', () => {
    const seconds = fc.integer({ min: 0, max: 59 })
    fc.assert(
      fc.property(seconds, fc.integer({ min: 0, max: 4e12 }), (second, afterMs) => {
        const nextMs = parseSchedule(`${second} * * * * *`).next(afterMs)
        expect(nextMs).toBeGreaterThan(afterMs)
        expect(nextMs - afterMs).toBeLessThanOrEqual(60_000)
        expect(new Date(nextMs).getUTCSeconds()).toBe(second)
      }),
    )
  })
})
