import { describe, expect, it } from 'vitest'
import type { CountingGate } from '../../../src/model/gate.ts'
import type { Counts, GateProgress, Rollout } from '../../../src/model/rollout.ts'
import { afterLook, judgeOverall, partsOf, progressOf } from '../../../src/rollouts/gate-progress.ts'
import { aRollout, aTarget, MINUTE, SECOND, T0 } from './fixture.ts'

const ERRORS: CountingGate = { kind: 'errors', limitPercent: 1 }
const counts = (all: number, bad: number): Counts => ({ good: all - bad, bad })

/** The progress after a look a minute, each with the same counts. */
function looked(
  rollout: Rollout,
  [stable, candidate]: readonly [Counts, Counts],
  { cluster = 'east', minutes = 1, gate = ERRORS }: { cluster?: string; minutes?: number; gate?: CountingGate } = {},
): GateProgress {
  const target = rollout.targets.find((one) => one.cluster === cluster) ?? aTarget(cluster, 10)
  let progress = progressOf(rollout, 0, cluster)
  for (let minute = 1; minute <= minutes; minute++) {
    const now = T0 + minute * MINUTE
    const window = { fromMs: now - MINUTE, toMs: now, nowMs: now, notBeforeMs: now - 30 * SECOND }
    const found = { ok: true as const, byVersion: { v1: stable, v2: candidate } }
    progress = afterLook(progress, found, { rollout, target, gate, window, now })
  }
  return progress
}

describe('a gate’s progress', () => {
  it('keeps evidence by step, and after the steps', () => {
    const [first, bake] = [aRollout('progressing'), aRollout('baking', { step: 1 })]
    const early = looked(first, [counts(900, 0), counts(100, 0)])
    const late = looked({ ...bake, progress: [early] }, [counts(0, 0), counts(1000, 0)])
    expect(late.evidence?.stages.map(({ part }) => part)).toEqual([0, 2])
    expect(late.candidate).toEqual({ good: 1100, bad: 0 })
  })

  it('has as many parts as the cluster’s wave has steps, and one', () => {
    const steps = [{ weight: 10, for: '1m' }]
    const waves = [
      { name: 'a', clusters: ['east'], steps, bakeMs: 0 },
      { name: 'b', clusters: ['west'], steps: [...steps, { weight: 50, for: '1m' }], bakeMs: 0 },
    ]
    expect([
      partsOf(aRollout('progressing', { waves }), 'east'),
      partsOf(aRollout('progressing', { waves }), 'west'),
    ]).toEqual([2, 3])
  })

  it('holds where the shares are not those of the weight, but only where a weight shares them', () => {
    const half: readonly [Counts, Counts] = [counts(500, 0), counts(500, 0)]
    const reason = (change: Partial<Rollout>) => looked(aRollout('progressing', change), half).last?.reason
    expect(reason({})).toBe('RatioOff')
    expect(reason({ affinity: { cookie: 'version', maxAgeMs: 1000 } })).not.toBe('RatioOff')
    const match = [{ headers: { 'x-preview': { exact: 'true' } } }]
    expect(reason({ targets: [aTarget('east', 10, { match }), aTarget('west', 10)] })).not.toBe('RatioOff')
    expect(reason({ targets: [aTarget('east', 0, { mirror: 10 }), aTarget('west', 10)] })).not.toBe('RatioOff')
  })

  it('compares with stable unless the gate says not to', () => {
    const worse: readonly [Counts, Counts] = [counts(9000, 9), counts(1000, 8)]
    const of = (gate: CountingGate) => looked(aRollout('progressing'), worse, { minutes: 12, gate }).last
    expect(of(ERRORS)).toMatchObject({ verdict: 'harm', reason: 'WorseThanStable' })
    expect(of({ ...ERRORS, comparison: { gMax: 3 } })?.comparison?.gMax).toBe(3)
    expect(of({ ...ERRORS, comparison: false })).toMatchObject({ verdict: 'undecided', reason: 'NotClearYet' })
  })
})

describe('the judgement over all clusters', () => {
  const slightly: readonly [Counts, Counts] = [counts(4500, 6), counts(500, 2)]
  const both = (rollout: Rollout, minutes: number) =>
    rollout.targets.map(({ cluster }) => looked(rollout, slightly, { cluster, minutes }))

  it('sees a harm that no cluster shows alone, with a part of alpha of its own', () => {
    const clusters = ['a', 'b', 'c', 'd', 'e', 'f']
    const rollout = aRollout('progressing', { targets: clusters.map((cluster) => aTarget(cluster, 10)) })
    const progress = both(rollout, 5)
    expect(progress.map(({ last }) => last?.verdict)).toEqual(clusters.map(() => 'undecided'))
    const overall = judgeOverall(rollout, 0, progress)
    expect(overall).toMatchObject({
      cluster: '*',
      stepCandidate: { good: 0, bad: 0 },
      last: { verdict: 'harm', candidate: { good: 14_940, bad: 60 } },
    })
    expect(overall?.last?.alpha).toBeCloseTo(0.01 / 3, 12)
    expect(overall).not.toHaveProperty('evidence')
  })

  it('leaves out clusters that the rollout has gone on without', () => {
    const rollout = aRollout('progressing', {
      targets: [aTarget('east', 10), aTarget('west', 10), aTarget('south', 0, { out: 'harm' })],
    })
    expect(judgeOverall(rollout, 0, both(rollout, 1))?.last?.candidate).toEqual({ good: 996, bad: 4 })
  })

  it('is none with one cluster, before two have looked, and for a gate that is not there', () => {
    const alone = aRollout('progressing', { targets: [aTarget('east', 10)] })
    expect(judgeOverall(alone, 0, both(alone, 1))).toBeUndefined()
    const two = aRollout('progressing')
    expect(judgeOverall(two, 0, [looked(two, slightly)])).toBeUndefined()
    expect(judgeOverall(two, 1, both(two, 1))).toBeUndefined()
  })

  it('goes on from the highest evidence of before', () => {
    const rollout = aRollout('progressing')
    const progress = both(rollout, 1)
    const before = judgeOverall(rollout, 0, progress)
    if (!before) throw new Error('nothing was judged')
    const known = [...progress, { ...before, maxE: 1000 }]
    expect(judgeOverall(rollout, 0, known)).toMatchObject({ maxE: 1000, last: { verdict: 'harm' } })
  })
})
