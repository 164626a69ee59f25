import type { JudgeAnswer, JudgeRequest } from '../model/judge.ts'
import type { Counts } from '../model/rollout.ts'
import { evaluateHarm } from './evaluate-harm.ts'
import { evaluateRatio } from './evaluate-ratio.ts'
import { judgeLimit } from './judge-limit.ts'

/**
 * Evaluates given counts as a gate would: the counts of the stages add up, the end of each stage is one look, and the
 * answer is the verdict of the last look with the highest evidence of all. `body` has passed `judgeRequest`; a limit
 * test without its limit is a RangeError. Bursts are corrected for by the `dispersion` that is given, and not without.
 */
export function evaluateRequest(body: JudgeRequest): JudgeAnswer {
  switch (body.test) {
    case 'limit':
      return evaluateLimit(body)
    case 'harm':
      return evaluateHarm(body)
    case 'ratio':
      return evaluateRatio(body)
  }
}

function evaluateLimit({ alpha, limitPercent = Number.NaN, minEvents, dispersion, stages }: JudgeRequest): JudgeAnswer {
  const ask = { limitPercent, alpha, minEvents, dispersion }
  let candidate: Counts = { good: 0, bad: 0 }
  let stable: Counts = { good: 0, bad: 0 }
  let look = judgeLimit({ ...ask, candidate, stable })
  for (const stage of stages) {
    candidate = sum(candidate, stage.candidate)
    stable = sum(stable, stage.stable)
    look = judgeLimit({ ...ask, candidate, stable, previousMaxE: look.maxE })
  }
  const { verdict, reason, maxE, eValue, safeEValue, pValue, interval, needed, explanation } = look
  return {
    verdict,
    reason,
    eValue: maxE > 0 ? maxE : eValue,
    pValue,
    safeEValue,
    interval: [interval[0], interval[1]],
    ...(needed === undefined ? {} : { needed }),
    explanation,
  }
}

function sum(a: Counts, b: Counts | undefined): Counts {
  return b === undefined ? a : { good: a.good + b.good, bad: a.bad + b.bad }
}
