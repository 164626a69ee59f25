import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type ComparedStage,
  LARGEST_RATIO,
  likeliestRatio,
  logNotWorseEvidence,
  logWorseEvidence,
  NORMAL,
  ratioInterval,
  type Spread,
} from '../../../src/judge/comparison-test.ts'

const stage = (candidate: number, stable: number, share = 0.1): ComparedStage => ({ share, candidate, stable })
const eValue = (stages: ComparedStage[], spread?: Spread) => Math.exp(logWorseEvidence(stages, spread))

describe('the comparison of two arms (facts §4c M2)', () => {
  it.each([
    { counts: [10, 30], half: 16.69966, full: 8.410292 },
    { counts: [6, 24], half: 2.299125, full: 1.255589 },
    { counts: [3, 27], half: 0.4823318, full: 0.5237292 },
  ])(
    'has the reference evidence of $counts at a share of 10 %',
    ({ counts: [candidate = 0, stable = 0], half, full }) => {
      expect(eValue([stage(candidate, stable)])).toBeCloseTo(half, half > 10 ? 5 : 6)
      expect(eValue([stage(candidate, stable)], NORMAL)).toBeCloseTo(full, 6)
    },
  )

  it('is what the trapezoid rule on 0..8 gives, also over stages with their own shares', () => {
    const stages = [stage(3, 27, 0.05), stage(9, 25, 0.25), stage(30, 24, 0.5)]
    const likelihood = (g: number) =>
      stages.reduce((sum, { share, candidate, stable }) => {
        const p = (share * Math.exp(g)) / (share * Math.exp(g) + 1 - share)
        return sum + candidate * Math.log(p / share) + stable * Math.log((1 - p) / (1 - share))
      }, 0)
    const steps = 80_000
    let sum = 0
    for (let i = 0; i <= steps; i++) {
      const g = (8 * i) / steps
      const weight = i === 0 || i === steps ? 0.5 : 1
      sum += weight * Math.exp(likelihood(g) - (g * g) / 2) * Math.sqrt(2 / Math.PI)
    }
    expect(logWorseEvidence(stages)).toBeCloseTo(Math.log((sum * 8) / steps), 7)
  })

  it('has mean 1 over all outcomes of thirty bad events that take turns at two shares', () => {
    const chance = (n: number, k: number, p: number) => {
      let log = k * Math.log(p) + (n - k) * Math.log1p(-p)
      for (let i = 1; i <= k; i++) log += Math.log((n - k + i) / i)
      return Math.exp(log)
    }
    let [half, full] = [0, 0]
    for (let a = 0; a <= 12; a++) {
      for (let b = 0; b <= 18; b++) {
        const stages = [stage(a, 12 - a, 0.05), stage(b, 18 - b, 0.5)]
        const weight = chance(12, a, 0.05) * chance(18, b, 0.5)
        half += weight * eValue(stages)
        full += weight * eValue(stages, NORMAL)
      }
    }
    expect(half).toBeCloseTo(1, 9)
    expect(full).toBeCloseTo(1, 9)
  })

  it('has mean 1 at its border for safe, and less beyond it', () => {
    const border = (0.1 * 2) / (0.1 * 2 + 0.9)
    const mean = (p: number) =>
      p * Math.exp(logNotWorseEvidence([stage(1, 0)], 2)) + (1 - p) * Math.exp(logNotWorseEvidence([stage(0, 1)], 2))
    expect(mean(border)).toBeCloseTo(1, 12)
    expect(mean(border * 1.5)).toBeLessThan(1)
    expect(mean(0.1)).toBeGreaterThan(1)
  })

  it('rises for harm and falls for safe with every bad event that is the candidate’s', () => {
    const counts = fc.oneof(fc.nat(50), fc.nat(100_000), fc.nat(1_000_000_000))
    fc.assert(
      fc.property(counts, counts, fc.double({ min: 0.001, max: 0.999, noNaN: true }), (candidate, stable, share) => {
        fc.pre(stable > 0)
        const [before, after] = [[stage(candidate, stable, share)], [stage(candidate + 1, stable - 1, share)]]
        const slack = (x: number) => Math.abs(x) * 1e-9 + 1e-5
        const harm = logWorseEvidence(before)
        expect(logWorseEvidence(after)).toBeGreaterThan(harm - slack(harm))
        const safe = logNotWorseEvidence(before, 2)
        expect(logNotWorseEvidence(after, 2)).toBeLessThan(safe + slack(safe))
      }),
      { numRuns: 200 },
    )
  })

  it('says nothing where nothing can be compared', () => {
    for (const stages of [[], [stage(0, 0)], [stage(5, 0, 1)], [stage(5, 5, 0)]]) {
      expect(logWorseEvidence(stages)).toBe(0)
      expect(logNotWorseEvidence(stages, 2)).toBe(0)
      expect(likeliestRatio(stages)).toBeUndefined()
      expect(ratioInterval(stages, 0.01)).toEqual([0, LARGEST_RATIO])
    }
  })

  it('tells one in a thousand more from the same at 1e9 bad events', () => {
    expect(logWorseEvidence([stage(1e8, 9e8)])).toBeLessThan(0)
    expect(logWorseEvidence([stage(1.001e8, 9e8)])).toBeGreaterThan(30)
    expect(logNotWorseEvidence([stage(1e8, 9e8)], 1.01)).toBeGreaterThan(40)
    expect(logWorseEvidence([stage(1e9, 0)])).toBeGreaterThan(1e9)
  })
})

describe('the ratio of the two rates', () => {
  it('is that of the counts for one stage, and in between for several', () => {
    expect(likeliestRatio([stage(10, 30)])).toBeCloseTo(3, 10)
    const both = likeliestRatio([stage(10, 30), stage(10, 30, 0.5)]) ?? Number.NaN
    expect(both).toBeGreaterThan(1 / 3)
    expect(both).toBeLessThan(3)
  })

  it('has an interval whose ends the two-sided test just rejects', () => {
    const [low, high] = ratioInterval([stage(40, 90)], 0.01)
    for (const times of [low, high]) {
      const share = (0.1 * times) / (0.1 * times + 0.9)
      expect(logWorseEvidence([stage(40, 90, share)], NORMAL)).toBeCloseTo(Math.log(100), 1)
    }
    expect(low).toBeGreaterThan(1)
    expect(high).toBeLessThan(10)
  })

  it('has no bound where nothing speaks for one', () => {
    expect(ratioInterval([stage(0, 5)], 0.01)[0]).toBe(0)
    expect(ratioInterval([stage(40, 0)], 0.01)[1]).toBe(LARGEST_RATIO)
  })
})
