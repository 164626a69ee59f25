import type { VersionCounts } from '../model/evidence.ts'
import { ROUGH } from './comparison-test.ts'
import { shareOf, total, type WeighedStage } from './evidence.ts'
import { type GateTests, harmEvidence } from './gate-evidence.ts'
import { harmToLookFor } from './verdict.ts'

export interface Outlook {
  /** About how many more requests to the candidate; half of real cases need fewer. */
  readonly needed: number
  /** Until a bad share of this (0..1) would be seen. */
  readonly neededFor: number
}

/** Nobody need know of fewer, or wait for more. */
const FEWEST = 4
const MOST = 1e9

/**
 * About how many more requests to the candidate until it is seen that its bad share is twice the limit, or `gMax` times
 * stable's where that is more: how many it takes to reach 1/alpha when every request from now on has that share, at the
 * share of the requests that it gets now, and stable stays as it is. To a tenth. Undefined: it would never show.
 */
export function requestsUntilHarm(
  stages: readonly WeighedStage[],
  { alpha, part, counts, ...tests }: GateTests & { alpha: number; part: number; counts: VersionCounts },
): Outlook | undefined {
  const stableShare = total(counts.stable) === 0 ? 0 : counts.stable.bad / total(counts.stable)
  const neededFor = Math.min(1, Math.max(harmToLookFor(tests.limitPercent / 100), (tests.gMax ?? 0) * stableShare))
  const share = shareOf(counts)
  const last = stages.at(-1)
  const dispersion = last && total(last.limited.candidate) > 0 ? weighOf(last) : 1
  const isSeen = (requests: number) => {
    const others = share > 0 ? (requests * (1 - share)) / share : 0
    const next = future({ part, share, requests, others, bad: neededFor, stableBad: stableShare, dispersion })
    return harmEvidence([...stages, next], tests, ROUGH).log >= Math.log(1 / alpha)
  }
  let enough = FEWEST
  while (!isSeen(enough)) {
    enough *= 4
    if (enough > MOST) return undefined
  }
  let tooFew = enough / 4
  while (enough > 1.1 * tooFew) {
    const middle = Math.sqrt(tooFew * enough)
    if (isSeen(middle)) enough = middle
    else tooFew = middle
  }
  return { needed: Math.ceil(enough), neededFor }
}

/** How many times less a stage's requests weigh than they are. */
function weighOf({ candidate, limited }: WeighedStage): number {
  return Math.max(1, total(candidate) / total(limited.candidate))
}

interface Future {
  readonly part: number
  readonly share: number
  readonly requests: number
  readonly others: number
  readonly bad: number
  readonly stableBad: number
  readonly dispersion: number
}

function future({ part, share, requests, others, bad, stableBad, dispersion }: Future): WeighedStage {
  const counts = (all: number, part: number) => ({ good: all * (1 - part), bad: all * part })
  return {
    part,
    isPresent: true,
    share,
    candidate: counts(requests, bad),
    stable: counts(others, stableBad),
    compared: { candidate: (requests * bad) / dispersion, stable: (others * stableBad) / dispersion },
    limited: { candidate: counts(requests / dispersion, bad), stable: counts(others, stableBad) },
  }
}
