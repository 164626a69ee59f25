import { describe, expect, it } from 'vitest'
import { logWorseEvidence } from '../../../src/judge/comparison-test.ts'
import { addWindow, NO_EVIDENCE, shareOf, sumOf } from '../../../src/judge/evidence.ts'
import { lookForHarm } from '../../../src/judge/judge-gate.ts'
import { drawMinute, seeded, type Traffic } from './draw-traffic.ts'

const ALPHA = 0.01
const LOOKS = 30

/** Runs of thirty looks a minute apart, by the errors gate as it is shipped: at which look each was stopped, or undefined. */
function stops(traffic: Traffic, runs: number): (number | undefined)[] {
  const random = seeded(20_261)
  return Array.from({ length: runs }, () => {
    let evidence = NO_EVIDENCE
    let maxE = 0
    for (let look = 1; look <= LOOKS; look++) {
      evidence = addWindow(evidence, { part: 0, spanMs: 60_000, ...drawMinute(random, traffic, look) })
      const asked = { alpha: ALPHA, alphaOfRollout: ALPHA, limitPercent: 1, gMax: 2, minEvents: 50, badMeans: 'failed' }
      maxE = lookForHarm({ evidence: [evidence], parts: 4, previousMaxE: maxE, ...asked }).maxE
      if (maxE >= 1 / ALPHA) return look
    }
    return undefined
  })
}

const falseAlarms = (found: readonly (number | undefined)[]) => found.filter((look) => look !== undefined).length
const median = (found: readonly (number | undefined)[]) =>
  found.map((look) => look ?? 99).toSorted((a, b) => a - b)[Math.floor(found.length / 2)] ?? 99

/** More would come by chance in less than one of a thousand sets of runs, were the true share alpha. */
const mostOf = (runs: number) => ALPHA * runs + 3.1 * Math.sqrt(ALPHA * runs)

describe('a candidate as good as stable is rolled back in at most alpha of the rollouts', () => {
  const RUNS = 120
  const same = (perMinute: number, bad: number, change: Partial<Traffic> = {}): Traffic => {
    return { perMinute, share: 0.1, stable: bad, candidate: bad, ...change }
  }

  it.each([
    ['when errors come alone', same(600, 0.002)],
    ['when both are above the limit', same(600, 0.012)],
    ['when errors come in bursts, at 600 requests a minute', same(600, 0.005, { dispersion: 5 })],
    ['when errors come in bursts, at 6,000', same(6000, 0.005, { dispersion: 5 })],
    ['when bursts reach above the limit', same(6000, 0.012, { dispersion: 5 })],
    ['in a minute of outage of both', same(600, 0.002, { outage: { minute: 10, bad: 0.3 } })],
    ['when it gets twice the share that is asked', same(600, 0.002, { share: 0.2 })],
  ])('%s', (_, traffic) => {
    expect(falseAlarms(stops(traffic, RUNS))).toBeLessThan(mostOf(RUNS))
  })

  it('which no test is that takes bursts for single errors (what the correction is for)', () => {
    const random = seeded(4)
    const bursty = same(6000, 0.005, { dispersion: 5 })
    const alarms = Array.from({ length: RUNS }, () => {
      let counts = sumOf([])
      for (let look = 1; look <= LOOKS; look++) {
        counts = sumOf([counts, drawMinute(random, bursty, look)])
        const { candidate, stable } = counts
        const stage = { share: shareOf(counts), candidate: candidate.bad, stable: stable.bad }
        if (logWorseEvidence([stage]) >= Math.log(1 / ALPHA)) return true
      }
      return false
    })
    expect(alarms.filter(Boolean).length).toBeGreaterThan(0.1 * RUNS)
  })
})

describe('a candidate that is worse is found', () => {
  it.each([
    { perMinute: 60, from: 0.001, to: 0.05, most: 19 },
    { perMinute: 600, from: 0.002, to: 0.02, most: 11 },
    { perMinute: 600, from: 0.001, to: 0.05, most: 5 },
    { perMinute: 6000, from: 0.002, to: 0.005, most: 14 },
    { perMinute: 6000, from: 0.002, to: 0.01, most: 5 },
    { perMinute: 6000, from: 0.001, to: 0.05, most: 1 },
  ])('$from to $to at $perMinute requests a minute: after $most looks at most', ({ perMinute, from, to, most }) => {
    const traffic = { perMinute, share: 0.1, stable: from, candidate: to }
    expect(median(stops(traffic, 61))).toBeLessThanOrEqual(most)
  })

  it('also after a minute of outage of both, which counts as one event', () => {
    const traffic = { perMinute: 600, share: 0.1, stable: 0.002, candidate: 0.02, outage: { minute: 4, bad: 0.3 } }
    expect(median(stops(traffic, 61))).toBeLessThanOrEqual(12)
  })
})
