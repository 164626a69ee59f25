import { describe, expect, it } from 'vitest'
import { evaluateRequest } from '../../../src/judge/evaluate-request.ts'
import { judgeLimit } from '../../../src/judge/judge-limit.ts'
import { judgeAnswer, judgeRequest } from '../../../src/model/judge.ts'

const stage = (good: number, bad: number, stable = { good: 900, bad: 1 }) => ({
  share: 0.1,
  candidate: { good, bad },
  stable,
})

function answerTo(body: unknown) {
  return judgeAnswer.parse(evaluateRequest(judgeRequest.parse(body)))
}

function faultsOf(body: unknown): string[] {
  const result = judgeRequest.safeParse(body)
  return result.success ? [] : result.error.issues.map((issue) => issue.path.join('/'))
}

describe('POST /judge, test limit', () => {
  const body = { test: 'limit', alpha: 0.01, limitPercent: 1 }

  it('answers as a gate would', () => {
    const gate = judgeLimit({
      candidate: { good: 228, bad: 12 },
      stable: { good: 900, bad: 1 },
      limitPercent: 1,
      alpha: 0.01,
    })
    const { verdict, reason, eValue, pValue, safeEValue, interval, explanation } = gate
    const expected = { verdict, reason, eValue, pValue, safeEValue, interval, explanation }
    expect(answerTo({ ...body, stages: [stage(228, 12)] })).toEqual(expected)
  })

  it('adds the stages up and takes the end of each for a look', () => {
    const answer = answerTo({ ...body, stages: [stage(190, 12), stage(5000, 0)] })
    expect(answer.verdict).toBe('harm')
    expect(answer.eValue).toBeGreaterThan(100)
    expect(answer.pValue).toBeCloseTo(1 / answer.eValue, 12)
    expect(answer.explanation).toContain('12 of 5,202 requests failed')
    expect(answer.explanation).toContain('earlier look')
  })

  it('gives the evidence though too few events forbid a verdict', () => {
    const answer = answerTo({ ...body, stages: [stage(0, 10)] })
    expect(answer).toMatchObject({ verdict: 'undecided', pValue: 1 })
    expect(answer.eValue).toBeGreaterThan(100)
    expect(answerTo({ ...body, minEvents: 10, stages: [stage(0, 10)] }).verdict).toBe('harm')
  })

  it('holds when stable breaks the limit too', () => {
    const answer = answerTo({ ...body, stages: [stage(228, 12, { good: 950, bad: 50 })] })
    expect(answer.verdict).toBe('undecided')
    expect(answer.explanation).toContain('not the candidate')
  })

  it('needs no stable and no share', () => {
    expect(answerTo({ ...body, stages: [{ candidate: { good: 3000, bad: 1 } }] }).verdict).toBe('safe')
  })
})

describe('POST /judge, test limit, with bursts', () => {
  it('weighs counts by the dispersion that is given, and shows them as they are', () => {
    const body = { test: 'limit', alpha: 0.01, limitPercent: 1 }
    const five = answerTo({ ...body, dispersion: 5, stages: [stage(1140, 60)] })
    const alone = answerTo({ ...body, stages: [stage(228, 12)] })
    expect(five).toMatchObject({ verdict: 'harm', eValue: alone.eValue, interval: alone.interval })
    expect(five.explanation).toContain('60 of 1,200 requests failed')
  })
})

describe('POST /judge, test harm', () => {
  const body = { test: 'harm', alpha: 0.01 }
  const reference = { share: 0.1, candidate: { good: 290, bad: 10 }, stable: { good: 2670, bad: 30 } }

  it('has the reference evidence, of the bad events alone', () => {
    const answer = answerTo({ ...body, stages: [reference] })
    expect(answer).toMatchObject({ verdict: 'undecided', reason: 'NotClearYet' })
    expect(answer.eValue).toBeCloseTo(16.69966, 5)
    expect(answer.pValue).toBeCloseTo(1 / 16.69966, 7)
    const fewer = { ...reference, candidate: { good: 0, bad: 10 }, stable: { good: 0, bad: 30 } }
    expect(answerTo({ ...body, stages: [fewer] }).eValue).toBe(answer.eValue)
  })

  it('says in words and numbers what it saw and what more it would take', () => {
    const answer = answerTo({ ...body, stages: [reference] })
    expect(answer.explanation).toMatch(
      /^10 of 300 requests failed \(3\.3 %\), of stable 30 of 2,700 \(1\.1 %\): 3\.0 times stable's rate, between 0\.64 and 10 times with 99 % confidence; not clear yet; 2\.0 times stable's rate would show after about [\d,]+ more requests to the candidate$/,
    )
    const needed = answer.needed ?? 0
    const rate = 40 / 3000
    const later = (requests: number) => ({
      share: 0.1,
      candidate: { good: 0, bad: Math.round(requests * rate * 2) },
      stable: { good: 0, bad: Math.round(requests * rate * 9) },
    })
    expect(answerTo({ ...body, stages: [reference, later(needed * 1.2)] }).verdict).toBe('harm')
    expect(answerTo({ ...body, stages: [reference, later(needed * 0.8)] }).verdict).toBe('undecided')
  })

  it('says harm at 1/alpha, at any look, and keeps to it', () => {
    expect(answerTo({ ...body, alpha: 0.07, stages: [reference] })).toMatchObject({
      verdict: 'harm',
      reason: 'WorseThanStable',
    })
    const calm = { share: 0.1, candidate: { good: 9_000, bad: 0 }, stable: { good: 81_000, bad: 100 } }
    const after = answerTo({ ...body, alpha: 0.07, stages: [reference, calm] })
    expect(after.verdict).toBe('harm')
    expect(after.eValue).toBeCloseTo(16.69966, 5)
    expect(after.explanation).toMatch(/it was worse than stable at an earlier look$/)
  })

  it('says safe when it rules out gMax times stable’s rate', () => {
    const stages = [{ share: 0.1, candidate: { good: 99_800, bad: 200 }, stable: { good: 898_200, bad: 1_800 } }]
    const answer = answerTo({ ...body, stages })
    expect(answer).toMatchObject({ verdict: 'safe', reason: 'NoWorseThanStable' })
    expect(answer.explanation).toMatch(/less than 2\.0 times stable's rate$/)
    expect(answerTo({ ...body, gMax: 1.05, stages }).verdict).toBe('undecided')
  })

  it('compares each stage by its own share: an outage of both while the candidate has half is no harm', () => {
    const calm = { share: 0.05, candidate: { good: 500, bad: 0 }, stable: { good: 9_490, bad: 10 } }
    const outage = { share: 0.5, candidate: { good: 950, bad: 50 }, stable: { good: 950, bad: 50 } }
    expect(answerTo({ ...body, stages: [calm, outage] }).verdict).not.toBe('harm')
    const added = { share: 0.125, candidate: { good: 1_450, bad: 50 }, stable: { good: 10_440, bad: 60 } }
    expect(answerTo({ ...body, stages: [added] }).verdict).toBe('harm')
  })

  it('corrects for a dispersion that is given, and for none without', () => {
    const five = {
      share: 0.1,
      candidate: { good: 1_450, bad: 50 },
      stable: { good: 13_350, bad: 150 },
    }
    expect(answerTo({ ...body, stages: [five] }).verdict).toBe('harm')
    const corrected = answerTo({ ...body, dispersion: 5, stages: [five] })
    expect(corrected.verdict).toBe('undecided')
    expect(corrected.eValue).toBeCloseTo(16.69966, 5)
  })

  it('decides nothing on fewer events than minEvents, where that is given', () => {
    const stages = [{ share: 0.1, candidate: { good: 0, bad: 9 }, stable: { good: 90, bad: 0 } }]
    expect(answerTo({ ...body, stages }).verdict).toBe('harm')
    const few = answerTo({ ...body, minEvents: 10, stages })
    expect(few).toMatchObject({ verdict: 'undecided', reason: 'TooFewEvents', pValue: 1 })
    expect(few.explanation).toContain('at least 10 requests are needed')
  })

  it('answers in JSON without infinities, whatever the counts', () => {
    const stages = [{ share: 0.001, candidate: { good: 0, bad: 1e9 }, stable: { good: 1e9, bad: 0 } }]
    const answer = answerTo({ ...body, stages })
    expect(JSON.parse(JSON.stringify(answer))).toEqual(answer)
    expect(answer.explanation).toContain('none of it on stable')
  })

  it('has nothing to compare while nothing is bad', () => {
    const stages = [{ share: 0.1, candidate: { good: 100, bad: 0 }, stable: { good: 900, bad: 0 } }]
    expect(answerTo({ ...body, stages })).toMatchObject({ verdict: 'undecided', eValue: 1, interval: [0, 1e6] })
  })
})

describe('POST /judge, test ratio', () => {
  const body = { test: 'ratio', alpha: 0.05 }
  const savvi = { share: 0.2, candidate: { good: 60, bad: 2 }, stable: { good: 148, bad: 0 } }

  it('has the reference evidence, of all requests', () => {
    const answer = answerTo({ ...body, stages: [savvi] })
    expect(answer).toMatchObject({ verdict: 'harm', reason: 'RatioOff' })
    expect(answer.pValue).toBeCloseTo(0.045579631759, 11)
    expect(Math.log(answer.interval[0])).toBeCloseTo(0.00464625, 7)
    expect(Math.log(answer.interval[1])).toBeCloseTo(0.994506, 6)
  })

  it('says in words what was asked and what was got', () => {
    expect(answerTo({ ...body, stages: [savvi] }).explanation).toBe(
      '62 of 210 requests went to the candidate (29.5 %), asked 20.0 %: odds between 1.0 and 2.7 times those asked, ' +
        'with 95 % confidence; the versions do not get the requests that they should',
    )
  })

  it('takes stages of the same share together and multiplies those of others', () => {
    const half = { share: 0.2, candidate: { good: 31, bad: 0 }, stable: { good: 74, bad: 0 } }
    const both = answerTo({ ...body, stages: [half, half] })
    expect(both.pValue).toBeCloseTo(0.045579631759, 11)
    const other = answerTo({ ...body, stages: [savvi, { ...savvi, share: 0.2000001 }] })
    expect(other.eValue).toBeCloseTo(1 / 0.045579631759 ** 2, 1)
  })

  it('is safe once the odds are within gMax of those asked', () => {
    const stages = [{ share: 0.2, candidate: { good: 2_000, bad: 0 }, stable: { good: 8_000, bad: 0 } }]
    expect(answerTo({ ...body, stages })).toMatchObject({ verdict: 'safe', reason: 'RatioAsAsked' })
    expect(answerTo({ ...body, gMax: 1.01, stages })).toMatchObject({ verdict: 'undecided', reason: 'NotClearYet' })
  })

  it('tests nothing where one version gets all', () => {
    const stages = [{ share: 1, candidate: { good: 60, bad: 2 }, stable: { good: 148, bad: 0 } }]
    expect(answerTo({ ...body, stages })).toMatchObject({ verdict: 'undecided', eValue: 1, interval: [0, 1e6] })
  })
})

describe('the body of POST /judge', () => {
  const body = { test: 'limit', alpha: 0.01, limitPercent: 1, stages: [stage(1, 1)] }

  it.each([
    ['a missing limit', { ...body, limitPercent: undefined }, 'limitPercent'],
    ['a limit of 0', { ...body, limitPercent: 0 }, 'limitPercent'],
    ['a ratio that means nothing there', { ...body, gMax: 2 }, 'gMax'],
    ['a dispersion below 1', { ...body, dispersion: 0.5 }, 'dispersion'],
    ['an alpha of 0', { ...body, alpha: 0 }, 'alpha'],
    ['no stages', { ...body, stages: [] }, 'stages'],
    ['a negative count', { ...body, stages: [stage(-1, 0)] }, 'stages/0/candidate/good'],
    ['half an event', { ...body, stages: [stage(1, 0.5)] }, 'stages/0/candidate/bad'],
    ['a share in per cent', { ...body, stages: [{ ...stage(1, 1), share: 10 }] }, 'stages/0/share'],
    [
      'harm without stable',
      { ...body, test: 'harm', stages: [{ share: 0.1, candidate: { good: 1, bad: 1 } }] },
      'stages/0/stable',
    ],
    [
      'ratio without share',
      { ...body, test: 'ratio', stages: [{ ...stage(1, 1), share: undefined }] },
      'stages/0/share',
    ],
  ])('names the field for %s', (_, wrong, path) => {
    expect(faultsOf(wrong)).toContain(path)
  })

  it('refuses unknown fields', () => {
    expect(judgeRequest.safeParse({ ...body, confidence: 0.99 }).success).toBe(false)
  })
})
