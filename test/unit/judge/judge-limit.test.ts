import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgeLimit } from '../../../src/judge/judge-limit.ts'
import { eventsUntilHarm } from '../../../src/judge/verdict.ts'

const limit = { limitPercent: 1, alpha: 0.01 }

describe('judging a version against a limit', () => {
  it('says harm when clearly more fail than the limit allows', () => {
    const verdict = judgeLimit({ ...limit, candidate: { good: 228, bad: 12 }, stable: { good: 2400, bad: 2 } })
    expect(verdict).toMatchObject({ verdict: 'harm', reason: 'LimitExceeded', candidate: { good: 228, bad: 12 } })
    expect(verdict.eValue).toBeGreaterThan(100)
    expect(verdict.pValue).toBe(1 / verdict.eValue)
    expect(verdict.maxE).toBe(verdict.eValue)
    expect(verdict).not.toHaveProperty('needed')
    expect(verdict.explanation).toBe(
      '12 of 240 requests failed (5.0 %); between 1.3 % and 11.5 % with 99 % confidence; ' +
        'the limit is 1 %: above the limit',
    )
  })

  it('says safe when clearly fewer fail than the limit allows', () => {
    const verdict = judgeLimit({ ...limit, candidate: { good: 2998, bad: 2 } })
    expect(verdict).toMatchObject({ verdict: 'safe', reason: 'WithinLimit', stable: { good: 0, bad: 0 } })
    expect(verdict.safeEValue).toBeGreaterThan(100)
    expect(verdict.explanation).toContain('2 of 3,000 requests failed (0.067 %)')
  })

  it('is undecided at the limit, and says how many more it would take', () => {
    const verdict = judgeLimit({ ...limit, candidate: { good: 495, bad: 5 } })
    expect(verdict).toMatchObject({ verdict: 'undecided', reason: 'NotClearYet' })
    expect(verdict.needed).toBe(eventsUntilHarm({ good: 495, bad: 5 }, 0.01, 0.01))
    expect(verdict.explanation).toMatch(/not clear yet; a share of 2\.0 % would show after about [\d,]+ more requests$/)
  })

  it('is undecided below minEvents, though every one failed', () => {
    const verdict = judgeLimit({ ...limit, candidate: { good: 0, bad: 49 } })
    expect(verdict).toMatchObject({ verdict: 'undecided', reason: 'TooFewEvents', needed: 1, maxE: 0, pValue: 1 })
    expect(judgeLimit({ ...limit, candidate: { good: 0, bad: 50 } }).verdict).toBe('harm')
    expect(judgeLimit({ ...limit, minEvents: 10, candidate: { good: 0, bad: 10 } }).verdict).toBe('harm')
  })

  it('is undecided with no events at all', () => {
    const verdict = judgeLimit({ ...limit, candidate: { good: 0, bad: 0 } })
    expect(verdict).toMatchObject({ verdict: 'undecided', reason: 'TooFewEvents', interval: [0, 1] })
    expect(verdict.explanation).toMatch(/^no requests yet; at least 50 requests are needed to judge/)
  })

  it('does not blame the candidate for a limit that stable breaks too', () => {
    const verdict = judgeLimit({ ...limit, candidate: { good: 228, bad: 12 }, stable: { good: 950, bad: 50 } })
    expect(verdict).toMatchObject({ verdict: 'undecided', reason: 'StableBreaksLimitToo', maxE: 0 })
    expect(verdict.explanation).toMatch(/stable, where 50 of 1,000 requests failed \(5\.0 %\)/)
  })

  it('blames the candidate once stable has recovered and the candidate has not', () => {
    const candidate = { good: 900, bad: 60 }
    const verdict = judgeLimit({ ...limit, candidate, stable: { good: 20_000, bad: 60 }, previousMaxE: 0 })
    expect(verdict.verdict).toBe('harm')
  })

  it('may say safe while stable breaks the limit', () => {
    const verdict = judgeLimit({ ...limit, candidate: { good: 2998, bad: 2 }, stable: { good: 950, bad: 50 } })
    expect(verdict.verdict).toBe('safe')
  })

  it('keeps to a harm of an earlier look', () => {
    const verdict = judgeLimit({ ...limit, candidate: { good: 3000, bad: 12 }, previousMaxE: 150 })
    expect(verdict).toMatchObject({ verdict: 'harm', maxE: 150, pValue: 1 / 150 })
    expect(verdict.explanation).toMatch(/was above the limit at an earlier look$/)
  })

  it('survives JSON: no number is infinite', () => {
    const verdict = judgeLimit({ ...limit, candidate: { good: 0, bad: 1e9 } })
    expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict)
  })

  it('refuses limits and alphas that mean nothing', () => {
    for (const wrong of [
      { limitPercent: 0 },
      { limitPercent: 100 },
      { alpha: 0 },
      { alpha: 1 },
      { alpha: Number.NaN },
    ]) {
      expect(() => judgeLimit({ ...limit, ...wrong, candidate: { good: 1, bad: 1 } })).toThrow(RangeError)
    }
  })

  it('is never harm and safe at odds with what was seen', () => {
    const counts = fc.record({ good: fc.nat(100_000), bad: fc.nat(5_000) })
    const limits = fc.double({ min: 0.1, max: 50, noNaN: true })
    fc.assert(
      fc.property(counts, counts, limits, (candidate, stable, limitPercent) => {
        const { verdict } = judgeLimit({ candidate, stable, limitPercent, alpha: 0.01 })
        const percent = (100 * candidate.bad) / (candidate.good + candidate.bad)
        if (verdict === 'harm') expect(percent).toBeGreaterThan(limitPercent)
        if (verdict === 'safe') expect(percent).toBeLessThan(limitPercent)
      }),
    )
  })
})

describe('the estimate of what is still needed', () => {
  it('is where evidence along twice the limit reaches 1/alpha', () => {
    const needed = eventsUntilHarm({ good: 0, bad: 0 }, 0.01, 0.01)
    expect(needed).toBeGreaterThan(1400)
    expect(needed).toBeLessThan(1500)
    const at = (events: number) => judgeLimit({ ...limit, candidate: { good: events * 0.98, bad: events * 0.02 } })
    expect(at(needed).verdict).toBe('harm')
    expect(at(needed - 1).verdict).toBe('undecided')
  })

  it('is 0 when harm is seen, and grows with a good past', () => {
    expect(eventsUntilHarm({ good: 228, bad: 12 }, 0.01, 0.01)).toBe(0)
    expect(eventsUntilHarm({ good: 1000, bad: 0 }, 0.01, 0.01)).toBeGreaterThan(1500)
  })

  it('works for a limit above half, where twice the limit is no share', () => {
    expect(eventsUntilHarm({ good: 0, bad: 0 }, 0.8, 0.01)).toBeGreaterThan(10)
  })
})
