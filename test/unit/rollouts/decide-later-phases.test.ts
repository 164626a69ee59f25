import { describe, expect, it } from 'vitest'
import { decide } from '../../../src/rollouts/decide.ts'
import { aRollout, aTarget, aVerdict, bothClusters, later, MINUTE, onCluster, SECOND, seen, T0 } from './fixture.ts'
import { away, behind, checkRows, east, freeze, NOW, obstacle, transition, weighing, west } from './rows.ts'

describe('blind', () => {
  const rollout = aRollout('blind')
  const blind = bothClusters({ last: aVerdict('blind') })
  checkRows([
    {
      it: 'holds while a gate cannot see, and looks as often as before',
      rollout,
      becomes: { phase: 'blind', reason: 'Blind', message: 'gate errors on east: the gate says blind' },
      next: NOW + 5 * SECOND,
    },
    {
      it: 'goes on when all gates see again',
      rollout,
      sees: { progress: bothClusters({ last: aVerdict('undecided') }) },
      becomes: {
        phase: 'progressing',
        reason: 'SeesAgain',
        history: transition({ actor: { kind: 'gate', id: 'gate', name: 'gate' } }),
      },
      without: ['resumeTo'],
      next: NOW,
    },
    {
      it: 'goes on with the bake where it was baking',
      rollout: aRollout('blind', { resumeTo: 'baking', weight: 100 }),
      sees: { progress: bothClusters() },
      becomes: { phase: 'baking' },
      next: NOW,
    },
    {
      it: 'goes back when what is seen again is harm',
      rollout,
      sees: { progress: bothClusters({ last: aVerdict('harm') }) },
      becomes: { phase: 'rolling-back', cause: 'gate' },
    },
    {
      it: 'looks just when the half hour is over',
      rollout,
      sees: { now: T0 + 30 * MINUTE - 1, progress: blind },
      becomes: { phase: 'blind' },
      next: 30 * MINUTE,
    },
    {
      it: 'is a person’s after half an hour',
      rollout,
      sees: { now: T0 + 30 * MINUTE, progress: blind },
      becomes: { phase: 'paused', resumeTo: 'progressing', reason: 'Blind' },
    },
    {
      it: 'holds for ever where the strategy says so',
      rollout: aRollout('blind', { onBlind: 'hold' }),
      sees: { now: T0 + 900 * MINUTE, progress: blind },
      becomes: { phase: 'blind', reason: 'Blind' },
      next: 900 * MINUTE + 5 * SECOND,
    },
    {
      it: 'pauses when another hand changed the weights, and comes back to where it was',
      rollout,
      sees: { targets: { east: onCluster({ weightChanged: true }), west } },
      becomes: { phase: 'paused', reason: 'WeightChanged', resumeTo: 'progressing' },
    },
  ])
})

describe('promoting', () => {
  const rollout = aRollout('promoting')
  checkRows([
    {
      it: 'bakes when everything is live everywhere, counted from then',
      rollout,
      becomes: { phase: 'baking', reason: 'Promoted', liveAt: later(5 * SECOND), bakeUntil: later(605 * SECOND) },
      next: NOW,
    },
    {
      it: 'bakes from its own begin when a last step of 100 % was live before',
      rollout: aRollout('promoting', { liveAt: later(5 * SECOND), phaseSince: later(65 * SECOND) }),
      becomes: { phase: 'baking', bakeUntil: later(665 * SECOND) },
      next: NOW,
    },
    {
      it: 'waits for the routes',
      rollout,
      sees: { targets: { east: behind, west } },
      becomes: { phase: 'promoting', reason: 'Shifting' },
      next: NOW + 30 * SECOND,
    },
    {
      it: 'goes back when they are not written in time',
      rollout,
      sees: { targets: { east: onCluster({ liveRevision: 101, obstacle }), west }, now: T0 + 10 * MINUTE },
      becomes: { phase: 'rolling-back', reason: 'WeightNotLive' },
    },
    {
      it: 'does not go back while a freeze stops the write',
      rollout,
      sees: { targets: { east: onCluster({ liveRevision: 101, obstacle: freeze }), west }, now: T0 + 60 * MINUTE },
      becomes: { phase: 'promoting', reason: 'FreezeActive' },
      next: 61 * MINUTE,
    },
    {
      it: 'waits with patience for a cluster that cannot be reached',
      rollout,
      sees: { targets: { east, west: away }, now: T0 + 30 * MINUTE - SECOND },
      becomes: { phase: 'promoting', reason: 'Unreachable' },
      next: 30 * MINUTE,
    },
    {
      it: 'goes on without a cluster that stays away when patience is over: it keeps stable',
      rollout,
      sees: { targets: { east, west: away }, now: T0 + 30 * MINUTE },
      becomes: {
        phase: 'promoting',
        reason: 'LeftOut',
        weight: 100,
        targets: [{ weight: 100 }, { weight: 0, out: 'unreachable' }],
        warnings: ['west could not be reached and keeps its stable version'],
      },
      next: 30 * MINUTE,
    },
    {
      it: 'bakes without a cluster that was left out',
      rollout: { ...rollout, targets: [aTarget('east', 100), aTarget('west', 0, { out: 'unreachable' })] },
      sees: { targets: { east, west: away } },
      becomes: { phase: 'baking' },
      next: NOW,
    },
    {
      it: 'is a person’s when patience is over and no cluster is left',
      rollout: { ...rollout, liveAt: later(5 * SECOND) },
      sees: { targets: { east: away, west: away }, now: T0 + 30 * MINUTE },
      becomes: { phase: 'paused', resumeTo: 'promoting', reason: 'Unreachable' },
    },
    {
      it: 'brings a cluster that came back to the candidate',
      rollout: { ...rollout, targets: [aTarget('east', 100), aTarget('west', 50)] },
      becomes: {
        phase: 'promoting',
        phaseSince: later(0),
        weightSince: later(NOW),
        targets: [weighing(100), weighing(100)],
        history: transition({ from: 'promoting', to: 'promoting', reason: 'CatchingUp' }),
      },
    },
    {
      it: 'does not bake while a freeze keeps a cluster from the candidate',
      rollout: { ...rollout, targets: [aTarget('east', 100), aTarget('west', 50)] },
      sees: { frozen: 'xmas' },
      becomes: { phase: 'promoting', reason: 'Frozen', targets: [weighing(100), weighing(50)] },
      next: NOW + 5 * SECOND,
    },
    {
      it: 'pauses when another hand changed the weights',
      rollout,
      sees: { targets: { east, west: onCluster({ weightChanged: true }) } },
      becomes: { phase: 'paused', resumeTo: 'promoting' },
    },
  ])
})

describe('baking', () => {
  const rollout = aRollout('baking', { targets: [aTarget('east', 100), aTarget('west', 100)] })
  const until = 605 * SECOND
  const ungated = { ...rollout, gates: [] }
  checkRows([
    { it: 'looks on', rollout, becomes: { phase: 'baking' }, next: NOW + 5 * SECOND },
    {
      it: 'waits for the samples of its last moment',
      rollout,
      sees: { now: T0 + until + 8 * SECOND },
      becomes: { phase: 'baking' },
      next: until + 10 * SECOND,
    },
    {
      it: 'succeeds at its end',
      rollout,
      sees: { now: T0 + until + 10 * SECOND },
      becomes: {
        phase: 'succeeded',
        reason: 'Baked',
        endedAt: later(until + 10 * SECOND),
        history: transition({ actor: { kind: 'schedule', id: 'schedule', name: 'schedule' } }),
      },
    },
    { it: 'sleeps to its end without gates', rollout: ungated, becomes: { phase: 'baking' }, next: until },
    {
      it: 'succeeds at its end without gates, with no delay',
      rollout: ungated,
      sees: { now: T0 + until },
      becomes: { phase: 'succeeded' },
    },
    {
      it: 'goes back on harm',
      rollout,
      sees: { progress: bothClusters({ last: aVerdict('harm') }) },
      becomes: { phase: 'rolling-back', cause: 'gate', weight: 0, targets: [weighing(0), weighing(0)] },
    },
    {
      it: 'goes back on harm at its very end',
      rollout,
      sees: { now: T0 + until + 10 * SECOND, progress: bothClusters({ last: aVerdict('harm') }) },
      becomes: { phase: 'rolling-back' },
    },
    {
      it: 'holds when a gate cannot see, also at its end',
      rollout,
      sees: { now: T0 + until + 10 * SECOND, progress: bothClusters({ last: aVerdict('blind') }) },
      becomes: { phase: 'blind', resumeTo: 'baking' },
      next: until + 15 * SECOND,
    },
    {
      it: 'says when stable has fewer pods than at the start',
      rollout: {
        ...rollout,
        targets: [aTarget('east', 100, { stableReadyAtStart: 3 }), aTarget('west', 100, { stableReadyAtStart: 2 })],
      },
      becomes: {
        targets: [
          expect.objectContaining({ rollbackReadiness: 'degraded' }),
          expect.objectContaining({ rollbackReadiness: 'ready' }),
        ],
      },
      next: NOW + 5 * SECOND,
    },
    {
      it: 'says when stable has no pods at all',
      rollout,
      sees: { targets: { east: onCluster({ stableReady: 0 }), west } },
      becomes: {
        targets: [expect.objectContaining({ rollbackReadiness: 'degraded' }), expect.anything()],
      },
      next: NOW + 5 * SECOND,
    },
    {
      it: 'pauses when another hand changed the weights',
      rollout,
      sees: { targets: { east, west: onCluster({ weightChanged: true }) } },
      becomes: { phase: 'paused', resumeTo: 'baking' },
    },
  ])
  const { liveAt: _, ...resumed } = rollout
  checkRows([
    {
      it: 'does not succeed before weights that were put back are live again',
      rollout: resumed,
      sees: { now: T0 + until + 10 * SECOND, targets: { east: behind, west } },
      becomes: { phase: 'rolling-back', reason: 'WeightNotLive' },
    },
    {
      it: 'waits for weights that were put back',
      rollout: resumed,
      sees: { targets: { east: behind, west } },
      becomes: { phase: 'baking', reason: 'Shifting' },
      next: NOW + 30 * SECOND,
    },
  ])
})

describe('rolling back', () => {
  const back = transition({ to: 'rolling-back', actor: expect.objectContaining({ name: 'Ada' }) })
  const history = [
    {
      from: 'progressing',
      to: 'rolling-back',
      at: later(0),
      actor: { kind: 'person', id: 'p1', name: 'Ada' },
      reason: 'Aborted',
      message: 'Ada aborted',
      step: 0,
      weight: 0,
    },
  ] as const
  const rollout = aRollout('rolling-back', { reason: 'Aborted', message: 'Ada aborted', history })
  checkRows([
    {
      it: 'ends as aborted by who aborted it, with the reason of the way back',
      rollout,
      becomes: {
        phase: 'aborted',
        reason: 'Aborted',
        message: 'Ada aborted',
        weight: 0,
        history: [
          ...(back as readonly unknown[]),
          expect.objectContaining({ to: 'aborted', actor: { kind: 'person', id: 'p1', name: 'Ada' } }),
        ],
      },
    },
    { it: 'ends as rolled back by a gate', rollout: { ...rollout, cause: 'gate' }, becomes: { phase: 'rolled-back' } },
    {
      it: 'ends as rolled back by hand',
      rollout: { ...rollout, cause: 'rollback' },
      becomes: { phase: 'rolled-back' },
    },
    {
      it: 'ends as rolled back by an approver',
      rollout: { ...rollout, cause: 'reject' },
      becomes: { phase: 'rolled-back' },
    },
    {
      it: 'ends as superseded by a newer candidate',
      rollout: { ...rollout, cause: 'superseded' },
      becomes: { phase: 'superseded' },
    },
    {
      it: 'waits until the way back is live, and keeps the reason why it goes back',
      rollout,
      sees: { targets: { east, west: behind } },
      becomes: { phase: 'rolling-back', reason: 'Aborted', message: 'The way back is being written on west.' },
      next: NOW + 30 * SECOND,
    },
    {
      it: 'says what stands in the way',
      rollout,
      sees: { targets: { east: onCluster({ liveRevision: 101, obstacle }), west } },
      becomes: { message: 'The way back is not live on east: east: no endpoints.' },
      next: NOW + 30 * SECOND,
    },
    {
      it: 'holds while stable has no ready endpoints, says so, and never fails for it',
      rollout,
      sees: {
        targets: { east: onCluster({ liveRevision: 101, stableReady: 0, obstacle }), west },
        now: T0 + 900 * MINUTE,
      },
      becomes: {
        phase: 'rolling-back',
        message: 'Stable v1 has no ready endpoints on east: requests stay with v2 there until it has.',
      },
      next: 901 * MINUTE,
    },
    {
      it: 'waits for a cluster that cannot be reached as long as it takes',
      rollout,
      sees: { targets: { east, west: { ...away, liveRevision: 101 } }, now: T0 + 900 * MINUTE },
      becomes: { phase: 'rolling-back', heldUntil: later(900 * MINUTE) },
      next: 901 * MINUTE,
    },
    {
      it: 'gives a cluster that came back time to be written',
      rollout: { ...rollout, heldUntil: later(900 * MINUTE) },
      sees: { targets: { east, west: behind }, now: T0 + 901 * MINUTE },
      becomes: { phase: 'rolling-back' },
      next: 902 * MINUTE,
    },
    {
      it: 'fails when the weights could not be set for half an hour',
      rollout,
      sees: { targets: { east: onCluster({ liveRevision: 101, obstacle }), west }, now: T0 + 30 * MINUTE },
      becomes: { phase: 'failed', reason: 'WeightsNotSet' },
    },
    {
      it: 'fails when nothing tells for half an hour that they were set',
      rollout,
      sees: { targets: { east: behind, west }, now: T0 + 30 * MINUTE },
      becomes: { phase: 'failed', reason: 'WeightsNotSet' },
    },
    {
      it: 'waits for no cluster where the candidate never got anything',
      rollout: { ...rollout, targets: [aTarget('east', 0, { highestWeight: 10 }), aTarget('west', 0)] },
      sees: { targets: { east, west: { ...away, liveRevision: 0 } } },
      becomes: { phase: 'aborted' },
    },
    {
      it: 'waits for no cluster that the service has left',
      rollout,
      sees: { targets: { east, west: { ...away, liveRevision: 0, gone: true } } },
      becomes: { phase: 'aborted' },
    },
  ])
})

describe('a rollout that waits for a person, or has ended', () => {
  const phases = ['paused', 'awaiting-approval', 'succeeded', 'rolled-back', 'aborted', 'superseded', 'failed'] as const
  it.each(phases)('stays as it is: %s', (phase) => {
    const rollout = aRollout(phase, { gates: [] })
    const targets = { east: onCluster({ weightChanged: true }), west: away }
    expect(decide(rollout, seen(rollout, { now: T0 + 900 * MINUTE, targets, frozen: 'xmas' }))).toBe(rollout)
  })
})
