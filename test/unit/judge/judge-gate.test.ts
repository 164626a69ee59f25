import { describe, expect, it } from 'vitest'
import { addWindow, NO_EVIDENCE } from '../../../src/judge/evidence.ts'
import { blindVerdict, type GateQuestion, judgeGate } from '../../../src/judge/judge-gate.ts'
import type { GateEvidence } from '../../../src/model/evidence.ts'

type Arms = readonly [candidate: readonly [bad: number, all: number], stable: readonly [bad: number, all: number]]

/** The same counts minute after minute, in one step. */
function minutes(count: number, [candidate, stable]: Arms, part = 0, before: GateEvidence = NO_EVIDENCE): GateEvidence {
  const of = ([bad, all]: readonly [number, number]) => ({ good: all - bad, bad })
  const window = { part, spanMs: 60_000, candidate: of(candidate), stable: of(stable) }
  return Array.from({ length: count }, () => window).reduce(addWindow, before)
}

function ask(evidence: GateEvidence | readonly GateEvidence[], change: Partial<GateQuestion> = {}): GateQuestion {
  return {
    evidence: 'stages' in evidence ? [evidence] : evidence,
    parts: 4,
    alpha: 0.01,
    alphaOfRollout: 0.01,
    limitPercent: 1,
    gMax: 2,
    minEvents: 50,
    previousMaxE: 0,
    badMeans: 'failed',
    ...change,
  }
}

const verdictOf = (evidence: GateEvidence | readonly GateEvidence[], change?: Partial<GateQuestion>) =>
  judgeGate(ask(evidence, change)).verdict

describe('a gate that says harm', () => {
  it('for a candidate that breaks the limit, with all that it rests on', () => {
    const evidence = minutes(5, [
      [12, 240],
      [2, 2400],
    ])
    const { verdict, maxE } = judgeGate(ask(evidence))
    expect(verdict).toMatchObject({
      verdict: 'harm',
      reason: 'LimitExceeded',
      candidate: { good: 1140, bad: 60 },
      stable: { good: 11_990, bad: 10 },
      alpha: 0.01,
      limitPercent: 1,
    })
    expect(verdict.spent).toBeCloseTo(0.0065, 12)
    expect(maxE).toBe(verdict.eValue)
    expect(verdict.eValue).toBeGreaterThan(100)
    expect(verdict.pValue).toBe(1 / maxE)
    expect(verdict.comparison?.ratio).toBeGreaterThan(20)
    expect(verdict).not.toHaveProperty('needed')
    expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict)
  })

  it('for one that is worse than stable within the limit', () => {
    const evidence = minutes(10, [
      [4, 600],
      [5, 5400],
    ])
    const verdict = verdictOf(evidence)
    expect(verdict).toMatchObject({ verdict: 'harm', reason: 'WorseThanStable' })
    expect(verdict.explanation).toMatch(
      /^40 of 6,000 requests failed \(0\.67 %\), between .* the limit is 1 %; stable 50 of 54,000 \(0\.093 %\), so 7\.\d times stable's rate \([\d.]+ to [\d.]+\).*: worse than stable$/,
    )
    expect(verdictOf(evidence, { gMax: undefined })).toMatchObject({ verdict: 'undecided' })
    expect(verdictOf(evidence, { gMax: undefined })).not.toHaveProperty('comparison')
  })

  it('though good requests in the steps before would thin it, and tells of that step alone', () => {
    const good = minutes(60, [
      [1, 300],
      [20, 5700],
    ])
    const bad = minutes(
      4,
      [
        [20, 1500],
        [15, 4500],
      ],
      1,
      good,
    )
    const verdict = verdictOf(bad)
    expect(verdict).toMatchObject({ verdict: 'harm', candidate: { good: 5920, bad: 80 } })
  })

  it('and keeps to it', () => {
    const { verdict, maxE } = judgeGate(
      ask(
        minutes(30, [
          [1, 1000],
          [9, 9000],
        ]),
        { previousMaxE: 150 },
      ),
    )
    expect(verdict).toMatchObject({ verdict: 'harm', pValue: 1 / 150 })
    expect(verdict.explanation).toMatch(/was .* at an earlier look$/)
    expect(maxE).toBe(150)
  })

  it('by the limit alone, once the candidate has all requests', () => {
    const verdict = verdictOf(
      minutes(
        5,
        [
          [50, 1000],
          [0, 0],
        ],
        3,
      ),
    )
    expect(verdict).toMatchObject({ verdict: 'harm', reason: 'LimitExceeded', spent: 0.01 })
    expect(verdict.explanation).not.toContain('stable')
  })
})

describe('a gate that is undecided', () => {
  it('with too few requests, though all failed, and remembers nothing of them', () => {
    const { verdict, maxE } = judgeGate(
      ask(
        minutes(1, [
          [49, 49],
          [0, 500],
        ]),
      ),
    )
    expect(verdict).toMatchObject({ verdict: 'undecided', reason: 'TooFewEvents', pValue: 1 })
    expect(maxE).toBe(0)
    expect(verdict.explanation).toMatch(/at least 50 requests are needed to judge/)
  })

  it('with none at all', () => {
    const verdict = verdictOf(NO_EVIDENCE)
    expect(verdict).toMatchObject({ verdict: 'undecided', reason: 'TooFewEvents', interval: [0, 1] })
    expect(verdict.explanation).toMatch(/^no requests yet; at least 50 requests are needed to judge; a share of 2\.0 %/)
  })

  it('says about how many more requests it takes to see a harm', () => {
    const evidence = minutes(5, [
      [1, 240],
      [2, 2160],
    ])
    const verdict = verdictOf(evidence)
    expect(verdict).toMatchObject({ reason: 'NotClearYet', neededFor: 0.02 })
    expect(verdict.explanation).toMatch(/not clear yet; a share of 2\.0 % would show after about [\d,]+ more requests$/)
    const needed = verdict.needed ?? 0
    const later = (requests: number) => {
      const perMinute = requests / 20
      const arms: Arms = [
        [0.02 * perMinute, perMinute],
        [9 * perMinute * (10 / 10_800), 9 * perMinute],
      ]
      return verdictOf(minutes(20, arms, 0, evidence)).verdict
    }
    expect(later(needed * 1.3)).toBe('harm')
    expect(later(needed * 0.5)).toBe('undecided')
  })

  it('where stable breaks the limit too: that is not the candidate’s harm, whatever it has gathered', () => {
    const { verdict, maxE } = judgeGate(
      ask(
        minutes(20, [
          [30, 1000],
          [270, 9000],
        ]),
      ),
    )
    expect(verdict).toMatchObject({ verdict: 'undecided', reason: 'StableBreaksLimitToo' })
    expect(verdict.explanation).toMatch(/above the limit, but so is stable; not the candidate's harm$/)
    expect(maxE).toBeLessThan(1)
  })

  it('also where stable is above the limit by its numbers alone, as at 1.2 % on both', () => {
    const verdict = verdictOf(
      minutes(60, [
        [8, 600],
        [65, 5400],
      ]),
    )
    expect(verdict.verdict).toBe('undecided')
    expect(verdict.limit?.eValue).toBeLessThan(1)
  })

  it('but calls a candidate harmful that is far worse than a stable above the limit', () => {
    const verdict = verdictOf(
      minutes(10, [
        [40, 600],
        [65, 5400],
      ]),
    )
    expect(verdict).toMatchObject({ verdict: 'harm', reason: 'WorseThanStable' })
  })

  it('where the versions do not get the shares that are asked, with both', () => {
    const evidence = minutes(10, [
      [0, 200],
      [0, 800],
    ])
    const verdict = verdictOf(evidence, { asked: 0.1 })
    expect(verdict).toMatchObject({ verdict: 'undecided', reason: 'RatioOff', share: { got: 0.2, asked: 0.1 } })
    expect(verdict.explanation).toMatch(/the candidate got 20\.0 % of the requests and should get 10\.0 %$/)
    expect(verdictOf(evidence).verdict).toBe('safe')
  })

  it('not where it is harmful: a wrong share excuses nothing', () => {
    const evidence = minutes(5, [
      [40, 200],
      [0, 800],
    ])
    expect(verdictOf(evidence, { asked: 0.1 }).verdict).toBe('harm')
  })
})

describe('a gate that says safe', () => {
  it('for a candidate clearly within the limit', () => {
    const verdict = verdictOf(
      minutes(20, [
        [0, 200],
        [0, 1800],
      ]),
    )
    expect(verdict).toMatchObject({ verdict: 'safe', reason: 'WithinLimit' })
    expect(verdict.explanation).toMatch(/: below the limit$/)
  })

  it('for one that is no worse than stable, near the limit as it is', () => {
    const arms: Arms = [
      [9, 1000],
      [81, 9000],
    ]
    const verdict = verdictOf(minutes(20, arms))
    expect(verdict).toMatchObject({ verdict: 'safe', reason: 'NoWorseThanStable' })
    expect(verdict.explanation).toMatch(/: less than 2\.0 times stable's rate$/)
    expect(verdictOf(minutes(20, arms), { gMax: 1.1 }).verdict).toBe('undecided')
  })

  it('not for one above the limit, as stable is', () => {
    const verdict = verdictOf(
      minutes(15, [
        [12, 1000],
        [108, 9000],
      ]),
    )
    expect(verdict.comparison?.safeEValue).toBeGreaterThan(100)
    expect(verdict.verdict).toBe('undecided')
  })

  it('of the present step alone, once that has enough requests', () => {
    const past = minutes(60, [
      [0, 200],
      [0, 1800],
    ])
    expect(
      verdictOf(
        minutes(
          1,
          [
            [0, 40],
            [0, 100],
          ],
          1,
          past,
        ),
      ),
    ).toMatchObject({ reason: 'TooFewEvents' })
    expect(
      verdictOf(
        minutes(
          1,
          [
            [0, 400],
            [0, 1000],
          ],
          1,
          past,
        ),
      ),
    ).toMatchObject({ reason: 'NotClearYet' })
  })
})

describe('several clusters together', () => {
  it('show a harm that none of them shows alone', () => {
    const clusters = Array.from({ length: 6 }, () =>
      minutes(10, [
        [1, 300],
        [3, 2700],
      ]),
    )
    for (const cluster of clusters) expect(verdictOf(cluster).verdict).toBe('undecided')
    expect(verdictOf(clusters)).toMatchObject({ verdict: 'harm', candidate: { good: 17_940, bad: 60 } })
  })

  it('are compared each by its own share: a sick cluster with more of the candidate is no harm', () => {
    const well = minutes(10, [
      [0, 100],
      [1, 9900],
    ])
    const sick = minutes(10, [
      [5, 1000],
      [5, 1000],
    ])
    expect(verdictOf([well, sick], { limitPercent: 20 }).verdict).not.toBe('harm')
  })
})

describe('a look that saw nothing', () => {
  it('is blind with the evidence so far, never harm or safe', () => {
    const question = ask(
      minutes(5, [
        [50, 200],
        [0, 1800],
      ]),
    )
    const verdict = blindVerdict(question, 'QueryFailed', 'Prometheus answered 503')
    expect(verdict).toMatchObject({ verdict: 'blind', reason: 'QueryFailed', candidate: { good: 750, bad: 250 } })
    expect(verdict.explanation).toMatch(/^Prometheus answered 503; before that: 250 of 1,000 requests failed/)
    expect(verdict).not.toHaveProperty('needed')
  })
})
