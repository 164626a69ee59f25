import type { Counts, GateVerdict } from '../model/rollout.ts'
import { LARGEST_RATIO } from './comparison-test.ts'
import { total } from './evidence.ts'
import { formatConfidence, formatCount, formatShare, formatTimes } from './words.ts'

/** Corrections smaller than this are not worth a word. */
const WORTH_TELLING = 1.1

interface Wording {
  readonly minEvents: number
  readonly badMeans: string
  /** The harm was seen at an earlier look. */
  readonly wasEarlier: boolean
}

type Facts = Omit<GateVerdict, 'explanation'>

/** A verdict in words: counts, interval, limit, ratio, bursts, and what follows. */
export function explainGate(facts: Facts, wording: Wording): string {
  if (total(facts.candidate) === 0) return `no requests yet; ${conclusion(facts, wording)}`
  const [low, high] = facts.interval
  const range = `between ${formatShare(low)} and ${formatShare(high)} with ${formatConfidence(facts.alpha)} confidence`
  const sentences = [
    `${tally(facts.candidate, wording.badMeans)}, ${range}`,
    `the limit is ${facts.limitPercent} %`,
    ...stableWords(facts),
    ...burstWords(facts),
  ]
  return `${sentences.join('; ')}: ${conclusion(facts, wording)}`
}

function stableWords({ stable, comparison }: Facts): string[] {
  if (total(stable) === 0) return []
  const counts = `stable ${formatCount(stable.bad)} of ${formatCount(total(stable))} (${formatShare(stable.bad / total(stable))})`
  if (comparison?.ratio === undefined) return [counts]
  const { ratio, interval } = comparison
  const [low, high] = interval
  const range = high >= LARGEST_RATIO ? `${formatTimes(low)} at least` : `${formatTimes(low)} to ${formatTimes(high)}`
  const times = ratio >= LARGEST_RATIO / 2 ? 'nothing like it on stable' : `${formatTimes(ratio)} times stable's rate`
  return [`${counts}, so ${times} (${range})`]
}

function burstWords({ dispersion = 1 }: Facts): string[] {
  if (dispersion < WORTH_TELLING) return []
  return [`counted as if they came ${formatTimes(dispersion)} at a time`]
}

function conclusion(facts: Facts, { minEvents, wasEarlier }: Wording): string {
  const earlier = (word: string) => (wasEarlier ? `was ${word} at an earlier look` : word)
  switch (facts.reason) {
    case 'LimitExceeded':
      return earlier('above the limit')
    case 'WorseThanStable':
      return earlier('worse than stable')
    case 'WithinLimit':
      return 'below the limit'
    case 'NoWorseThanStable':
      return `less than ${formatTimes(facts.comparison?.gMax ?? 1)} times stable's rate`
    case 'TooFewEvents':
      return `at least ${formatCount(minEvents)} requests are needed to judge${outlook(facts)}`
    case 'StableBreaksLimitToo':
      return "above the limit, but so is stable; not the candidate's harm"
    case 'RatioOff':
      return `the candidate got ${formatShare(facts.share?.got ?? 0)} of the requests and should get ${formatShare(facts.share?.asked ?? 0)}`
    default:
      return `not clear yet${outlook(facts)}`
  }
}

function outlook({ needed, neededFor }: Facts): string {
  if (needed === undefined || neededFor === undefined) return ''
  return `; a share of ${formatShare(neededFor)} would show after about ${formatCount(needed)} more requests`
}

function tally(counts: Counts, badMeans: string): string {
  return `${formatCount(counts.bad)} of ${formatCount(total(counts))} requests ${badMeans} (${formatShare(counts.bad / total(counts))})`
}
