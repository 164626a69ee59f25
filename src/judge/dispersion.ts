import type { BurstSums, EvidenceStage, VersionCounts } from '../model/evidence.ts'
import type { Counts } from '../model/rollout.ts'

/**
 * Bursts: real errors come in clumps, so that the counts of a minute vary more than events that come alone would. The
 * dispersion is their variance over that of single events (1: none). If bad events come in bursts of at most d, each on
 * one version, then a test that counts a d-th of every bad event keeps its promise (docs/judge.md).
 */

/** The dispersions for which a stage keeps its weighed sums; between them the sums are interpolated. */
export const DISPERSIONS: readonly number[] = [1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32]

/** Before anything is known, bad events are taken to come so many at a time; the guess is worth so many minutes. */
const PRIOR_DISPERSION = 4
const PRIOR_MINUTES = 2

/** How many standard errors above the estimate we stay: 60 % above it at first, 12 % after half an hour. */
const CAUTION = 0.6

/** One difference of two minutes tells no more than this, however large it is. */
const MOST_OF_ONE = 200

/** Minutes in which both versions failed so much more than before (in standard deviations) tell nothing of bursts. */
const COMMON_DEVIATIONS = 3

/** The dispersion to correct for: estimated, on the careful side, and never below 1. */
export function dispersionOf({ sum, weight }: BurstSums): number {
  const known = PRIOR_MINUTES + weight
  const estimate = (PRIOR_MINUTES * PRIOR_DISPERSION + sum) / known
  return Math.max(1, estimate * (1 + CAUTION * Math.sqrt(2 / known)))
}

/**
 * Takes a minute into the sums, by its difference from the one before: so slow changes of the rate do not count, and a
 * sudden one but once. `whole` are all counts so far with the minute's own.
 */
export function addMinute(bursts: BurstSums, minute: VersionCounts, whole: VersionCounts): BurstSums {
  const { last } = bursts
  if (!last) return { ...bursts, last: minute }
  const told = (['candidate', 'stable'] as const).flatMap((version) =>
    difference(minute[version], last[version], whole[version]),
  )
  return {
    sum: told.reduce((sum, { weight, square }) => sum + weight * square, bursts.sum),
    weight: told.reduce((sum, { weight }) => sum + weight, bursts.weight),
    last: minute,
  }
}

/** Few expected events tell little: hardly ever anything happens at all. */
function difference(now: Counts, before: Counts, whole: Counts): { square: number; weight: number }[] {
  const [requests, requestsBefore] = [total(now), total(before)]
  if (requests === 0 || requestsBefore === 0) return []
  const rate = (whole.bad + 0.5) / (total(whole) + 1)
  const spread = 1 / requests + 1 / requestsBefore
  const square = (now.bad / requests - before.bad / requestsBefore) ** 2 / (spread * rate)
  const expected = (2 * rate) / spread
  return [{ square: Math.min(square, MOST_OF_ONE), weight: expected / (1 + expected) }]
}

/**
 * Did both versions fail far more in this minute than before? Then something that both depend on was down: it is weighed
 * as one event, is none of the candidate's breaches of the limit, and no burst. `before` are all counts without it.
 */
export function isCommon(minute: VersionCounts, before: VersionCounts): boolean {
  return isElevated(minute.candidate, before.candidate) && isElevated(minute.stable, before.stable)
}

function isElevated(now: Counts, before: Counts): boolean {
  if (total(before) === 0 || total(now) === 0) return false
  const expected = (total(now) * (before.bad + 0.5)) / (total(before) + 1)
  return now.bad > 2 * expected && (now.bad - expected) ** 2 > COMMON_DEVIATIONS ** 2 * expected
}

/**
 * A minute's bad events as they weigh at each dispersion: a d-th of each, but all together as one event at least, for they
 * are no more than one burst. A common minute is one event.
 */
export function weighMinute(
  { candidate, stable }: VersionCounts,
  common: boolean,
): readonly (readonly [number, number])[] {
  const bad = candidate.bad + stable.bad
  return DISPERSIONS.map((dispersion) => {
    const by = Math.max(1, common ? bad : Math.min(dispersion, bad))
    return [candidate.bad / by, stable.bad / by]
  })
}

/** A stage's bad events as they weigh at a dispersion: interpolated over 1/dispersion, in which most of it is linear. */
export function weighedAt({ weighed }: Pick<EvidenceStage, 'weighed'>, dispersion: number): readonly [number, number] {
  const next = DISPERSIONS.findIndex((known) => known >= dispersion)
  const above = DISPERSIONS[next]
  const below = DISPERSIONS[Math.max(0, next - 1)]
  if (next < 0) return scaled(weighed.at(-1), (DISPERSIONS.at(-1) ?? 1) / dispersion)
  if (above === undefined || below === undefined || above === below) return scaled(weighed[Math.max(0, next)], 1)
  const part = (1 / dispersion - 1 / above) / (1 / below - 1 / above)
  const [low, high] = [scaled(weighed[next], 1 - part), scaled(weighed[next - 1], part)]
  return [low[0] + high[0], low[1] + high[1]]
}

function scaled(pair: readonly [number, number] | undefined, factor: number): [number, number] {
  return [(pair?.[0] ?? 0) * factor, (pair?.[1] ?? 0) * factor]
}

function total({ good, bad }: Counts): number {
  return good + bad
}
