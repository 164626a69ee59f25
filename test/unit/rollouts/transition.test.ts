import { describe, expect, it } from 'vitest'
import { MESHWRIGHT } from '../../../src/model/identity.ts'
import { PHASES, TERMINAL_PHASES } from '../../../src/model/rollout.ts'
import { ROLLOUT_EVENTS, TRANSITIONS, targetOf } from '../../../src/rollouts/machine.ts'
import { asksRender, askTraffic, endOf, enter, rollBack } from '../../../src/rollouts/transition.ts'
import { aProgress, aRollout, aTarget, later, MINUTE, T0 } from './fixture.ts'

const cause = { actor: MESHWRIGHT, reason: 'Because', message: 'because' }

describe('a transition', () => {
  const pairs = PHASES.flatMap((from) => ROLLOUT_EVENTS.map((event) => ({ from, event, to: targetOf(from, event) })))
  it.each(pairs)('from $from by $event is as the table has it: $to', ({ from, event, to }) => {
    const cameFrom = { resumeTo: 'progressing', cause: 'abort' } as const
    const run = () => enter(aRollout(from, cameFrom), event, cause, T0 + MINUTE)
    if (to === undefined) return expect(run).toThrow(`a rollout that is ${from} takes no ${event}`)
    const phase = to === 'back' ? 'progressing' : to === 'end' ? 'aborted' : to
    expect(run()).toMatchObject({ phase, reason: 'Because', message: 'because', updatedAt: later(MINUTE) })
  })

  it('leads nowhere from an end, and to an end from every phase', () => {
    for (const phase of PHASES) {
      const ways = TRANSITIONS.get(phase) ?? []
      if (TERMINAL_PHASES.includes(phase)) expect(ways).toEqual([])
      else expect(ways.some((to) => to === 'rolling-back' || TERMINAL_PHASES.includes(to))).toBe(true)
    }
  })

  it('keeps who, why, step and weight, and takes the planned attempt away', () => {
    const rollout = { ...aRollout('progressing'), nextAttemptAt: later(0) }
    const next = enter(rollout, 'stuck', cause, T0 + MINUTE)
    expect(next.history).toEqual([
      { event: 'stuck', from: 'progressing', to: 'paused', at: later(MINUTE), ...cause, step: 0, weight: 10 },
    ])
    expect(next).not.toHaveProperty('nextAttemptAt')
    expect(next).not.toHaveProperty('endedAt')
  })

  it('keeps the newest hundred of a long history', () => {
    const [one] = enter(aRollout('progressing'), 'stuck', cause, T0).history
    if (!one) throw new Error('no history')
    const history = Array.from({ length: 100 }, (_, step) => ({ ...one, step }))
    const next = enter(aRollout('progressing', { history }), 'stuck', cause, T0 + MINUTE)
    expect(next.history).toHaveLength(100)
    expect(next.history[0]).toMatchObject({ step: 1 })
    expect(next.history.at(-1)).toMatchObject({ at: later(MINUTE) })
  })

  it('says when it ended', () => {
    expect(enter(aRollout('baking'), 'baked', cause, T0 + MINUTE)).toMatchObject({ endedAt: later(MINUTE) })
  })
})

describe('a weight', () => {
  it('is asked of the chosen clusters, and remembers the most that was ever asked', () => {
    const rollout = aRollout('progressing', {
      targets: [aTarget('east', 10, { highestWeight: 50 }), aTarget('west', 10, { highestWeight: 10 })],
    })
    const up = askTraffic(rollout, { weight: 25 }, T0 + MINUTE, (cluster) => cluster === 'west')
    expect(up).toMatchObject({ weight: 25, weightSince: later(MINUTE) })
    expect(up.targets).toMatchObject([
      { weight: 10, highestWeight: 50 },
      { weight: 25, highestWeight: 25 },
    ])
  })

  it('has not been seen in traffic yet, whatever was seen of the one before', () => {
    const targets = [aTarget('east', 10, { observedWeight: 9.8 }), aTarget('west', 10, { observedWeight: 10.3 })]
    const up = askTraffic(aRollout('progressing', { targets }), { weight: 25 }, T0, (cluster) => cluster === 'east')
    expect(up.targets.map(({ observedWeight }) => observedWeight)).toEqual([null, 10.3])
  })

  it('counts the step anew but keeps the evidence, and forgets the approval and since when the last one was live', () => {
    const progress = [aProgress('east', { maxE: 7 })]
    const up = askTraffic(aRollout('progressing', { progress, approvals: [MESHWRIGHT] }), { weight: 25 }, T0 + MINUTE)
    expect(up).not.toHaveProperty('liveAt')
    expect(up).not.toHaveProperty('approvedBy')
    const none = { good: 0, bad: 0 }
    expect(up.progress[0]).toMatchObject({ stepCandidate: none, stepStable: none, maxE: 7, candidate: { good: 1000 } })
  })

  it('asks for another render when it or its time changes, at the start and at the end', () => {
    const rollout = aRollout('progressing')
    expect(asksRender(undefined, rollout)).toBe(true)
    expect(asksRender(rollout, { ...rollout, message: 'other words' })).toBe(false)
    expect(asksRender(rollout, askTraffic(rollout, { weight: 10 }, T0 + MINUTE))).toBe(true)
    expect(asksRender(rollout, askTraffic(rollout, { weight: 0 }, T0))).toBe(true)
    expect(asksRender(rollout, { ...rollout, phase: 'aborted' })).toBe(true)
  })
})

describe('the way back', () => {
  it('leaves the candidate nothing, whatever else holds', () => {
    const back = rollBack(aRollout('baking'), 'harm', cause, T0 + MINUTE)
    expect(back).toMatchObject({
      phase: 'rolling-back',
      cause: 'gate',
      weight: 0,
      targets: [{ weight: 0 }, { weight: 0 }],
    })
  })

  it.each([
    ['gate', 'rolled-back'],
    ['rollback', 'rolled-back'],
    ['reject', 'rolled-back'],
    ['abort', 'aborted'],
    ['superseded', 'superseded'],
    [undefined, 'rolled-back'],
  ] as const)('ends by its cause: %s as %s', (cause, end) => {
    expect(endOf(cause)).toBe(end)
  })
})
