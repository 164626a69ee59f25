import { describe, expect, it } from 'vitest'
import type { Rollout } from '../../../../src/model/rollout.ts'
import type { HoldAt } from '../../../../src/rollouts/plan/holds.ts'
import { predictTimeline } from '../../../../src/rollouts/plan/predict-timeline.ts'
import { timelineWarnings } from '../../../../src/rollouts/plan/timeline-warnings.ts'
import { aProgress, aRollout, aTarget, later, MINUTE, SECOND, T0 } from '../fixture.ts'

const DELAY = 30 * SECOND
const SHIFT = 10 * SECOND
const STEPS = [
  { weight: 5, for: '10m' },
  { weight: 25, for: '10m' },
] as const

interface Given {
  readonly perMinute?: number | undefined
  readonly bad?: number
  readonly holdAt?: HoldAt
  readonly now?: number
}

/** East and west get the same. */
function predict(rollout: Rollout, { perMinute, bad = 0.001, holdAt = () => undefined, now = T0 }: Given = {}) {
  const gates = perMinute === undefined ? {} : { 0: { perMinute, bad } }
  const one = { ...(perMinute === undefined ? { why: 'it answers 503' } : { perMinute }), gates }
  const traffic = Object.fromEntries(rollout.targets.map(({ cluster }) => [cluster, one]))
  const timeline = predictTimeline({ now, rollout, traffic, delayMs: DELAY, holdAt })
  return { timeline, warnings: timelineWarnings({ service: 'shop/web', rollout, traffic, timeline }) }
}

const minutes = (ms: number) => Math.round(((ms - T0) / MINUTE) * 100) / 100

describe('the timeline of a rollout', () => {
  const pending = aRollout('pending', { steps: STEPS, bakeMs: 60 * MINUTE })

  it('gives each step its shift, its time and the delay of the metrics, then the bake', () => {
    const { timeline } = predict(pending, { perMinute: 6000 })
    const [wave] = timeline.waves
    const step = 10 * MINUTE + SHIFT + DELAY
    expect(wave?.steps.map(({ fromMs, untilMs }) => [fromMs - T0, untilMs - T0])).toEqual([
      [0, step],
      [step, 2 * step],
    ])
    expect(wave).toMatchObject({ clusters: ['east', 'west'], promoteMs: T0 + 2 * step })
    expect(timeline.endMs).toBe(T0 + 2 * step + SHIFT + 60 * MINUTE + DELAY)
  })

  it('waits for no metrics without gates', () => {
    const { timeline } = predict({ ...pending, gates: [] }, { perMinute: 0 })
    expect(timeline.waves[0]?.promoteMs).toBe(T0 + 2 * (10 * MINUTE + SHIFT))
  })

  it('tells the requests of both versions in a step over all clusters', () => {
    const { timeline } = predict(pending, { perMinute: 600 })
    expect(timeline.waves[0]?.steps[0]?.requests).toEqual({ candidate: 600, stable: 11_400 })
  })

  it('of copies counts them beside what stable gets; what matches nobody knows', () => {
    const steps = [
      { mirror: 50, for: '1m' },
      { match: [{ headers: { 'x-beta': { exact: 'true' as const } } }], for: '1m' },
    ]
    const [copies, matched] = predict({ ...pending, steps }, { perMinute: 600 }).timeline.waves[0]?.steps ?? []
    expect(copies?.requests).toEqual({ candidate: 600, stable: 1200 })
    expect(matched).not.toHaveProperty('requests')
    expect(matched?.gates).toEqual([
      { gate: 0, cluster: 'east' },
      { gate: 0, cluster: 'west' },
    ])
  })

  it('names whom and what a step waits for, and takes them to answer at once', () => {
    const steps = [
      { weight: 10, for: '1m', approval: true } as const,
      { approval: { quorum: 2 } },
      { webhook: { url: 'https://check.example/go' } },
      { hold: '5m' },
    ]
    const found = predict({ ...pending, steps, gates: [] }, { perMinute: 600 }).timeline.waves[0]?.steps
    expect(found?.map(({ waitsFor }) => waitsFor)).toEqual([
      ['an approver'],
      ['2 approvers'],
      ['webhook check.example'],
      [],
    ])
    expect(found?.map(({ fromMs, untilMs }) => untilMs - fromMs)).toEqual([MINUTE + SHIFT, 0, 0, 5 * MINUTE])
  })

  it('goes wave by wave, each with its bake, the last with that of the whole', () => {
    const waves = [
      { name: 'canary', clusters: ['east'], steps: STEPS.slice(0, 1), bakeMs: 20 * MINUTE },
      { name: 'rest', clusters: ['west'], steps: STEPS.slice(1), bakeMs: 0 },
    ]
    const { timeline } = predict({ ...pending, waves, wave: 0, gates: [] }, { perMinute: 600 })
    const [first, second] = timeline.waves
    expect(first).toMatchObject({ name: 'canary', clusters: ['east'], bakedMs: T0 + 30 * MINUTE + 2 * SHIFT })
    expect(second?.steps[0]).toMatchObject({ fromMs: first?.bakedMs, requests: { candidate: 1500, stable: 4500 } })
    expect(second && second.bakedMs - second.promoteMs).toBe(SHIFT + 60 * MINUTE)
  })
})

describe('too few requests', () => {
  const pending = aRollout('pending', { steps: STEPS, targets: [aTarget('east', 0)] })

  it('make a step as much longer as the least number takes', () => {
    const { timeline, warnings } = predict(pending, { perMinute: 60 })
    // 3 a minute reach the candidate: 50 take 16 minutes 40.
    expect(timeline.waves[0]?.steps[0]).toMatchObject({ ends: 'passes', stretchedMs: expect.closeTo(400_000, 0) })
    expect(warnings[0]).toBe(
      'Step 1 (5 % for 10m) lasts 7m longer than it says: about 30 requests reach the candidate in it, 50 are needed. Give it a larger weight or a longer "for", or ask for less with "minEvents".',
    )
  })

  it('pause it when they would take longer than its patience, and the way out is named', () => {
    const { timeline, warnings } = predict(pending, { perMinute: 6 })
    expect(timeline.waves[0]?.steps[0]).toMatchObject({ ends: 'pauses', stretchedMs: 30 * MINUTE })
    expect(warnings[0]).toMatch(/^Step 1 \(5 % for 10m\) pauses after 30m of patience: about 3 requests reach/)
  })

  it('roll it back where it says so, and are never passed by', () => {
    const ends = (onTimeout: 'rollback' | 'proceed') =>
      predict({ ...pending, steps: [{ weight: 5, for: '10m', timeout: '1m', onTimeout }] }, { perMinute: 6 }).timeline
        .waves[0]?.steps[0]?.ends
    expect([ends('rollback'), ends('proceed')]).toEqual(['rolls-back', 'pauses'])
  })

  it('of none at all is said, and so is a source that does not answer', () => {
    expect(predict(pending, { perMinute: 0 }).warnings[0]).toBe(
      'shop/web got no requests on east: its gates have nothing to judge there.',
    )
    expect(predict(pending).warnings).toEqual(['How many requests shop/web gets on east is not known: it answers 503.'])
  })
})

describe('what gates can tell', () => {
  const pending = aRollout('pending', { steps: STEPS, targets: [aTarget('east', 0)] })

  it('is asked of the judge: when a harm of twice the limit would be seen', () => {
    const [step] = predict(pending, { perMinute: 6000 }).timeline.waves[0]?.steps ?? []
    const [gate] = step?.gates ?? []
    expect(gate).toMatchObject({ gate: 0, cluster: 'east', harm: 0.02, expected: expect.closeTo(3000, 6) })
    expect(gate?.needed).toBeGreaterThan(100)
    expect(gate?.needed).toBeLessThan(1000)
    // 300 a minute reach the candidate.
    expect(gate?.seenMs).toBeCloseTo(T0 + SHIFT + ((gate?.needed ?? 0) / 300) * MINUTE + DELAY, -1)
  })

  it('is a harm of gMax times stable’s where that is more than twice the limit', () => {
    const gate = { kind: 'errors', limitPercent: 1, comparison: { gMax: 4 } } as const
    const [step] =
      predict({ ...pending, gates: [gate] }, { perMinute: 6000, bad: 0.008 }).timeline.waves[0]?.steps ?? []
    expect(step?.gates[0]?.harm).toBeCloseTo(0.032)
  })

  it('warns when the requests of all steps are too few, and says how to mend it', () => {
    const { timeline, warnings } = predict(pending, { perMinute: 100 })
    expect(timeline.waves[0]?.steps.every(({ gates }) => gates[0]?.seenMs === undefined)).toBe(true)
    const [warning = ''] = warnings
    expect(warning).toMatch(
      /^Gate errors on east cannot decide in time: its steps bring about 300 requests to the candidate, and it needs about [\d,]+ to see a bad share of 2\.0 %\. Let 25 % last (\d+)m, or begin with a larger weight\.$/,
    )
    const [, minutes] = /last (\d+)m/.exec(warning) ?? []
    const mended = (steps: Rollout['steps']) => predict({ ...pending, steps }, { perMinute: 100 }).warnings
    expect(mended([STEPS[0], { weight: 25, for: `${minutes}m` }])).toEqual([])
    // With less of stable to compare with more is needed, but not as much more as there is.
    const part = (text = '') => {
      const [, brings = '', needs = ''] = /about ([\d,]+) requests .* about ([\d,]+) to see/.exec(text) ?? []
      return Number(brings.replace(',', '')) / Number(needs.replace(',', ''))
    }
    const larger = [25, 50].map((weight) => ({ weight, for: '10m' }))
    expect(part(mended(larger)[0])).toBeGreaterThan(part(warning))
  })

  it('does not warn where a later step brings enough', () => {
    expect(predict(pending, { perMinute: 600 }).warnings).toEqual([])
  })

  it('lets an analysis step last until every gate says safe, at most as long as its patience', () => {
    const steps = [{ weight: 25, for: '1m', analysis: true as const }]
    const fast = predict({ ...pending, steps }, { perMinute: 6000 }).timeline.waves[0]?.steps[0]
    const slow = predict({ ...pending, steps }, { perMinute: 300 }).timeline.waves[0]?.steps[0]
    const never = predict({ ...pending, steps }, { perMinute: 6000, bad: 0.02 }).timeline.waves[0]?.steps[0]
    expect([fast?.ends, slow?.ends, never?.ends]).toEqual(['passes', 'passes', 'pauses'])
    expect(slow?.stretchedMs).toBeGreaterThan(fast?.stretchedMs ?? 0)
    expect(never?.stretchedMs).toBe(30 * MINUTE)
  })

  it('goes on from one step to an analysis that keeps its traffic', () => {
    const both = [{ weight: 25, for: '4m' }, { analysis: true as const }]
    const [, apart] = predict({ ...pending, steps: both }, { perMinute: 2000 }).timeline.waves[0]?.steps ?? []
    const alone = [{ weight: 25, for: '1s', analysis: true as const }]
    const [together] = predict({ ...pending, steps: alone }, { perMinute: 2000 }).timeline.waves[0]?.steps ?? []
    expect(apart).toMatchObject({ what: 'analysis', ends: 'passes' })
    const lasted = (step: typeof apart) => (step ? step.untilMs - step.fromMs : Number.NaN)
    expect(lasted(apart)).toBeLessThan(lasted(together))
  })

  it('of a gate on a value is not foretold', () => {
    const gates = [{ kind: 'value', name: 'queue', query: 'up', max: 80 }] as const
    const [step] = predict({ ...pending, gates }, { perMinute: 6 }).timeline.waves[0]?.steps ?? []
    expect(step).toMatchObject({ gates: [], ends: 'passes', stretchedMs: 0 })
  })

  it('is worked out for the clusters with the fewest requests where there are many, which is said', () => {
    const targets = Array.from({ length: 100 }, (_, index) => aTarget(`c${index}`, 0))
    const { timeline, warnings } = predict({ ...pending, targets }, { perMinute: 6000 })
    expect(timeline.waves[0]?.steps[0]?.gates).toHaveLength(75)
    expect(warnings.at(-1)).toMatch(/^Gates are worked out for c0, c1, .*, which get the fewest requests\.$/)
  })
})

describe('what holds it back', () => {
  const pending = aRollout('pending', { steps: STEPS, gates: [], targets: [aTarget('east', 0)] })
  const frozen = (fromMs: number, untilMs?: number): HoldAt => {
    const hold = { reason: 'Frozen' as const, message: 'freeze xmas (rest) holds' }
    return (ms) =>
      ms >= fromMs && ms < (untilMs ?? Infinity) ? { ...hold, ...(untilMs ? { untilMs } : {}) } : undefined
  }

  it('puts off the step that would have begun then', () => {
    const { timeline, warnings } = predict(pending, {
      perMinute: 6000,
      holdAt: frozen(T0 + 5 * MINUTE, T0 + 60 * MINUTE),
    })
    const [first, second] = timeline.waves[0]?.steps ?? []
    expect([first?.fromMs, second?.fromMs]).toEqual([T0, T0 + 60 * MINUTE])
    expect([first?.holds, second?.holds]).toEqual([[], [expect.objectContaining({ untilMs: T0 + 60 * MINUTE })]])
    expect(warnings).toEqual(['Held back: freeze xmas (rest) holds.'])
  })

  it('without an end is told, and the times go on as if it were over', () => {
    const { timeline } = predict(pending, { perMinute: 6000, holdAt: frozen(T0) })
    expect(timeline.waves[0]?.steps[0]).toMatchObject({ fromMs: T0, holds: [{ reason: 'Frozen' }] })
  })
})

describe('what is left of a live rollout', () => {
  const live = aRollout('progressing', { steps: STEPS, targets: [aTarget('east', 5)], weight: 5 })

  it('begins with the step that it is at, of which some is over', () => {
    const now = T0 + 4 * MINUTE
    const progress = [aProgress('east', { stepCandidate: { good: 40, bad: 0 }, stepStable: { good: 800, bad: 0 } })]
    const { timeline } = predict({ ...live, step: 1, progress }, { perMinute: 600, now })
    const [step, ...others] = timeline.waves[0]?.steps ?? []
    expect(others).toEqual([])
    expect(step).toMatchObject({ step: 1, fromMs: T0, untilMs: T0 + 5 * SECOND + 10 * MINUTE + DELAY })
    // 40 are counted; 150 a minute come for the 6 minutes and 5 seconds that are left.
    expect(step?.gates[0]?.expected).toBeCloseTo(40 + 150 * (6 + 5 / 60))
  })

  it('takes one that waits for somebody to go on now', () => {
    const { timeline } = predict({ ...live, phase: 'paused', resumeTo: 'progressing' }, { perMinute: 6000 })
    expect(timeline.waves[0]?.steps[0]?.waitsFor).toEqual(['somebody to resume it'])
    const blind = predict({ ...live, phase: 'blind', resumeTo: 'progressing' }, { perMinute: 6000 })
    expect(blind.timeline.waves[0]?.steps[0]?.waitsFor).toEqual(['metrics to come back'])
  })

  it('is the bake when it has been promoted', () => {
    const baking = aRollout('baking', { targets: [aTarget('east', 100)] })
    const { timeline } = predict(baking, { perMinute: 600, now: T0 + MINUTE })
    expect(timeline.waves).toMatchObject([{ steps: [], promoteMs: T0 }])
    expect(minutes(timeline.endMs)).toBe(10.58)
  })

  it('is neither steps nor a bake of a wave of which no cluster is left', () => {
    const waves = ['east', 'west'].map((cluster) => ({
      name: cluster,
      clusters: [cluster],
      steps: STEPS,
      bakeMs: MINUTE,
    }))
    const targets = [aTarget('east', 0, { out: 'harm' }), aTarget('west', 0)]
    const [lost, next] = predict({ ...live, waves, targets }, { perMinute: 6000 }).timeline.waves
    expect(lost).toMatchObject({ clusters: [], steps: [], promoteMs: T0, bakedMs: T0 })
    expect(next?.steps[0]).toMatchObject({ fromMs: T0 })
  })

  it('is nothing of the waves before', () => {
    const waves = ['east', 'west'].map((cluster) => ({ name: cluster, clusters: [cluster], steps: STEPS, bakeMs: 0 }))
    const second = {
      ...live,
      waves,
      wave: 1,
      targets: [aTarget('east', 100), aTarget('west', 5)],
      weightSince: later(0),
    }
    expect(predict(second, { perMinute: 6000 }).timeline.waves.map(({ wave }) => wave)).toEqual([1])
  })
})
