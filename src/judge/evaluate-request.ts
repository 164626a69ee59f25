import type { JudgeAnswer, JudgeRequest } from '../model/judge.ts'
import type { Counts } from '../model/rollout.ts'
import { judgeLimit } from './evaluate-gate.ts'
import type { LimitVerdict } from './verdict.ts'

/** Either the answer of `POST /judge`, or that its test is not built yet (the API answers 501). */
export type JudgeOutcome =
  | { readonly ok: true; readonly answer: JudgeAnswer }
  | { readonly ok: false; readonly reason: 'TestNotBuilt'; readonly message: string }

/**
 * Evaluates given counts as a gate would: the counts of the stages add up, the end of each stage is one look, and the
 * answer is the verdict of the last look with the highest evidence of all. `body` has passed `judgeRequest`; a limit
 * test without its limit is a RangeError.
 */
export function evaluateRequest(body: JudgeRequest): JudgeOutcome {
  if (body.test !== 'limit') {
    const message = `the test ${body.test} is not built yet; the test limit is`
    return { ok: false, reason: 'TestNotBuilt', message }
  }
  const { alpha, limitPercent = Number.NaN, minEvents } = body
  let candidate: Counts = { good: 0, bad: 0 }
  let stable: Counts = { good: 0, bad: 0 }
  let look = judgeLimit({ candidate, stable, limitPercent, alpha, minEvents })
  for (const stage of body.stages) {
    candidate = sum(candidate, stage.candidate)
    stable = sum(stable, stage.stable)
    look = judgeLimit({ candidate, stable, limitPercent, alpha, minEvents, previousMaxE: look.maxE })
  }
  return { ok: true, answer: answerOf(look) }
}

function answerOf({ verdict, eValue, maxE, pValue, interval, explanation }: LimitVerdict): JudgeAnswer {
  return { verdict, eValue: maxE > 0 ? maxE : eValue, pValue, interval: [interval[0], interval[1]], explanation }
}

function sum(a: Counts, b: Counts | undefined): Counts {
  return b === undefined ? a : { good: a.good + b.good, bad: a.bad + b.bad }
}
