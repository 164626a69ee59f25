import { describe, expect, it } from 'vitest'
import { spentAt, splitAlpha, testWeights } from '../../../src/judge/spend-alpha.ts'

describe('the alpha of a rollout', () => {
  it('is one gate’s alone on one cluster', () => {
    expect(splitAlpha(0.01, 1, 1)).toEqual({ cluster: 0.01 })
  })

  it.each([
    [1, 2],
    [3, 1],
    [2, 40],
  ])('is spent once over %d gates, %d clusters and all clusters together', (gates, clusters) => {
    const { cluster, all = 0 } = splitAlpha(0.01, gates, clusters)
    expect(gates * (clusters * cluster + all)).toBeCloseTo(0.01, 15)
    expect(all > 0).toBe(clusters > 1)
  })

  it('is not spent by a rollout without gates', () => {
    expect(splitAlpha(0.01, 0, 2).cluster).toBeGreaterThan(0)
  })
})

describe('the weights of the tests', () => {
  it.each([1, 2, 4, 51])('of %d parts sum up to 1, compared or not', (parts) => {
    for (const isCompared of [true, false]) {
      const weights = testWeights(parts, isCompared)
      expect(weights).toHaveLength(parts)
      expect(weights.reduce((sum, { limit, comparison }) => sum + limit + comparison, 0)).toBeCloseTo(1, 12)
      expect(weights.every(({ comparison }) => comparison > 0) && !isCompared).toBe(false)
    }
  })

  it('leave only the limit after the steps, where nothing is left to compare with', () => {
    expect(testWeights(4, true).at(-1)).toMatchObject({ part: 3, comparison: 0 })
    expect(testWeights(4, false).every(({ comparison }) => comparison === 0)).toBe(true)
  })

  it('tell how much is at stake so far', () => {
    const weights = testWeights(3, true)
    expect(spentAt(0.01, weights, 0)).toBeCloseTo(0.0065, 12)
    expect(spentAt(0.01, weights, 1)).toBeCloseTo(0.00825, 12)
    expect(spentAt(0.01, weights, 2)).toBeCloseTo(0.01, 12)
  })
})
