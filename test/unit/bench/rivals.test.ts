import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { classify, isHigh, mannWhitney, QUANTILE_95, QUANTILE_98 } from '../../../bench/rivals/mann-whitney.ts'
import { flagger, kayenta } from '../../../bench/rivals/rules.ts'

const times = (count: number, value: number) => Array.from({ length: count }, () => value)
/** The solver stops within 1e-4. */
const near = (value: number, expected: number) => expect(Math.abs(value - expected)).toBeLessThan(2e-4)

describe('Kayenta’s rule has the check vectors of facts §4a', () => {
  it('of the interval', () => {
    const { low, high, estimate } = mannWhitney([10, 20, 30, 40], [1, 2, 3, 4], QUANTILE_95)
    near(low, 6)
    near(high, 39)
    near(estimate, 22.5)
  })

  it('of the seven of ten that it lets pass, and the eight that it does not', () => {
    const seven = [...times(7, 100), ...times(3, 1)]
    const found = mannWhitney(seven, times(10, 1), QUANTILE_98)
    near(found.low, 0)
    near(found.high, 99)
    near(found.estimate, 98.99993)
    expect(classify(seven, times(10, 1))).toBe('pass')
    const eight = [...times(8, 100), ...times(2, 1)]
    near(mannWhitney(eight, times(10, 1), QUANTILE_98).low, 98.99993)
    expect(classify(eight, times(10, 1))).toBe('high')
  })

  it.each([
    { x: [20, 22, 21, 25, 30], y: [1, 2.2, 1.1, 2.5, 3], expected: 'high' },
    { x: times(5, 10), y: times(5, 1), expected: 'high' },
    { x: [1, 1, 1, 1, 10], y: times(5, 1), expected: 'pass' },
    { x: [0, 1, 1, 1, 1], y: times(5, 1), expected: 'pass' },
    { x: times(5, 1), y: times(5, 10), expected: 'low' },
    { x: times(5, 1), y: times(5, 1), expected: 'pass' },
    { x: [], y: [1], expected: 'nodata' },
  ] as const)('of $x against $y: $expected', ({ x, y, expected }) => {
    expect(classify(x, y)).toBe(expected)
  })

  it('and its faster form says the same', () => {
    const values = fc.array(fc.nat(20), { minLength: 5, maxLength: 12 })
    fc.assert(
      fc.property(values, values, (x, y) => {
        expect(isHigh(x, y)).toBe(classify(x, y) === 'high')
      }),
    )
  })
})

describe('the rules of the rivals', () => {
  const minute = (bad: number, all = 100) => ({
    candidate: { good: all - bad, bad },
    stable: { good: 900, bad: 0 },
  })

  it('Flagger’s adds failed checks up, which nothing takes away', () => {
    const rule = flagger()
    const bad = [2, 0, 2, 2, 1, 2, 0, 2]
    expect(bad.map((count) => rule(minute(count)))).toEqual([false, false, false, false, false, false, false, true])
  })

  it('Flagger’s takes no requests for a failed check', () => {
    const rule = flagger()
    expect(times(5, 0).map(() => rule(minute(0, 0)))).toEqual([false, false, false, false, true])
  })

  it('Kayenta’s waits for five minutes and then sees a version that is always worse', () => {
    const rule = kayenta()
    expect(times(6, 3).map((count, index) => rule(minute(count + (index % 2))))).toEqual([
      false,
      false,
      false,
      false,
      true,
      true,
    ])
  })
})
