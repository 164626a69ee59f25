import { describe, expect, it } from 'vitest'
import { judgeLimit } from '../../../src/judge/evaluate-gate.ts'
import { evaluateRequest } from '../../../src/judge/evaluate-request.ts'
import { judgeAnswer, judgeRequest } from '../../../src/model/judge.ts'

const stage = (good: number, bad: number, stable = { good: 900, bad: 1 }) => ({
  share: 0.1,
  candidate: { good, bad },
  stable,
})

function answerTo(body: unknown) {
  const outcome = evaluateRequest(judgeRequest.parse(body))
  if (!outcome.ok) throw new Error(outcome.message)
  return judgeAnswer.parse(outcome.answer)
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
    const { verdict, eValue, pValue, interval, explanation } = gate
    expect(answerTo({ ...body, stages: [stage(228, 12)] })).toEqual({ verdict, eValue, pValue, interval, explanation })
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

describe('POST /judge, the tests of a later day', () => {
  it.each(['harm', 'ratio'])('says that %s is not built yet', (test) => {
    const outcome = evaluateRequest(judgeRequest.parse({ test, alpha: 0.01, stages: [stage(10, 1)] }))
    expect(outcome).toMatchObject({ ok: false, reason: 'TestNotBuilt' })
  })
})

describe('the body of POST /judge', () => {
  const body = { test: 'limit', alpha: 0.01, limitPercent: 1, stages: [stage(1, 1)] }

  it.each([
    ['a missing limit', { ...body, limitPercent: undefined }, 'limitPercent'],
    ['a limit of 0', { ...body, limitPercent: 0 }, 'limitPercent'],
    ['a correction that it does not make', { ...body, dispersion: 5 }, 'dispersion'],
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
