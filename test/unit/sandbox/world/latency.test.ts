import { describe, expect, it } from 'vitest'
import { seededChance } from '../../../../src/sandbox/world/chance.ts'
import { BUCKET_EDGES_MS, bucketOf, latencyModel } from '../../../../src/sandbox/world/latency.ts'

/** Unconditional shares of the buckets. */
function shares(model: ReturnType<typeof latencyModel>): Map<number, number> {
  let left = 1
  return new Map(
    model.buckets.map(({ index, conditional }) => {
      const share = left * conditional
      left -= share
      return [index, share] as const
    }),
  )
}

describe('the latency model', () => {
  it('puts half below the median and one in a hundred above the 99th per cent', () => {
    const found = shares(latencyModel(100, 1000))
    const upTo = (edge: number) =>
      [...found].filter(([index]) => index <= bucketOf(edge)).reduce((sum, [, share]) => sum + share, 0)
    expect(upTo(100)).toBeCloseTo(0.5, 6)
    expect(upTo(1000)).toBeCloseTo(0.99, 6)
    expect([...found.values()].reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12)
  })

  it('keeps the mean of each bucket between its edges, and the mean of all at the lognormal', () => {
    const model = latencyModel(80, 900)
    for (const { index, meanMs } of model.buckets) {
      expect(meanMs).toBeGreaterThanOrEqual(BUCKET_EDGES_MS[index - 1] ?? 0)
      expect(meanMs).toBeLessThanOrEqual(BUCKET_EDGES_MS[index] ?? Number.POSITIVE_INFINITY)
    }
    const found = shares(model)
    const mean = model.buckets.reduce((sum, { index, meanMs }) => sum + (found.get(index) ?? 0) * meanMs, 0)
    const sigma = Math.log(900 / 80) / 2.326347874
    expect(mean / (80 * Math.exp(sigma ** 2 / 2))).toBeCloseTo(1, 4)
  })

  it('samples what the buckets promise', () => {
    const model = latencyModel(20, 80)
    const chance = seededChance(3)
    const counts = new Map<number, number>()
    for (let n = 0; n < 20_000; n += 1) {
      const bucket = bucketOf(model.sample(chance))
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
    }
    for (const [index, share] of shares(model)) expect((counts.get(index) ?? 0) / 20_000).toBeCloseTo(share, 1.5)
  })

  it('takes the median for all when there is no tail', () => {
    const model = latencyModel(300, 300)
    expect(model.buckets).toEqual([{ index: bucketOf(300), conditional: 1, meanMs: 300 }])
    expect(model.sample(seededChance(1))).toBeCloseTo(300)
    expect(bucketOf(500)).toBe(bucketOf(300))
    expect(bucketOf(1e9)).toBe(BUCKET_EDGES_MS.length)
  })
})
