import { DEFAULT_G_MAX } from '../model/gate.ts'
import type { JudgeAnswer, JudgeRequest } from '../model/judge.ts'
import {
  type Comparison,
  type ComparisonQuestion,
  compare,
  describeComparison,
  requestsUntilWorse,
  type Stage,
  thinned,
} from './compare.ts'
import { logWorseEvidence } from './comparison-test.ts'
import { eValueOf, pValueOf } from './verdict.ts'
import { formatCount, formatTimes } from './words.ts'

type Reason = 'WorseThanStable' | 'NoWorseThanStable' | 'TooFewEvents' | 'NotClearYet'

const VERDICTS = {
  WorseThanStable: 'harm',
  NoWorseThanStable: 'safe',
  TooFewEvents: 'undecided',
  NotClearYet: 'undecided',
} as const

/**
 * The test `harm` of `POST /judge`: bad events of the candidate against those of stable, each stage with its own share.
 * The end of each stage is a look; a look with fewer than `minEvents` of the candidate does not count.
 */
export function evaluateHarm(body: JudgeRequest): JudgeAnswer {
  const { alpha, gMax = DEFAULT_G_MAX, dispersion } = body
  const question = { stages: body.stages.map(stageOf), alpha, gMax, dispersion }
  const comparison = compare(question)
  const minEvents = body.minEvents ?? 0
  const highest = highestEvidence(question, minEvents)
  const found: Found = {
    comparison,
    highest: eValueOf(highest ?? comparison.logWorse),
    counted: highest !== undefined,
    safeEValue: eValueOf(comparison.logNotWorse),
    minEvents,
  }
  const reason = reasonOf(found, 1 / alpha)
  const more = VERDICTS[reason] === 'undecided' ? requestsUntilWorse(question) : undefined
  const needed = more === undefined ? undefined : Math.max(more, minEvents - eventsOf(comparison))
  return {
    verdict: VERDICTS[reason],
    reason,
    eValue: found.highest,
    pValue: found.counted ? pValueOf(found.highest) : 1,
    safeEValue: found.safeEValue,
    interval: comparison.interval,
    ...(needed === undefined ? {} : { needed }),
    explanation: `${describeComparison(comparison, { alpha })}; ${conclusion(reason, found, { gMax, needed })}`,
  }
}

interface Found {
  readonly comparison: Comparison
  /** The highest evidence of all looks that counted, or of the last when none did. */
  readonly highest: number
  readonly counted: boolean
  readonly safeEValue: number
  readonly minEvents: number
}

function stageOf({ share = 0, candidate, stable = { good: 0, bad: 0 } }: JudgeRequest['stages'][number]): Stage {
  return { share, candidate, stable }
}

function highestEvidence(question: ComparisonQuestion, minEvents: number): number | undefined {
  let events = 0
  let highest: number | undefined
  for (const [index, { candidate }] of question.stages.entries()) {
    events += candidate.good + candidate.bad
    if (events < minEvents) continue
    const evidence = logWorseEvidence(thinned({ ...question, stages: question.stages.slice(0, index + 1) }))
    highest = Math.max(highest ?? evidence, evidence)
  }
  return highest
}

function reasonOf({ comparison, highest, counted, safeEValue, minEvents }: Found, bar: number): Reason {
  if (eventsOf(comparison) < minEvents) return 'TooFewEvents'
  if (counted && highest >= bar) return 'WorseThanStable'
  return safeEValue >= bar ? 'NoWorseThanStable' : 'NotClearYet'
}

function conclusion(reason: Reason, found: Found, more: { gMax: number; needed: number | undefined }): string {
  const times = formatTimes(more.gMax)
  const outlook =
    more.needed === undefined
      ? ''
      : `; ${times} times stable's rate would show after about ${formatCount(more.needed)} more requests to the candidate`
  switch (reason) {
    case 'WorseThanStable':
      return eValueOf(found.comparison.logWorse) < found.highest
        ? 'it was worse than stable at an earlier look'
        : 'worse than stable'
    case 'NoWorseThanStable':
      return `less than ${times} times stable's rate`
    case 'TooFewEvents':
      return `at least ${formatCount(found.minEvents)} requests are needed to judge${outlook}`
    case 'NotClearYet':
      return `not clear yet${outlook}`
  }
}

function eventsOf({ candidate }: Comparison): number {
  return candidate.good + candidate.bad
}
