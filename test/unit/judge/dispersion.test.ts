import { describe, expect, it } from 'vitest'
import {
  addMinute,
  DISPERSIONS,
  dispersionOf,
  isCommon,
  weighedAt,
  weighMinute,
} from '../../../src/judge/dispersion.ts'
import { sumOf } from '../../../src/judge/evidence.ts'
import type { BurstSums, VersionCounts } from '../../../src/model/evidence.ts'
import { drawMinute, seeded, type Traffic } from './draw-traffic.ts'

const counts = (candidate: number, stable: number, [more, others] = [1000, 9000]): VersionCounts => ({
  candidate: { good: more - candidate, bad: candidate },
  stable: { good: others - stable, bad: stable },
})

/** The dispersion that is estimated after each minute of one run. */
function estimates(traffic: Traffic, minutes: number, seed = 1): number[] {
  const random = seeded(seed)
  let bursts: BurstSums = { sum: 0, weight: 0 }
  const seen: VersionCounts[] = []
  return Array.from({ length: minutes }, (_, index) => {
    const minute = drawMinute(random, traffic, index + 1)
    const common = isCommon(minute, sumOf(seen))
    seen.push(minute)
    if (!common) bursts = addMinute(bursts, minute, sumOf(seen))
    return dispersionOf(bursts)
  })
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const medianAfter = (minutes: number, traffic: Traffic) =>
  median(Array.from({ length: 101 }, (_, seed) => estimates(traffic, minutes, seed).at(-1) ?? 0))

const calm: Traffic = { perMinute: 6000, share: 0.1, stable: 0.005, candidate: 0.005 }

describe('the estimate of bursts', () => {
  it('begins on the careful side: five at a time until something is known', () => {
    expect(dispersionOf({ sum: 0, weight: 0 })).toBeGreaterThan(5)
  })

  it('comes down within half an hour where events come alone, and never below 1', () => {
    expect(medianAfter(5, calm)).toBeLessThan(2.2)
    expect(medianAfter(30, calm)).toBeLessThan(1.35)
    for (const estimate of estimates(calm, 30)) expect(estimate).toBeGreaterThanOrEqual(1)
  })

  it.each([5, 10])('finds a dispersion of %d', (dispersion) => {
    const found = medianAfter(30, { ...calm, dispersion })
    expect(found).toBeGreaterThan(dispersion * 0.85)
    expect(found).toBeLessThan(dispersion * 1.5)
  })

  it('is not fooled by rates that move slowly', () => {
    let bursts: BurstSums = { sum: 0, weight: 0 }
    const seen: VersionCounts[] = []
    for (let minute = 0; minute < 60; minute++) {
      const rising = counts(minute, 10 * minute)
      seen.push(rising)
      bursts = addMinute(bursts, rising, sumOf(seen))
    }
    expect(dispersionOf(bursts)).toBeLessThan(1.2)
  })

  it('is not raised by a minute of outage of both versions', () => {
    const outage = { minute: 8, bad: 0.3 }
    for (const perMinute of [600, 6000]) {
      const [with_, without] = [
        { ...calm, perMinute, outage },
        { ...calm, perMinute },
      ]
      expect(medianAfter(8, with_)).toBeLessThan(1.1 * medianAfter(7, without))
      expect(medianAfter(20, with_)).toBeLessThan(1.15 * medianAfter(20, without))
    }
  })

  it('is raised by a burst on one version, for which the other has no match', () => {
    const quiet = Array.from({ length: 10 }, () => counts(1, 9))
    let bursts: BurstSums = { sum: 0, weight: 0 }
    for (const [index, minute] of quiet.entries()) bursts = addMinute(bursts, minute, sumOf(quiet.slice(0, index + 1)))
    const before = dispersionOf(bursts)
    const burst = counts(1, 90)
    expect(isCommon(burst, sumOf(quiet))).toBe(false)
    expect(dispersionOf(addMinute(bursts, burst, sumOf([...quiet, burst])))).toBeGreaterThan(3 * before)
  })
})

describe('a minute that both versions have in common', () => {
  const before = counts(10, 90)

  it.each([
    [counts(100, 900), true],
    [counts(1, 900), false],
    [counts(100, 90), false],
    [counts(15, 130), false],
  ])('%j: %s', (minute, common) => {
    expect(isCommon(minute, before)).toBe(common)
  })

  it('is none before there was another', () => {
    expect(isCommon(counts(100, 900), sumOf([]))).toBe(false)
  })
})

describe('how a minute is weighed', () => {
  it('counts a d-th of each bad event, but never less than one event of all together', () => {
    const at = (dispersion: number, minute: VersionCounts, common = false) =>
      weighMinute(minute, common)[DISPERSIONS.indexOf(dispersion)]
    expect(at(1, counts(3, 9))).toEqual([3, 9])
    expect(at(4, counts(3, 9))).toEqual([0.75, 2.25])
    expect(at(32, counts(3, 9))).toEqual([0.25, 0.75])
    expect(at(4, counts(1, 1))).toEqual([0.5, 0.5])
    expect(at(4, counts(1, 0))).toEqual([1, 0])
    expect(at(4, counts(0, 0))).toEqual([0, 0])
    expect(at(1, counts(100, 900), true)).toEqual([0.1, 0.9])
  })

  it('lies between two dispersions that are kept, and goes on beyond the last', () => {
    const stage = { weighed: weighMinute(counts(30, 90), false) }
    expect(weighedAt(stage, 1)).toEqual([30, 90])
    expect(weighedAt(stage, 5)[0]).toBeCloseTo(6, 10)
    expect(weighedAt(stage, 5)[1]).toBeCloseTo(18, 10)
    expect(weighedAt(stage, 64)[0]).toBeCloseTo(30 / 64, 10)
    const few = { weighed: weighMinute(counts(1, 2), false) }
    for (let dispersion = 1; dispersion < 8; dispersion += 0.1) {
      const exact = 1 / Math.min(dispersion, 3)
      expect(weighedAt(few, dispersion)[0]).toBeGreaterThanOrEqual(exact - 1e-12)
      expect(weighedAt(few, dispersion)[0]).toBeLessThan(exact * 1.05)
    }
  })
})
