import type { GateVerdict, ValueSeen } from '../model/rollout.ts'
import type { BlindReason } from './judge-gate.ts'

/** What a gate on a value is asked at one look. */
export interface ValueQuestion {
  readonly value: number
  /** Stable's, where it is known. */
  readonly stable?: number | undefined
  readonly min?: number | undefined
  readonly max?: number | undefined
  /** So many looks in a row out of bounds are harm. */
  readonly looks: number
  /** Looks in a row before this one, in this step. */
  readonly breaches: number
}

export interface ValueVerdict extends GateVerdict {
  readonly value: ValueSeen
}

/** Is a value out of bounds? */
export function isOutOfBounds(value: number, { min, max }: Pick<ValueQuestion, 'min' | 'max'>): boolean {
  return (min !== undefined && value < min) || (max !== undefined && value > max)
}

/**
 * Judges a value by its bounds. Safe: it keeps them now. Harm: it broke them at `looks` looks in a row. Where stable breaks
 * them too it is not the candidate's harm, and the look does not count. One number a look tells nothing of chance: no
 * error rate is promised, and none of the rollout's alpha is spent.
 */
export function judgeValue(question: ValueQuestion): ValueVerdict {
  const { value, stable, looks } = question
  const out = isOutOfBounds(value, question)
  const stableToo = out && stable !== undefined && isOutOfBounds(stable, question)
  const breaches = stableToo ? question.breaches : out ? question.breaches + 1 : 0
  const seen = { ...seenOf(question), candidate: value, breaches, ...(stable === undefined ? {} : { stable }) }
  const told = `the value is ${written(value)}, ${boundWords(question)} asked`
  if (!out) return verdict('safe', 'WithinBounds', `${told}`, seen)
  if (stableToo) {
    const also = `but so is stable’s (${written(stable)}); not the candidate’s harm`
    return verdict('undecided', 'StableBreaksLimitToo', `${told}: out of bounds, ${also}`, seen)
  }
  const row = `out of bounds at ${breaches} ${breaches === 1 ? 'look' : 'looks in a row'}`
  return breaches >= looks
    ? verdict('harm', 'OutOfBounds', `${told}: ${row}`, seen)
    : verdict('undecided', 'OutOfBoundsNow', `${told}: ${row}; ${looks} are harm`, seen)
}

/** The verdict of a look that saw no value, with `why` in words. Looks before and after it are in a row. */
export function blindValue(
  question: Omit<ValueQuestion, 'value' | 'stable'>,
  reason: BlindReason,
  why: string,
): GateVerdict {
  const known = question.breaches === 0 ? '' : `; before that: out of bounds at ${question.breaches} looks in a row`
  return { ...NO_STATISTICS, verdict: 'blind', reason, explanation: `${why}${known}` }
}

const NONE = { good: 0, bad: 0 }
const NO_STATISTICS = { candidate: NONE, stable: NONE, eValue: 0, pValue: 1, interval: [0, 1], alpha: 0 } as const

function verdict(verdict: GateVerdict['verdict'], reason: string, explanation: string, value: ValueSeen): ValueVerdict {
  return { ...NO_STATISTICS, verdict, reason, explanation, value }
}

function seenOf({ min, max, looks }: ValueQuestion): Pick<ValueSeen, 'min' | 'max' | 'looks'> {
  return { looks, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) }
}

function boundWords({ min, max }: ValueQuestion): string {
  const words = [
    ...(min === undefined ? [] : [`at least ${written(min)}`]),
    ...(max === undefined ? [] : [`at most ${written(max)}`]),
  ]
  return `${words.join(' and ')} ${words.length === 1 ? 'is' : 'are'}`
}

/** Six digits are more than anybody looks at. */
function written(value: number): string {
  return String(Number(value.toPrecision(6)))
}
