import { describe, expect, it } from 'vitest'
import { recordedOf } from '../../../../src/rollouts/evidence/recorded.ts'
import { replayStages } from '../../../../src/rollouts/replay/replay-stages.ts'
import { lookTimes } from '../../../../src/rollouts/replay/run-replay.ts'
import { twoWaves } from '../../http/evidence/story.ts'
import { aRollout, aTarget, later, MINUTE, PERSON, SECOND, T0 } from '../fixture.ts'

const { rollout, events } = twoWaves()

describe('the stages of a rollout’s past', () => {
  const stages = replayStages(rollout, recordedOf(rollout, events, false), T0)
  const told = stages.map(({ wave, step, phase, targets, fromMs, toMs, passed }) => [
    `${wave} ${step} ${phase} ${(fromMs - T0) / SECOND}–${(toMs - T0) / SECOND}`,
    targets.map(({ cluster, traffic }) => `${cluster} ${traffic.weight}`).join(', '),
    passed,
  ])

  it('lie between its decisions, wave by wave, up to the way back', () => {
    expect(told).toEqual([
      ['0 0 progressing 20–100', 'east 10', false],
      ['0 0 progressing 100–130', 'east 10', false],
      ['0 0 progressing 130–180', 'east 10', true],
      ['0 1 progressing 180–330', 'east 50', true],
      ['0 1 promoting 330–420', 'east 100', true],
      ['1 -1 progressing 420–440', 'east 100', false],
      ['1 0 progressing 440–540', 'east 100, west 10', false],
    ])
  })

  it('know since when traffic was live: from the first window that was counted, or a while after it was asked', () => {
    const since = (index: number) => stages[index]?.targets.map(({ sinceMs }) => (sinceMs - T0) / SECOND)
    // Looks tell 25 s, of which the first counts from.
    expect(since(0)).toEqual([25])
    expect(since(2)).toEqual([25])
    expect(since(6)).toEqual([335, 445])
    const unseen = replayStages(rollout, recordedOf(rollout, [], false), T0)
    expect(unseen[0]?.targets[0]?.sinceMs).toBe(T0 + 30 * SECOND)
  })

  it('tell copies and what matched by the step, and end now for one that is live', () => {
    const steps = [
      { mirror: 50, for: '1m' },
      { match: [{ headers: { beta: { exact: 'true' } } }], for: '1m' },
    ]
    const move = { actor: PERSON, reason: 'StepPassed', message: 'm', weight: 0, from: 'progressing' } as const
    const history = [
      { ...move, to: 'progressing', at: later(0), step: 0 },
      { ...move, to: 'progressing', at: later(MINUTE), step: 1 },
    ] as const
    const live = aRollout('progressing', { steps, history, weight: 0, targets: [aTarget('east', 0)] })
    const found = replayStages(live, recordedOf(live, [], false), T0 + 90 * SECOND)
    expect(found.map(({ targets, toMs }) => [targets[0]?.traffic, (toMs - T0) / SECOND])).toEqual([
      [{ weight: 0, mirror: 50 }, 60],
      [{ weight: 0, match: steps[1]?.match }, 90],
    ])
  })

  it('are looked at every so often, and at their end', () => {
    expect(lookTimes({ fromMs: 0, toMs: 10 }, 4)).toEqual([4, 8, 10])
    expect(lookTimes({ fromMs: 0, toMs: 8 }, 4)).toEqual([4, 8])
    expect(lookTimes({ fromMs: 0, toMs: 3 }, 4)).toEqual([3])
  })
})
