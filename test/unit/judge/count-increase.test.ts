import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CounterSeries, countIncrease, withTargets } from '../../../src/judge/count-increase.ts'

const labels = { pod: 'web-1' }
const window = { fromMs: 100, toMs: 200 }

function increaseOf(samples: CounterSeries['samples'], more: Partial<CounterSeries> = {}) {
  const result = countIncrease([{ labels, samples, ...more }], window)
  return { ...result, increase: result.series[0]?.increase }
}

describe('the increase of a counter in a window', () => {
  it('is the last value less the last before the window', () => {
    const result = increaseOf([
      [80, 3],
      [95, 5],
      [110, 9],
      [190, 20],
    ])
    expect(result).toMatchObject({ increase: 15, lastSampleMs: 190, complete: true })
  })

  it('has its begin outside and its end inside', () => {
    expect(
      increaseOf([
        [100, 5],
        [200, 8],
      ]).increase,
    ).toBe(3)
    expect(
      increaseOf([
        [99, 5],
        [100, 7],
        [201, 8],
      ]).increase,
    ).toBe(0)
  })

  it('counts from zero after the value dropped', () => {
    expect(
      increaseOf([
        [90, 50],
        [120, 60],
        [150, 4],
        [180, 10],
      ]).increase,
    ).toBe(20)
  })

  it('bridges scrapes that failed', () => {
    expect(
      increaseOf([
        [10, 50],
        [199, 60],
      ]),
    ).toMatchObject({ increase: 10, complete: true })
  })

  it('takes samples in any order, and the highest of those with one time', () => {
    const result = increaseOf([
      [190, 20],
      [110, 9],
      [95, 5],
      [110, 7],
      [190, 20],
      [150, 9],
    ])
    expect(result.increase).toBe(15)
  })

  it('leaves out NaN, infinite and negative samples and says so', () => {
    const result = increaseOf([
      [95, 5],
      [110, Number.NaN],
      [120, Number.POSITIVE_INFINITY],
      [130, -1],
      [150, 9],
    ])
    expect(result).toMatchObject({ increase: 4, unreadable: 3, complete: false, lastSampleMs: 150 })
  })

  it('does not mind a NaN from before the window', () => {
    expect(
      increaseOf([
        [90, 5],
        [95, Number.NaN],
        [150, 9],
      ]),
    ).toMatchObject({ increase: 4, complete: true })
  })

  it('does not count what a series held when it was first seen on a target not known before', () => {
    const result = increaseOf([
      [150, 1_000_000],
      [180, 1_000_004],
    ])
    expect(result).toMatchObject({ increase: 4, withoutBase: 1, complete: false })
    const asNew = increaseOf(
      [
        [150, 1_000_000],
        [180, 1_000_004],
      ],
      { targetSinceMs: 150 },
    )
    expect(asNew.increase).toBe(4)
  })

  it('counts a new series from zero when its target was read before without it', () => {
    const result = increaseOf(
      [
        [150, 7],
        [180, 11],
      ],
      { targetSinceMs: 95 },
    )
    expect(result).toMatchObject({ increase: 11, withoutBase: 0, complete: true })
  })

  it('has no last sample when there is none', () => {
    expect(countIncrease([], window)).toMatchObject({ series: [], lastSampleMs: undefined, complete: true })
    expect(increaseOf([])).toMatchObject({ increase: 0, lastSampleMs: undefined })
    expect(increaseOf([[150, Number.NaN]])).toMatchObject({ increase: 0, lastSampleMs: undefined, unreadable: 1 })
    expect(increaseOf([[250, 3]])).toMatchObject({ increase: 0, lastSampleMs: undefined, withoutBase: 0 })
  })
})

describe('windows that follow one another', () => {
  /** A process that counts, restarts, and is scraped at some ticks only; perhaps known before its first sample. */
  const history = fc
    .record({
      ticks: fc.array(fc.record({ rise: fc.nat(50), restart: fc.boolean(), scraped: fc.boolean() }), { maxLength: 60 }),
      knownBefore: fc.boolean(),
      start: fc.nat(30),
    })
    .map(({ ticks, knownBefore, start }): CounterSeries => {
      let value = 0
      const samples: [number, number][] = []
      for (const [index, tick] of ticks.entries()) {
        value = (tick.restart ? 0 : value) + tick.rise
        if (tick.scraped) samples.push([start + index, value])
      }
      return { labels, samples, targetSinceMs: knownBefore ? start - 1 : undefined }
    })

  it('add up exactly to the long one, with restarts and missed scrapes', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: -5, max: 100 }), { minLength: 2, maxLength: 12 })
    fc.assert(
      fc.property(fc.array(history, { maxLength: 4 }), cuts, (series, unsorted) => {
        const edges = unsorted.toSorted((a, b) => a - b)
        const sum = (fromMs: number, toMs: number) =>
          countIncrease(series, { fromMs, toMs }).series.reduce((all, { increase }) => all + increase, 0)
        let parts = 0
        for (const [index, toMs] of edges.entries()) if (index > 0) parts += sum(edges[index - 1] ?? 0, toMs)
        expect(parts).toBe(sum(edges[0] ?? 0, edges.at(-1) ?? 0))
      }),
      { numRuns: 1000 },
    )
  })

  it('miss nothing of a known target that is read often enough to see each restart at zero', () => {
    const rises = fc.array(fc.record({ rise: fc.nat(50), restarts: fc.boolean() }), { maxLength: 40 })
    fc.assert(
      fc.property(rises, (ticks) => {
        let value = 0
        const samples: [number, number][] = []
        for (const [index, { rise, restarts }] of ticks.entries()) {
          if (restarts) samples.push([10 * index, 0])
          value = (restarts ? 0 : value) + rise
          samples.push([10 * index + 5, value])
        }
        const { series } = countIncrease([{ labels, samples, targetSinceMs: -20 }], { fromMs: -10, toMs: 1000 })
        expect(series[0]?.increase).toBe(ticks.reduce((sum, { rise }) => sum + rise, 0))
      }),
    )
  })
})

describe('since when a target is known', () => {
  const ok: CounterSeries = {
    labels: { pod: 'a', code: '200' },
    samples: [
      [90, 4],
      [150, 5],
    ],
  }
  const failed: CounterSeries = { labels: { pod: 'a', code: '500' }, samples: [[150, 3]] }
  const other: CounterSeries = { labels: { pod: 'b', code: '500' }, samples: [[150, 3]] }

  it('is told by its other series', () => {
    const series = withTargets([ok, failed, other], ['pod'])
    expect(series.map((one) => one.targetSinceMs)).toEqual([90, 90, 150])
    const { series: increases, withoutBase } = countIncrease(series, window)
    expect(increases.map((one) => one.increase)).toEqual([1, 3, 0])
    expect(withoutBase).toBe(1)
  })

  it('is told by scrapes that succeeded, not by those that failed', () => {
    const up = (value: number): CounterSeries => ({
      labels: { pod: 'b' },
      samples: [
        [95, value],
        [150, 1],
      ],
    })
    expect(withTargets([other], ['pod'], [up(1)])[0]?.targetSinceMs).toBe(95)
    expect(withTargets([other], ['pod'], [up(0)])[0]?.targetSinceMs).toBe(150)
  })

  it('is not told by a series that holds no number', () => {
    const broken: CounterSeries = { labels: { pod: 'b' }, samples: [[90, Number.NaN]] }
    expect(withTargets([other, broken], ['pod'])[0]?.targetSinceMs).toBe(150)
  })
})
