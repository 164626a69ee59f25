import { describe, expect, it } from 'vitest'
import { judgeLimit } from '../../../src/judge/judge-limit.ts'
import { logHarmEvidence, logSafeEvidence, shareInterval } from '../../../src/judge/limit-test.ts'
import { eventsUntilHarm } from '../../../src/judge/verdict.ts'
import { seeded } from './draw-traffic.ts'

interface Stream {
  readonly share: number
  readonly perLook: number
  readonly looks: number
}

/**
 * Draws events with a true bad share and shows the counts at every look until `stop` says so; the events drawn, or
 * undefined.
 */
function eventsUntil(random: () => number, { share, perLook, looks }: Stream, stop: (c: Counts) => boolean) {
  const counts = { good: 0, bad: 0 }
  for (let look = 1; look <= looks; look++) {
    for (let i = 0; i < perLook; i++) {
      if (random() < share) counts.bad++
      else counts.good++
    }
    if (stop(counts)) return look * perLook
  }
  return undefined
}

type Counts = { good: number; bad: number }

/** Part of `runs` streams that `stop` ends. */
function stopped(runs: number, stream: Stream, stop: (c: Counts) => boolean): number {
  const random = seeded(20260801)
  let hits = 0
  for (let run = 0; run < runs; run++) if (eventsUntil(random, stream, stop) !== undefined) hits++
  return hits / runs
}

/** alpha and three standard deviations of a share seen in `runs` runs. */
function withSlack(alpha: number, runs: number): number {
  return alpha + 3 * Math.sqrt((alpha * (1 - alpha)) / runs)
}

describe('a version exactly at the limit, looked at again and again', () => {
  const alpha = 0.05
  const bar = Math.log(1 / alpha)

  it.each([
    { limit: 0.01, perLook: 20, looks: 150 },
    { limit: 0.05, perLook: 5, looks: 200 },
    { limit: 0.5, perLook: 1, looks: 300 },
  ])('is falsely called harm in at most alpha of the runs at a limit of $limit', ({ limit, perLook, looks }) => {
    const stream = { share: limit, perLook, looks }
    const share = stopped(2000, stream, (counts) => logHarmEvidence(counts, limit) >= bar)
    expect(share).toBeLessThan(withSlack(alpha, 2000))
    expect(share).toBeGreaterThan(alpha / 10)
  })

  it('is falsely called safe in at most alpha of the runs', () => {
    const stream = { share: 0.05, perLook: 5, looks: 200 }
    const share = stopped(2000, stream, (counts) => logSafeEvidence(counts, 0.05) >= bar)
    expect(share).toBeLessThan(withSlack(alpha, 2000))
    expect(share).toBeGreaterThan(alpha / 10)
  })

  it('keeps its share inside the interval at every look in 1 - alpha of the runs', () => {
    const stream = { share: 0.02, perLook: 50, looks: 30 }
    const left = stopped(400, stream, (counts) => {
      const [low, high] = shareInterval(counts, alpha)
      return low > 0.02 || high < 0.02
    })
    expect(left).toBeLessThan(withSlack(alpha, 400))
  })

  it('would be called harm far more often by a test made for one look (what this is for)', () => {
    const stream = { share: 0.05, perLook: 20, looks: 100 }
    const naive = stopped(1000, stream, ({ good, bad }) => {
      const events = good + bad
      return (bad - 0.05 * events) / Math.sqrt(events * 0.05 * 0.95) > 1.645
    })
    expect(naive).toBeGreaterThan(0.2)
  })
})

describe('how many events a verdict takes at a limit of 1 % and alpha 1 %', () => {
  /** Median events of 61 runs until the gate says `verdict`, with a look every 25 events. */
  function median(share: number, verdict: 'harm' | 'safe'): number {
    const random = seeded(7)
    const events = Array.from({ length: 61 }, () => {
      let maxE = 0
      return eventsUntil(random, { share, perLook: 25, looks: 800 }, (candidate) => {
        const look = judgeLimit({ candidate, limitPercent: 1, alpha: 0.01, previousMaxE: maxE })
        maxE = look.maxE
        return look.verdict === verdict
      })
    })
    return events.sort((a, b) => (a ?? 1e9) - (b ?? 1e9))[30] ?? Number.POSITIVE_INFINITY
  }

  it.each([
    { share: 0.02, verdict: 'harm', most: 1600 },
    { share: 0.05, verdict: 'harm', most: 200 },
    { share: 0.2, verdict: 'harm', most: 50 },
    { share: 0.002, verdict: 'safe', most: 1400 },
    { share: 0.001, verdict: 'safe', most: 1000 },
    { share: 0, verdict: 'safe', most: 625 },
  ] as const)('with $share bad: $verdict after $most at most', ({ share, verdict, most }) => {
    expect(median(share, verdict)).toBeLessThanOrEqual(most)
  })

  it('is near what the gate says it needs', () => {
    const estimate = eventsUntilHarm({ good: 0, bad: 0 }, 0.01, 0.01)
    const real = median(0.02, 'harm')
    expect(real).toBeGreaterThan(estimate / 1.5)
    expect(real).toBeLessThan(estimate * 1.5)
  })
})
