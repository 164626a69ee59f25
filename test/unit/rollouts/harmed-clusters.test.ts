import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Counts, GateProgress, Rollout } from '../../../src/model/rollout.ts'
import { decide } from '../../../src/rollouts/decide.ts'
import { afterLook, judgeOverall, progressOf } from '../../../src/rollouts/gate-progress.ts'
import { harmedClusters } from '../../../src/rollouts/harmed-clusters.ts'
import { aProgress, aRollout, aTarget, aVerdict, MINUTE, onCluster, SECOND, seen, T0 } from './fixture.ts'

const GATE = { kind: 'errors', limitPercent: 1 } as const
/** Requests a minute at 10 %. */
const [CANDIDATE, STABLE] = [50, 450]
const names = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`)

/** Numbers in 0..1, always the same for a seed (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function draw(all: number, share: number, next: () => number): Counts {
  const bad = Array.from({ length: all }, next).filter((one) => one < share).length
  return { good: all - bad, bad }
}

/** A frozen rollout at its first step, whose gate has looked each minute until it calls harm; undefined: it never does. */
function atFirstHarm(shares: readonly number[], seed: number): Rollout | undefined {
  const next = numbers(seed)
  let rollout = aRollout('progressing', {
    onHarm: 'freeze',
    targets: shares.map((_, index) => aTarget(`c${index}`, 10, { highestWeight: 10 })),
  })
  for (let minute = 1; minute <= 60; minute += 1) {
    const now = T0 + minute * MINUTE
    const window = { fromMs: now - MINUTE, toMs: now, nowMs: now, notBeforeMs: now - 30 * SECOND }
    const looked = shares.map((share, index): GateProgress => {
      const target = rollout.targets[index] ?? aTarget('', 0)
      const byVersion = { v1: draw(STABLE, 0.003, next), v2: draw(CANDIDATE, share, next) }
      const look = { rollout, target, gate: GATE, window, now }
      return afterLook(progressOf(rollout, 0, target.cluster), { ok: true, byVersion }, look)
    })
    const overall = judgeOverall(rollout, 0, [...looked, progressOf(rollout, 0, '*')])
    rollout = { ...rollout, progress: [...looked, ...(overall ? [overall] : [])] }
    if (rollout.progress.some(({ last }) => last?.verdict === 'harm')) return rollout
  }
  return undefined
}

const isTogetherAlone = ({ progress }: Rollout) =>
  progress.filter(({ last }) => last?.verdict === 'harm').every(({ cluster }) => cluster === '*')

const [SICK, WELL] = [0.06, 0.003]
const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed)
/** Where harm is told to be, of the rollouts in which all clusters together showed it first. */
const placed = (shares: readonly number[], count: number) =>
  seeds(count).flatMap((seed) => {
    const rollout = atFirstHarm(shares, seed)
    return rollout && isTogetherAlone(rollout) ? [[...harmedClusters(rollout)].join()] : []
  })

describe('harm that only all clusters together show', () => {
  it('is none of one cluster: that shows it by itself, however many others there are', () => {
    expect(placed([SICK, ...Array<number>(5).fill(WELL)], 5)).toEqual([])
    expect(placed([0.6, WELL, WELL], 5)).toEqual([])
  })

  it('of two among six is placed on both, or takes all back, and on no other', () => {
    const ends = placed([SICK, SICK, WELL, WELL, WELL, WELL], 20)
    expect(new Set(ends)).toEqual(new Set(['c0,c1', '']))
    expect(ends.filter((end) => end !== '').length).toBeGreaterThan(ends.length / 3)
  })

  it('takes all back where all have it', () => {
    const ends = placed(Array<number>(6).fill(0.02), 8)
    expect(ends.length).toBeGreaterThan(5)
    expect(new Set(ends)).toEqual(new Set(['']))
    expect(new Set(placed([0.02, 0.02], 8))).toEqual(new Set(['']))
  })

  it('leaves no sign of harm among the others, and takes none without evidence of its own', () => {
    const shares = fc.array(fc.constantFrom(WELL, WELL, 0.02, SICK), { minLength: 2, maxLength: 6 })
    fc.assert(
      fc.property(shares, fc.integer(), (given, seed) => {
        const rollout = atFirstHarm(given, seed)
        const harmed = rollout && isTogetherAlone(rollout) ? harmedClusters(rollout) : new Set()
        if (!rollout || harmed.size === 0) return
        const looked = rollout.progress.filter(({ cluster }) => cluster !== '*')
        const rest = looked.filter(({ cluster }) => !harmed.has(cluster))
        const left = judgeOverall({ ...rollout, progress: rest }, 0, rest) ?? rest[0]
        expect(left?.last?.eValue).toBeLessThanOrEqual(1)
        for (const one of looked) if (harmed.has(one.cluster)) expect(one.last?.eValue).toBeGreaterThanOrEqual(20)
      }),
      { numRuns: 10 },
    )
  })

  it('pauses the rollout without those clusters, says why, and is not called again of the others', () => {
    const shares = [SICK, SICK, WELL, WELL, WELL, WELL]
    const rollout = seeds(20)
      .map((seed) => atFirstHarm(shares, seed))
      .find((one) => one && isTogetherAlone(one) && harmedClusters(one).size > 0)
    if (!rollout) throw new Error('no seed has it')
    const targets = Object.fromEntries(names(6).map((name) => [name, onCluster()]))
    const frozen = decide(rollout, seen(rollout, { targets }))
    expect(frozen).toMatchObject({
      phase: 'paused',
      targets: [0, 0, 10, 10, 10, 10].map((weight) => ({ weight, ...(weight === 0 ? { out: 'harm' } : {}) })),
      message: expect.stringMatching(
        /^gate errors on all clusters together: .* Without c0, c1 the others show no sign of it\. c0, c1 go back to stable,/,
      ),
    })
    expect(judgeOverall(frozen, 0, frozen.progress)?.last?.verdict).not.toBe('harm')
    expect(decide(frozen, seen(frozen, { targets })).phase).toBe('paused')
    const { onHarm: _freeze, ...plain } = rollout
    expect(decide(plain, seen(plain, { targets }))).toMatchObject({ phase: 'rolling-back' })
  })
})

describe('harm that clusters show by themselves', () => {
  const targets = names(3).map((name) => aTarget(name, 10))
  const harm = (...clusters: readonly string[]) =>
    harmedClusters(
      aRollout('progressing', {
        targets,
        progress: clusters.map((name) => aProgress(name, { last: aVerdict('harm') })),
      }),
    )

  it('is theirs alone, also where all together show it; on every cluster it is nobody’s own', () => {
    expect(harm('c1')).toEqual(new Set(['c1']))
    expect(harm('c1', '*')).toEqual(new Set(['c1']))
    expect(harm('c0', 'c1')).toEqual(new Set(['c0', 'c1']))
    expect(harm('c0', 'c1', 'c2')).toEqual(new Set())
    expect(harm()).toEqual(new Set())
  })
})
