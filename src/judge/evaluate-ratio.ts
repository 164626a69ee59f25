import type { JudgeAnswer, JudgeRequest } from '../model/judge.ts'
import { LARGEST_RATIO } from './comparison-test.ts'
import { RATIO_TOLERANCE } from './ratio-check.ts'
import { type ArmCounts, logRatioEvidence, logRatioInterval } from './ratio-test.ts'
import { eValueOf, pValueOf } from './verdict.ts'
import { formatConfidence, formatCount, formatShare, formatTimes } from './words.ts'

/**
 * The test `ratio` of `POST /judge`: do the two versions get the requests that their shares ask? `harm` says they do
 * not; `safe`, that the odds of the candidate's share are within `gMax` times what is asked, either way.
 */
export function evaluateRatio(body: JudgeRequest): JudgeAnswer {
  const { alpha, gMax = RATIO_TOLERANCE, minEvents = 0 } = body
  const looks = body.stages.map((stage) => lookAt(stage, body.dispersion ?? 1))
  const events = looks.reduce((sum, { requests }) => sum + requests, 0)
  const highest = highestEvidence(looks, minEvents)
  const eValue = eValueOf(highest ?? evidenceOf(looks))
  const [low, high] = logRatioInterval(mergeByShare(looks), alpha)
  const off = highest !== undefined && eValue >= 1 / alpha
  const isWithin = high <= Math.log(gMax) && low >= -Math.log(gMax)
  const reason = events < minEvents ? 'TooFewEvents' : off ? 'RatioOff' : isWithin ? 'RatioAsAsked' : 'NotClearYet'
  return {
    verdict: VERDICTS[reason],
    reason,
    eValue,
    pValue: highest === undefined ? 1 : pValueOf(eValue),
    interval: [Math.exp(low), Math.min(Math.exp(high), LARGEST_RATIO)],
    explanation: `${describe(body, [low, high])}; ${WORDS[reason]}`,
  }
}

const VERDICTS = {
  RatioOff: 'harm',
  RatioAsAsked: 'safe',
  TooFewEvents: 'undecided',
  NotClearYet: 'undecided',
} as const

const WORDS = {
  RatioOff: 'the versions do not get the requests that they should',
  RatioAsAsked: 'as asked',
  TooFewEvents: 'too few requests to judge',
  NotClearYet: 'nothing speaks against the shares that are asked',
} as const

function lookAt({ share = 0, candidate, stable }: JudgeRequest['stages'][number], dispersion: number): Look {
  const requests = candidate.good + candidate.bad
  const others = (stable?.good ?? 0) + (stable?.bad ?? 0)
  const isAsked = share > 0 && share < 1
  return { share: isAsked ? share : undefined, requests, counts: [others / dispersion, requests / dispersion] }
}

interface Look {
  /** Undefined when it is 0 or 1: then there is nothing to test. */
  readonly share: number | undefined
  /** Of the candidate. */
  readonly requests: number
  /** As they weigh, stable's first. */
  readonly counts: readonly [number, number]
}

/** Looks at the same share add up; those at other shares have evidence of their own, and these multiply. */
function mergeByShare(looks: readonly Look[]): ArmCounts[] {
  const byShare = new Map<number, readonly [number, number]>()
  for (const { share, counts } of looks) {
    if (share === undefined) continue
    const known = byShare.get(share) ?? [0, 0]
    byShare.set(share, [known[0] + counts[0], known[1] + counts[1]])
  }
  return [...byShare].map(([share, counts]) => ({ shares: [1 - share, share], counts }))
}

function evidenceOf(looks: readonly Look[]): number {
  return mergeByShare(looks).reduce((sum, arms) => sum + logRatioEvidence(arms), 0)
}

function highestEvidence(looks: readonly Look[], minEvents: number): number | undefined {
  let requests = 0
  let highest: number | undefined
  for (const [index, look] of looks.entries()) {
    requests += look.requests
    if (requests < minEvents) continue
    const evidence = evidenceOf(looks.slice(0, index + 1))
    highest = Math.max(highest ?? evidence, evidence)
  }
  return highest
}

function describe({ stages, alpha }: JudgeRequest, [low, high]: readonly [number, number]): string {
  const requests = stages.reduce((sum, { candidate }) => sum + candidate.good + candidate.bad, 0)
  const all = stages.reduce((sum, { stable }) => sum + (stable?.good ?? 0) + (stable?.bad ?? 0), requests)
  const asked = [...new Set(stages.map(({ share = 0 }) => formatShare(share)))].join(', ')
  const got = `${formatCount(requests)} of ${formatCount(all)} requests went to the candidate`
  const share = all === 0 ? '' : ` (${formatShare(requests / all)})`
  const most = Number.isFinite(high) ? formatTimes(Math.exp(high)) : 'any number of'
  const range = `odds between ${formatTimes(Math.exp(low))} and ${most} times those asked, with ${formatConfidence(alpha)} confidence`
  return `${got}${share}, asked ${asked}: ${range}`
}
