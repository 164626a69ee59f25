import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addWindow, closeMinute, type EvidenceWindow, NO_EVIDENCE, sumOf, weigh } from '../../../src/judge/evidence.ts'
import type { GateEvidence } from '../../../src/model/evidence.ts'
import { drawMinute, seeded } from './draw-traffic.ts'

const window = (part: number, seconds: number, candidate: number, stable: number, bad = [0, 0]): EvidenceWindow => ({
  part,
  spanMs: seconds * 1000,
  candidate: { good: candidate - (bad[0] ?? 0), bad: bad[0] ?? 0 },
  stable: { good: stable - (bad[1] ?? 0), bad: bad[1] ?? 0 },
})
const taken = (...windows: EvidenceWindow[]) => windows.reduce(addWindow, NO_EVIDENCE)

describe('what a gate keeps', () => {
  it('is one stage a step, whatever the number of looks', () => {
    const looks = [0, 1, 2].flatMap((part) => Array.from({ length: 300 }, () => window(part, 2, 10 * 2 ** part, 90)))
    const { stages } = closeMinute(taken(...looks))
    expect(stages.map(({ part, candidate, stable }) => [part, candidate.good, stable.good])).toEqual([
      [0, 3000, 27_000],
      [1, 6000, 27_000],
      [2, 12_000, 27_000],
    ])
  })

  it('is the same whether looks are every 2 s, 10 s or minute', () => {
    const random = seeded(3)
    const seconds = Array.from({ length: 600 }, () =>
      drawMinute(random, { perMinute: 100, share: 0.1, stable: 0.01, candidate: 0.02 }, 1),
    )
    const every = (length: number) => {
      const windows = Array.from({ length: 600 / length }, (_, look) => {
        const { candidate, stable } = sumOf(seconds.slice(look * length, (look + 1) * length))
        return { part: 0, spanMs: length * 1000, candidate, stable }
      })
      return closeMinute(taken(...windows))
    }
    expect(every(2)).toEqual(every(60))
    expect(every(10)).toEqual(every(60))
  })

  it('takes a look of two minutes for one', () => {
    expect(taken(window(0, 120, 20, 180)).open).toBeUndefined()
    expect(taken(window(0, 59, 10, 90)).open?.spanMs).toBe(59_000)
  })

  it('begins a stage where the share departs, a few in a step at most', () => {
    const steady = Array.from({ length: 5 }, () => window(0, 60, 100, 900))
    const other = Array.from({ length: 5 }, () => window(0, 60, 500, 500))
    expect(taken(...steady, ...other).stages.map(({ candidate }) => candidate.good)).toEqual([500, 2500])
    const random = seeded(9)
    const wild = Array.from({ length: 200 }, () => {
      const candidate = Math.round(1000 * random())
      return window(0, 60, candidate, 1000 - candidate)
    })
    expect(taken(...wild).stages.length).toBeLessThanOrEqual(3)
  })

  it('does not begin one for a share that differs by chance', () => {
    const random = seeded(5)
    const traffic = { perMinute: 600, share: 0.1, stable: 0.01, candidate: 0.01 }
    const minutes = Array.from({ length: 500 }, () => ({ part: 0, spanMs: 60_000, ...drawMinute(random, traffic, 1) }))
    expect(taken(...minutes).stages).toHaveLength(1)
  })

  it('loses no request, and stays small', () => {
    const looks = fc.array(
      fc.record({
        part: fc.nat(3),
        seconds: fc.constantFrom(2, 10, 60, 600),
        good: fc.tuple(fc.nat(5000), fc.nat(5000)),
        bad: fc.tuple(fc.nat(500), fc.nat(500)),
      }),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(looks, (drawn) => {
        const windows = drawn
          .toSorted((a, b) => a.part - b.part)
          .map(({ part, seconds, good, bad }) =>
            window(part, seconds, good[0] + bad[0], good[1] + bad[1], [bad[0], bad[1]]),
          )
        const evidence = taken(...windows)
        expect(sumOf(closeMinute(evidence).stages)).toEqual(sumOf(windows))
        expect(evidence.stages.length).toBeLessThanOrEqual(3 * 4)
        expect(JSON.stringify(evidence).length).toBeLessThan(12 * 700)
      }),
      { numRuns: 100 },
    )
  })
})

describe('how evidence is weighed', () => {
  const steady = (minutes: number, bad: readonly [number, number]) =>
    Array.from({ length: minutes }, () => window(0, 60, 1000, 9000, [...bad]))
  const only = (evidence: GateEvidence) => {
    const { stages, dispersion } = weigh(evidence)
    const [stage] = stages
    if (!stage) throw new Error('there is no stage')
    return { stage, dispersion }
  }

  it('has the open minute in it, as if it were over', () => {
    const evidence = taken(...steady(3, [1, 9]), window(0, 20, 300, 3000, [2, 1]))
    expect(evidence.open).toBeDefined()
    expect(only(evidence).stage.candidate).toEqual({ good: 3295, bad: 5 })
  })

  it('divides by the dispersion, for the limit requests too', () => {
    const { stage, dispersion } = only(taken(...steady(30, [10, 90])))
    expect(dispersion).toBeCloseTo(1, 1)
    expect(stage.compared.candidate).toBeCloseTo(300 / dispersion, 0)
    expect(stage.limited.candidate.bad).toBeCloseTo(300 / dispersion, 6)
    expect(stage.limited.candidate.good).toBeCloseTo(29_700 / dispersion, 6)
    expect(stage.limited.stable).toEqual({ good: 267_300, bad: 2700 })
  })

  it('takes a common outage for one event, and for no breach of the limit', () => {
    const before = steady(10, [1, 9])
    const { stage } = only(taken(...before, window(0, 60, 1000, 9000, [300, 2700])))
    const { stage: alone } = only(taken(...before))
    expect(stage.candidate.bad).toBe(310)
    expect(stage.compared.candidate - alone.compared.candidate).toBeCloseTo(0.1, 3)
    expect(stage.compared.stable - alone.compared.stable).toBeCloseTo(0.9, 3)
    expect(stage.limited).toEqual(alone.limited)
  })

  it('knows which step is the present one', () => {
    const { stages } = weigh(taken(window(0, 60, 100, 900), window(1, 30, 100, 300)))
    expect(stages.map(({ part, isPresent }) => [part, isPresent])).toEqual([
      [0, false],
      [1, true],
    ])
  })
})
