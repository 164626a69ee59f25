import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededChance } from '../../../../src/sandbox/world/chance.ts'

const DRAWS = 20_000

/** Mean and variance of many draws. */
function moments(draw: () => number): { mean: number; variance: number } {
  const values = Array.from({ length: DRAWS }, draw)
  const mean = values.reduce((sum, value) => sum + value, 0) / DRAWS
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / DRAWS }
}

describe('seeded chance', () => {
  it.each([0.2, 3, 30, 200])('draws Poisson numbers with mean and variance %d', (mean) => {
    const chance = seededChance(1)
    const found = moments(() => chance.poisson(mean))
    expect(Math.abs(found.mean - mean)).toBeLessThan(5 * Math.sqrt(mean / DRAWS))
    expect(found.variance / mean).toBeGreaterThan(0.93)
    expect(found.variance / mean).toBeLessThan(1.07)
  })

  it.each([
    [10, 0.02],
    [40, 0.7],
    [1000, 0.01],
    [1000, 0.5],
  ])('draws binomial numbers of %d with probability %d', (count, probability) => {
    const chance = seededChance(2)
    const variance = count * probability * (1 - probability)
    const found = moments(() => chance.binomial(count, probability))
    expect(Math.abs(found.mean - count * probability)).toBeLessThan(5 * Math.sqrt(variance / DRAWS))
    expect(found.variance / variance).toBeGreaterThan(0.93)
    expect(found.variance / variance).toBeLessThan(1.07)
  })

  it('never has more successes than trials, nor fewer than none', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(5000), fc.double({ min: 0, max: 1, noNaN: true }), (seed, count, probability) => {
        const successes = seededChance(seed).binomial(count, probability)
        return Number.isInteger(successes) && successes >= 0 && successes <= count
      }),
    )
  })

  it('repeats itself from the same seed', () => {
    const [one, two] = [seededChance(5), seededChance(5)]
    const draws = (chance: typeof one) => [chance.next(), chance.poisson(4), chance.binomial(9, 0.3), chance.normal()]
    expect(draws(one)).toEqual(draws(two))
  })
})
