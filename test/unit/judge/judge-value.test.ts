import { describe, expect, it } from 'vitest'
import { blindValue, judgeValue } from '../../../src/judge/judge-value.ts'

const MOST = { max: 800, looks: 3, breaches: 0 }

describe('a value with a bound', () => {
  it.each([
    ['at its bound', { ...MOST, value: 800 }, 'safe'],
    ['between its bounds', { min: 1, max: 800, looks: 3, breaches: 0, value: 1 }, 'safe'],
    ['above the most', { ...MOST, value: 800.1 }, 'undecided'],
    ['below the least', { min: 5, looks: 1, breaches: 0, value: 4.9 }, 'harm'],
    ['out of bounds for the last time that is bearable', { ...MOST, breaches: 1, value: 900 }, 'undecided'],
    ['out of bounds once too often', { ...MOST, breaches: 2, value: 900 }, 'harm'],
  ] as const)('%s', (_, question, verdict) => {
    expect(judgeValue(question).verdict).toBe(verdict)
  })

  it('counts looks in a row, and begins anew with one that keeps the bounds', () => {
    let breaches = 0
    const verdicts = [900, 900, 700, 900, 900, 900, 900].map((value) => {
      const verdict = judgeValue({ ...MOST, breaches, value })
      breaches = verdict.value.breaches
      return verdict.verdict
    })
    expect(verdicts).toEqual(['undecided', 'undecided', 'safe', 'undecided', 'undecided', 'harm', 'harm'])
  })

  it('is not the candidate’s harm where stable is out of bounds too; such a look counts neither way', () => {
    const verdict = judgeValue({ ...MOST, breaches: 2, value: 900, stable: 850 })
    expect(verdict).toMatchObject({
      verdict: 'undecided',
      reason: 'StableBreaksLimitToo',
      value: { breaches: 2, stable: 850 },
    })
    expect(judgeValue({ ...MOST, breaches: 2, value: 900, stable: 800 }).verdict).toBe('harm')
  })

  it('says what it saw and what was asked, and that it tests nothing', () => {
    expect(judgeValue({ min: 1, max: 800, looks: 3, breaches: 1, value: 812.34567 })).toEqual({
      verdict: 'undecided',
      reason: 'OutOfBoundsNow',
      explanation:
        'the value is 812.346, at least 1 and at most 800 are asked: out of bounds at 2 looks in a row; 3 are harm',
      candidate: { good: 0, bad: 0 },
      stable: { good: 0, bad: 0 },
      eValue: 0,
      pValue: 1,
      interval: [0, 1],
      alpha: 0,
      value: { candidate: 812.34567, min: 1, max: 800, breaches: 2, looks: 3 },
    })
    expect(judgeValue({ ...MOST, value: 640 }).explanation).toBe('the value is 640, at most 800 is asked')
    expect(judgeValue({ ...MOST, value: 900, stable: 850 }).explanation).toContain('but so is stable’s (850)')
  })

  it('is blind without a value, and remembers what it saw before', () => {
    expect(blindValue(MOST, 'NoData', 'query for v2: the answer is empty')).toMatchObject({
      verdict: 'blind',
      reason: 'NoData',
      explanation: 'query for v2: the answer is empty',
      alpha: 0,
    })
    expect(blindValue({ ...MOST, breaches: 2 }, 'QueryFailed', 'east answered 503').explanation).toBe(
      'east answered 503; before that: out of bounds at 2 looks in a row',
    )
  })
})
