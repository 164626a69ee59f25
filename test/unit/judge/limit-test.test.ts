import betainc from '@stdlib/math-base-special-betainc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  INTERVAL_PRIOR_EVENTS,
  logHarmEvidence,
  logSafeEvidence,
  logTwoSidedEvidence,
  mixtureRho,
  shareInterval,
  testPriorEvents,
  tunedPriorEvents,
} from '../../../src/judge/limit-test.ts'
import { logBeta, logBetaTail } from '../../../src/judge/log-beta.ts'

/** Counts whose sum of deviations is `s` after n events at g = p0, as the paper writes them. */
function deviating(s: number, events: number, p0: number) {
  return { bad: events * p0 + s, good: events * (1 - p0) - s }
}

describe('the published numbers of the beta-binomial mixture (g = .2, v = v_opt = 100, alpha .05: 625 events)', () => {
  const twoSided = tunedPriorEvents(625, 0.05)
  const oneSided = tunedPriorEvents(625, 0.1)

  it('has the paper’s rho', () => {
    expect(mixtureRho(100, 0.05)).toBeCloseTo(12.60056, 5)
  })

  it('has the paper’s evidence at s = 10', () => {
    expect(logTwoSidedEvidence(deviating(10, 625, 0.2), 0.2, twoSided)).toBeCloseTo(-0.6941012, 7)
    expect(logHarmEvidence(deviating(10, 625, 0.2), 0.2, oneSided)).toBeCloseTo(-0.07134019, 8)
  })

  it('reaches 1/alpha at the paper’s bounds', () => {
    expect(logTwoSidedEvidence(deviating(31.4308, 625, 0.2), 0.2, twoSided)).toBeCloseTo(Math.log(20), 5)
    expect(logHarmEvidence(deviating(28.41238, 625, 0.2), 0.2, oneSided)).toBeCloseTo(Math.log(20), 5)
  })

  it.each([
    { bad: 700, events: 1000, tuned: 100, expected: [0.651629, 0.745949] },
    { bad: 15, events: 50, tuned: 50, expected: [0.129556, 0.511896] },
    { bad: 5, events: 50, tuned: 50, expected: [0.013021, 0.269264] },
    { bad: 1, events: 50, tuned: 50, expected: [0, 0.13489] },
    { bad: 100, events: 200, tuned: 1, expected: [0.328923, 0.671076] },
  ])('has the published interval of $bad of $events', ({ bad, events, tuned, expected }) => {
    const interval = shareInterval({ bad, good: events - bad }, 0.05, tunedPriorEvents(tuned, 0.05))
    // The reference code stops its search within about 1e-5.
    expect(Math.abs(interval[0] - (expected[0] ?? Number.NaN))).toBeLessThan(2e-6)
    expect(Math.abs(interval[1] - (expected[1] ?? Number.NaN))).toBeLessThan(2e-6)
  })
})

describe('the incomplete beta function without its large factors', () => {
  it('agrees with the regularised one where that does not underflow', () => {
    const wide = fc.double({ min: 0.5, max: 2000, noNaN: true })
    const share = fc.double({ min: 0.001, max: 0.999, noNaN: true })
    fc.assert(
      fc.property(wide, wide, share, (a, b, x) => {
        const known = betainc(x, a, b)
        fc.pre(known > 1e-250 && known < 1 - 1e-6)
        const mine = logBetaTail(a, b, x, 1 - x) + a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b)
        expect(Math.abs(mine - Math.log(known))).toBeLessThan(1e-9)
      }),
      { numRuns: 500 },
    )
  })

  it('is exact for the uniform prior: x / (x (1 - x)) = 1 / (1 - x)', () => {
    for (const x of [1e-9, 0.001, 0.4, 0.6, 0.999]) {
      expect(logBetaTail(1, 1, x, 1 - x)).toBeCloseTo(-Math.log1p(-x), 12)
    }
  })
})

describe('the evidence against a limit', () => {
  const limits = fc.oneof(
    fc.constantFrom(0.0001, 0.001, 0.01, 0.05, 0.5),
    fc.double({ min: 0.00001, max: 0.999, noNaN: true }),
  )
  const anyCounts = fc
    .tuple(fc.oneof(fc.nat(100), fc.nat(100_000), fc.nat(1_000_000_000)), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([events, share]) => ({ events, bad: Math.round(events * share * share * share) }))

  it('is finite for any counts up to 1e9 and any limit', () => {
    fc.assert(
      fc.property(anyCounts, limits, ({ events, bad }, limit) => {
        const counts = { bad, good: events - bad }
        expect(Number.isFinite(logHarmEvidence(counts, limit))).toBe(true)
        expect(Number.isFinite(logSafeEvidence(counts, limit))).toBe(true)
        const [low, high] = shareInterval(counts, 0.01)
        expect(low).toBeGreaterThanOrEqual(0)
        expect(high).toBeLessThanOrEqual(1)
        if (events > 0) {
          expect(low).toBeLessThanOrEqual(bad / events)
          expect(high).toBeGreaterThanOrEqual(bad / events)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('rises for harm and falls for safe with every good event that turns bad', () => {
    fc.assert(
      fc.property(anyCounts, limits, ({ events, bad }, limit) => {
        fc.pre(bad < events)
        const before = { bad, good: events - bad }
        const after = { bad: bad + 1, good: events - bad - 1 }
        const slack = (x: number) => Math.abs(x) * 1e-12 + 1e-6
        const harm = logHarmEvidence(before, limit)
        expect(logHarmEvidence(after, limit)).toBeGreaterThan(harm - slack(harm))
        const safe = logSafeEvidence(before, limit)
        expect(logSafeEvidence(after, limit)).toBeLessThan(safe + slack(safe))
      }),
      { numRuns: 500 },
    )
  })

  it('is a mirror: harm for bad is safe for good', () => {
    expect(logHarmEvidence({ bad: 7, good: 93 }, 0.25)).toBe(logSafeEvidence({ bad: 93, good: 7 }, 0.75))
  })

  it('is 1 before the first event', () => {
    expect(logHarmEvidence({ bad: 0, good: 0 }, 0.01)).toBe(0)
    expect(logSafeEvidence({ bad: 0, good: 0 }, 0.01)).toBe(0)
  })

  it('has mean 1 after one event at the limit, and less for harm below it', () => {
    for (const limit of [0.0001, 0.01, 0.5, 0.9]) {
      const mean = (of: typeof logHarmEvidence, share: number) =>
        share * Math.exp(of({ bad: 1, good: 0 }, limit)) + (1 - share) * Math.exp(of({ bad: 0, good: 1 }, limit))
      expect(mean(logHarmEvidence, limit)).toBeCloseTo(1, 12)
      expect(mean(logSafeEvidence, limit)).toBeCloseTo(1, 12)
      expect(mean(logHarmEvidence, limit / 2)).toBeLessThan(1)
      expect(mean(logSafeEvidence, (1 + limit) / 2)).toBeLessThan(1)
    }
  })

  it('has mean 1 over all outcomes of forty events at the limit', () => {
    const events = 40
    const limit = 0.03
    let mean = 0
    for (let bad = 0; bad <= events; bad++) {
      const counts = { bad, good: events - bad }
      const logChoose = -Math.log(events + 1) - logBeta(bad + 1, counts.good + 1)
      const chance = Math.exp(logChoose + bad * Math.log(limit) + counts.good * Math.log1p(-limit))
      mean += chance * Math.exp(logHarmEvidence(counts, limit))
    }
    expect(mean).toBeCloseTo(1, 9)
  })

  it('tells 1.05 in ten thousand from a limit of one at 1e8 events, and is silent at the limit itself', () => {
    const events = 1e8
    expect(logHarmEvidence({ bad: 10_500, good: events - 10_500 }, 0.0001)).toBeGreaterThan(Math.log(100))
    expect(logSafeEvidence({ bad: 9_500, good: events - 9_500 }, 0.0001)).toBeGreaterThan(Math.log(100))
    expect(logHarmEvidence({ bad: 10_000, good: events - 10_000 }, 0.0001)).toBeLessThan(0)
    expect(logSafeEvidence({ bad: 10_000, good: events - 10_000 }, 0.0001)).toBeLessThan(0)
  })

  it('uses a prior worth one event of the rarer kind', () => {
    expect(testPriorEvents(0.01)).toBeCloseTo(100)
    expect(testPriorEvents(0.99)).toBeCloseTo(100)
    expect(testPriorEvents(0.5)).toBe(2)
  })
})

describe('the interval of a share', () => {
  it('says nothing before the first event', () => {
    expect(shareInterval({ bad: 0, good: 0 }, 0.01)).toEqual([0, 1])
  })

  it('starts at 0 when nothing failed and ends at 1 when all did', () => {
    expect(shareInterval({ bad: 0, good: 300 }, 0.01)[0]).toBe(0)
    expect(shareInterval({ bad: 300, good: 0 }, 0.01)[1]).toBe(1)
    expect(shareInterval({ bad: 0, good: 300 }, 0.01)[1]).toBeLessThan(0.05)
  })

  it('ends where the two-sided evidence is 1/alpha', () => {
    const counts = { bad: 12, good: 228 }
    for (const end of shareInterval(counts, 0.01)) {
      expect(logTwoSidedEvidence(counts, end, INTERVAL_PRIOR_EVENTS)).toBeCloseTo(Math.log(100), 6)
    }
  })
})
