import { describe, expect, it } from 'vitest'
import { likeliestLogRatio, logRatioEvidence, logRatioInterval } from '../../../src/judge/ratio-test.ts'

const pValue = (shares: number[], counts: number[], prior?: number) =>
  Math.exp(-logRatioEvidence({ shares, counts }, shares, prior))

describe('the sample-ratio check (facts §4c M1)', () => {
  it.each([
    { shares: [0.8, 0.2], counts: [148, 62], prior: 100, p: 0.045579631759 },
    { shares: [0.1, 0.4, 0.5], counts: [40, 129, 233], prior: 100, p: 0.04845591106 },
    { shares: [0.5, 0.5], counts: [60, 40], prior: 100, p: 0.5174244 },
    { shares: [0.5, 0.5], counts: [100, 60], prior: 100, p: 0.0726653 },
    { shares: [0.1, 0.9], counts: [30, 90], prior: 100, p: 0.0022297 },
    { shares: [0.1, 0.9], counts: [30, 60], prior: 100, p: 0.00007564 },
    { shares: [0.5, 0.5], counts: [10, 1], prior: 2, p: 0.0644531 },
    { shares: [0.5, 0.5], counts: [100, 60], prior: 2, p: 0.0668812 },
  ])('has the reference p-value of $counts against $shares', ({ shares, counts, prior, p }) => {
    expect(pValue(shares, counts, prior)).toBeCloseTo(p, p > 0.04 && p < 0.049 ? 11 : 7)
  })

  it('has the reference interval and likeliest value of the log rate ratio', () => {
    const stages = [{ shares: [0.8, 0.2], counts: [148, 62] }]
    const [low, high] = logRatioInterval(stages, 0.05)
    expect(low).toBeCloseTo(0.00464625, 8)
    expect(high).toBeCloseTo(0.994506, 6)
    expect(likeliestLogRatio(stages)).toBeCloseTo(0.51622, 5)
  })

  it('has mean 1 over all outcomes of forty requests', () => {
    let mean = 0
    for (let count = 0; count <= 40; count++) {
      let log = count * Math.log(0.3) + (40 - count) * Math.log(0.7)
      for (let i = 1; i <= count; i++) log += Math.log((40 - count + i) / i)
      mean += Math.exp(log + logRatioEvidence({ shares: [0.7, 0.3], counts: [40 - count, count] }))
    }
    expect(mean).toBeCloseTo(1, 10)
  })

  it('has an interval without bounds before the first request', () => {
    expect(logRatioInterval([{ shares: [0.9, 0.1], counts: [0, 0] }], 0.01)).toEqual([
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ])
  })

  it('is finite and exact enough at 1e9 requests', () => {
    expect(logRatioEvidence({ shares: [0.9, 0.1], counts: [9e8, 1e8] })).toBeLessThan(0)
    expect(logRatioEvidence({ shares: [0.9, 0.1], counts: [9e8 - 1e5, 1e8 + 1e5] })).toBeGreaterThan(40)
    expect(Number.isFinite(logRatioEvidence({ shares: [0.9, 0.1], counts: [0, 1e9] }))).toBe(true)
  })
})
