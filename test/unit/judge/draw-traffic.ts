import type { VersionCounts } from '../../../src/model/evidence.ts'
import type { Counts } from '../../../src/model/rollout.ts'

/** Numbers of 0..1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export interface Traffic {
  readonly perMinute: number
  /** The candidate's part of the requests. */
  readonly share: number
  /** Bad shares. */
  readonly stable: number
  readonly candidate: number
  /** Variance of bad events over their mean; 1: each comes alone, else gamma-Poisson. */
  readonly dispersion?: number
  /** In this minute (from 1) both versions have this bad share. */
  readonly outage?: { readonly minute: number; readonly bad: number }
}

/** One minute of two versions: requests by chance, bad ones alone or in bursts. */
export function drawMinute(random: () => number, traffic: Traffic, minute: number): VersionCounts {
  const { perMinute, share, dispersion = 1, outage } = traffic
  const ofCandidate = binomial(random, perMinute, share)
  const bad = (rate: number) => (outage?.minute === minute ? Math.max(rate, outage.bad) : rate)
  const draw = (requests: number, rate: number): Counts => {
    const mean = requests * rate
    const events =
      dispersion > 1
        ? Math.min(requests, poisson(random, gamma(random, mean / (dispersion - 1)) * (dispersion - 1)))
        : binomial(random, requests, rate)
    return { good: requests - events, bad: events }
  }
  return {
    candidate: draw(ofCandidate, bad(traffic.candidate)),
    stable: draw(perMinute - ofCandidate, bad(traffic.stable)),
  }
}

/** Marsaglia and Tsang; shapes below 1 by their power of a uniform number. */
function gamma(random: () => number, shape: number): number {
  if (shape <= 0) return 0
  if (shape < 1) return gamma(random, shape + 1) * uniform(random) ** (1 / shape)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = normal(random)
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(uniform(random)) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
  }
}

/** Knuth's product below 30; larger means by splitting off a gamma (Ahrens and Dieter). */
function poisson(random: () => number, mean: number): number {
  if (mean <= 0) return 0
  if (mean >= 30) {
    const events = Math.floor((mean * 7) / 8)
    const time = gamma(random, events)
    return time > mean ? binomial(random, events - 1, mean / time) : events + poisson(random, mean - time)
  }
  const end = Math.exp(-mean)
  let events = 0
  for (let product = random(); product > end; product *= random()) events++
  return events
}

/** Gaps between successes where they are few; halving by a beta number where they are many. */
function binomial(random: () => number, trials: number, chance: number): number {
  if (trials <= 0 || chance <= 0) return 0
  if (chance >= 1) return trials
  if (chance > 0.5) return trials - binomial(random, trials, 1 - chance)
  if (trials * chance < 20) {
    const log = Math.log1p(-chance)
    let successes = -1
    for (let at = 0; at <= trials; at += Math.floor(Math.log(uniform(random)) / log) + 1) successes++
    return successes
  }
  const middle = Math.floor((trials + 1) / 2)
  const x = gamma(random, middle)
  const border = x / (x + gamma(random, trials + 1 - middle))
  if (chance > border) return middle + binomial(random, trials - middle, (chance - border) / (1 - border))
  return binomial(random, middle - 1, chance / border)
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(uniform(random))) * Math.cos(2 * Math.PI * random())
}

/** Never 0. */
function uniform(random: () => number): number {
  return 1 - random()
}
