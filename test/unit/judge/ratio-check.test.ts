import { describe, expect, it } from 'vitest'
import { checkRatio } from '../../../src/judge/ratio-check.ts'

const counts = (candidate: number, stable: number) => ({
  candidate: { good: candidate, bad: 0 },
  stable: { good: stable, bad: 0 },
})

describe('the share that the weight asks', () => {
  it('has no evidence against it while it is near', () => {
    expect(checkRatio(counts(100, 900), 0.1)).toEqual({ asked: 0.1, got: 0.1, log: 0 })
    for (const got of [84, 119]) expect(checkRatio(counts(got * 1e5, (1000 - got) * 1e5), 0.1).log).toBe(0)
  })

  it.each([0.05, 0.2])('is found off at %d where 0.1 is asked', (got) => {
    expect(checkRatio(counts(1000 * got, 1000 * (1 - got)), 0.1).log).toBeGreaterThan(Math.log(100))
  })

  it('is not found off by few requests', () => {
    expect(checkRatio(counts(3, 7), 0.1).log).toBeLessThan(Math.log(100))
    expect(checkRatio(counts(0, 10), 0.1).log).toBeLessThan(Math.log(100))
    expect(checkRatio(counts(0, 0), 0.1).log).toBeLessThan(0.1)
  })
})
