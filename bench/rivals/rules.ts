import type { VersionCounts } from '../../src/model/evidence.ts'
import type { Counts } from '../../src/model/rollout.ts'
import { isHigh } from './mann-whitney.ts'

/** A rule that stops a rollout: told the counts of each minute in turn, true when it rolls back. */
export type Rule = (minute: VersionCounts) => boolean

/** Flagger with `request-success-rate` of at least 99 % and `threshold: 5`: failed checks add up over the whole rollout. */
export function flagger(): Rule {
  let failed = 0
  return ({ candidate }) => {
    // No requests are no values, which Flagger counts as a failed check.
    if (total(candidate) === 0 || candidate.good < 0.99 * total(candidate)) failed++
    return failed >= 5
  }
}

/** Minutes that Kayenta is given before its first judgement: with fewer points its test cannot reject by itself. */
const FIRST_POINTS = 5

/** Kayenta's rule on the error rate of each minute, all minutes so far judged again every minute. */
export function kayenta(): Rule {
  const [experiment, control]: [number[], number[]] = [[], []]
  return ({ candidate, stable }) => {
    if (total(candidate) > 0) experiment.push((100 * candidate.bad) / total(candidate))
    if (total(stable) > 0) control.push((100 * stable.bad) / total(stable))
    return control.length >= FIRST_POINTS && isHigh(experiment, control)
  }
}

function total({ good, bad }: Counts): number {
  return good + bad
}
