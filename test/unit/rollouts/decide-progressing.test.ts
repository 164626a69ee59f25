import { describe, expect } from 'vitest'
import {
  aProgress,
  aRollout,
  aTarget,
  aVerdict,
  bothClusters,
  later,
  MINUTE,
  onCluster,
  SECOND,
  T0,
} from './fixture.ts'
import { away, behind, checkRows, east, freeze, NOW, obstacle, transition, weighing, west } from './rows.ts'

describe('progressing, while the weight is on its way', () => {
  const { liveAt: _, ...rollout } = aRollout('progressing')
  const soon = T0 + 2 * SECOND
  checkRows([
    {
      it: 'waits until it is live on every cluster that can be reached',
      rollout,
      sees: { targets: { east, west: behind }, now: soon },
      becomes: { phase: 'progressing', reason: 'Shifting', message: '10 % is on its way to the proxies.' },
      next: 17 * SECOND,
    },
    {
      it: 'says what stands in the way',
      rollout,
      sees: { targets: { east: onCluster({ liveRevision: 101, obstacle }), west }, now: soon },
      becomes: { reason: 'WaitingForEndpoints', message: 'east: no endpoints.' },
      next: 17 * SECOND,
    },
    {
      it: 'goes back when it is not live in time',
      rollout,
      sees: { targets: { east: onCluster({ liveRevision: 101, obstacle }), west }, now: T0 + 10 * MINUTE },
      becomes: {
        phase: 'rolling-back',
        reason: 'WeightNotLive',
        message: '10 % was not live within 10m: east: no endpoints.',
      },
    },
    {
      it: 'goes back when nothing tells that it was written',
      rollout,
      sees: { targets: { east: behind, west }, now: T0 + 10 * MINUTE },
      becomes: { phase: 'rolling-back', reason: 'WeightNotLive' },
    },
    {
      it: 'does not go back while a freeze stops the write',
      rollout,
      sees: { targets: { east: onCluster({ liveRevision: 101, obstacle: freeze }), west }, now: T0 + 60 * MINUTE },
      becomes: { phase: 'progressing', reason: 'FreezeActive' },
      next: 61 * MINUTE,
    },
    {
      it: 'has its whole time after a freeze',
      rollout: { ...rollout, reason: 'FreezeActive' },
      sees: { targets: { east: behind, west }, now: T0 + 60 * MINUTE },
      becomes: { phase: 'progressing', reason: 'Shifting', heldUntil: later(60 * MINUTE) },
      next: 61 * MINUTE,
    },
    {
      it: 'has its whole time after a pause',
      rollout: { ...rollout, phaseSince: later(60 * MINUTE) },
      sees: { targets: { east: behind, west }, now: T0 + 61 * MINUTE },
      becomes: { phase: 'progressing', reason: 'Shifting' },
      next: 61 * MINUTE + 15 * SECOND,
    },
    {
      it: 'waits for clusters when none can be reached',
      rollout,
      sees: { targets: { east: away, west: away }, now: T0 + 20 * MINUTE },
      becomes: { phase: 'progressing', reason: 'Unreachable' },
      next: 21 * MINUTE,
    },
    {
      it: 'is a person’s when none could be reached for as long as patience lasts',
      rollout,
      sees: { targets: { east: away, west: away }, now: T0 + 60 * MINUTE },
      becomes: { phase: 'paused', reason: 'Unreachable', resumeTo: 'progressing' },
    },
    {
      it: 'begins to count when the last cluster is live, settle time included',
      rollout,
      sees: { targets: { east, west: onCluster({ liveAt: T0 + 8 * SECOND }) }, now: T0 + 9 * SECOND },
      becomes: {
        phase: 'progressing',
        liveAt: later(8 * SECOND),
        reason: 'Step',
        message: 'Step 1 of 2: 10 % for 1m.',
      },
      next: 14 * SECOND,
    },
    {
      it: 'does not wait for a cluster that cannot be reached',
      rollout,
      sees: { targets: { east, west: onCluster({ reachable: false, liveRevision: 0 }) }, now: T0 + 9 * SECOND },
      becomes: { liveAt: later(5 * SECOND), reason: 'Step' },
      next: 14 * SECOND,
    },
  ])
})

describe('progressing, with the weight live since 5 s', () => {
  const rollout = aRollout('progressing')
  const looked = { ...rollout, progress: bothClusters() }
  const end = (60 + 5 + 10) * SECOND
  checkRows([
    {
      it: 'looks every 5 s',
      rollout: looked,
      sees: { now: T0 + 40 * SECOND },
      becomes: { phase: 'progressing', reason: 'Step' },
      next: 45 * SECOND,
    },
    {
      it: 'looks just at the step’s end',
      rollout: looked,
      sees: { now: T0 + end - 2 * SECOND },
      becomes: { phase: 'progressing' },
      next: end,
    },
    {
      it: 'does not pass a millisecond before `for` and the delay of the source',
      rollout: looked,
      sees: { now: T0 + end - 1 },
      becomes: { step: 0, weight: 10 },
      next: end,
    },
    {
      it: 'takes the next step when no gate says harm',
      rollout: looked,
      sees: { now: T0 + end },
      becomes: {
        phase: 'progressing',
        phaseSince: later(0),
        step: 1,
        weight: 50,
        weightSince: later(end),
        reason: 'StepPassed',
        history: [
          expect.objectContaining({
            from: 'progressing',
            to: 'progressing',
            actor: { kind: 'gate', id: 'gate', name: 'gate' },
            step: 1,
            weight: 50,
          }),
        ],
      },
    },
    {
      it: 'counts the next step anew',
      rollout: looked,
      sees: { now: T0 + end },
      becomes: {
        progress: bothClusters({ stepCandidate: { good: 0, bad: 0 }, stepStable: { good: 0, bad: 0 } }),
      },
    },
    {
      it: 'promotes after the last step',
      rollout: { ...looked, step: 1, weight: 50, targets: ['east', 'west'].map((name) => aTarget(name, 50)) },
      sees: { now: T0 + end },
      becomes: { phase: 'promoting', weight: 100, reason: 'StepsPassed' },
    },
    {
      it: 'raises only clusters that can be reached',
      rollout: looked,
      sees: { now: T0 + end, targets: { east, west: away } },
      becomes: {
        weight: 50,
        targets: [weighing(50), weighing(10)],
      },
    },
    {
      it: 'waits for a freeze before it rises',
      rollout: looked,
      sees: { now: T0 + end, frozen: 'xmas' },
      becomes: { phase: 'progressing', step: 0, reason: 'Frozen' },
      next: end + 5 * SECOND,
    },
    {
      it: 'goes back on harm at any time, and names gate, cluster and evidence',
      rollout,
      sees: { now: T0 + 20 * SECOND, progress: [aProgress('east'), aProgress('west', { last: aVerdict('harm') })] },
      becomes: {
        phase: 'rolling-back',
        cause: 'gate',
        reason: 'LimitExceeded',
        message: 'gate errors on west: the gate says harm',
        weight: 0,
        targets: ['east', 'west'].map((name) => aTarget(name, 0, { highestWeight: 10 })),
      },
    },
    {
      it: 'goes back on harm though a freeze holds and clusters are away',
      rollout,
      sees: { frozen: 'xmas', targets: { east: away, west }, progress: bothClusters({ last: aVerdict('harm') }) },
      becomes: { phase: 'rolling-back', weight: 0 },
    },
    {
      it: 'pauses when another hand changed the weights',
      rollout,
      sees: { targets: { east, west: onCluster({ weightChanged: true }) } },
      becomes: { phase: 'paused', reason: 'WeightChanged', resumeTo: 'progressing', weight: 10 },
    },
    {
      it: 'prefers the way back over a pause',
      rollout,
      sees: {
        targets: { east, west: onCluster({ weightChanged: true }) },
        progress: bothClusters({ last: aVerdict('harm') }),
      },
      becomes: { phase: 'rolling-back' },
    },
    {
      it: 'holds when a gate cannot see',
      rollout,
      sees: { progress: bothClusters({ last: aVerdict('blind') }) },
      becomes: { phase: 'blind', resumeTo: 'progressing', message: 'gate errors on east: the gate says blind' },
      next: NOW + 5 * SECOND,
    },
    {
      it: 'does not hold for blindness of the step before',
      rollout,
      sees: { now: T0 + 9 * SECOND, progress: bothClusters({ last: aVerdict('blind'), lookedAt: later(SECOND) }) },
      becomes: { phase: 'progressing', reason: 'Step' },
      next: 14 * SECOND,
    },
    {
      it: 'brings a cluster that came back to the weight of the others, and counts anew',
      rollout: { ...looked, targets: [aTarget('east', 10), aTarget('west', 0)] },
      becomes: {
        phase: 'progressing',
        step: 0,
        weight: 10,
        weightSince: later(NOW),
        targets: [aTarget('east', 10, { highestWeight: 10 }), aTarget('west', 10, { highestWeight: 10 })],
        history: transition({ reason: 'CatchingUp' }),
      },
      without: ['liveAt'],
    },
    {
      it: 'leaves a cluster behind while a freeze holds',
      rollout: { ...looked, targets: [aTarget('east', 10), aTarget('west', 0)] },
      sees: { frozen: 'xmas' },
      becomes: { weightSince: later(0), reason: 'Frozen' },
      next: NOW + 5 * SECOND,
    },
  ])
})
