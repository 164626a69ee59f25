import { describe } from 'vitest'
import { aRollout, aTarget, later, MINUTE, onCluster, SECOND, T0 } from './fixture.ts'
import { away, behind, checkRows, east, freeze, NOW, obstacle, weighing, west } from './rows.ts'

describe('pending', () => {
  const rollout = aRollout('pending')
  checkRows([
    { it: 'goes on when a place is free', rollout, becomes: { phase: 'preflight', reason: 'Starting' }, next: NOW },
    {
      it: 'waits for a place under the caps, the longer the less often',
      rollout,
      sees: { slot: false },
      becomes: { phase: 'pending', reason: 'CapReached' },
      next: NOW + 30 * SECOND,
    },
    {
      it: 'waits for a freeze and names it, a minute at most between two looks',
      rollout,
      sees: { frozen: 'xmas (holidays)', now: T0 + 900 * MINUTE },
      becomes: { phase: 'pending', reason: 'Frozen', message: 'Freeze xmas (holidays) holds back the start.' },
      next: 901 * MINUTE,
    },
    {
      it: 'keeps the attempt that is planned, and writes nothing in between',
      rollout: aRollout('pending', {
        reason: 'CapReached',
        message: 'As many rollouts are live as the caps allow.',
        nextAttemptAt: later(NOW + 10 * SECOND),
      }),
      sees: { slot: false },
      becomes: { updatedAt: later(0) },
      next: NOW + 10 * SECOND,
    },
  ])
})

describe('preflight', () => {
  const rollout = aRollout('preflight')
  checkRows([
    {
      it: 'takes the first step when route and endpoints are there, and notes how many pods stable has',
      rollout,
      becomes: {
        phase: 'progressing',
        step: 0,
        weight: 10,
        weightSince: later(NOW),
        targets: ['east', 'west'].map((cluster) => aTarget(cluster, 10, { highestWeight: 10, stableReadyAtStart: 2 })),
      },
    },
    {
      it: 'leaves a cluster that cannot be reached without a weight, and goes on with the others',
      rollout,
      sees: { targets: { east, west: away } },
      becomes: {
        phase: 'progressing',
        targets: [weighing(10), weighing(0)],
      },
    },
    {
      it: 'waits for endpoints of the candidate',
      rollout,
      sees: { targets: { east, west: onCluster({ candidateReady: 0 }) } },
      becomes: { phase: 'preflight', reason: 'CandidateNotReady', message: 'No ready endpoints of v2 on west.' },
      next: NOW + 30 * SECOND,
    },
    {
      it: 'waits for the route that names the candidate',
      rollout,
      sees: { targets: { east: behind, west } },
      becomes: { phase: 'preflight', reason: 'Rendering' },
      next: NOW + 30 * SECOND,
    },
    {
      it: 'says what stands in the way',
      rollout,
      sees: { targets: { east: onCluster({ liveRevision: 0, obstacle }), west } },
      becomes: { reason: 'WaitingForEndpoints', message: 'east: no endpoints.' },
      next: NOW + 30 * SECOND,
    },
    {
      it: 'waits for a freeze to end',
      rollout,
      sees: { frozen: 'xmas' },
      becomes: { phase: 'preflight', reason: 'Frozen' },
      next: NOW + 30 * SECOND,
    },
    {
      it: 'looks again just when the time for getting ready is over',
      rollout,
      sees: { targets: { east, west: onCluster({ candidateReady: 0 }) }, now: T0 + 595 * SECOND },
      becomes: { phase: 'preflight' },
      next: 600 * SECOND,
    },
    {
      it: 'goes back when the candidate is not ready in time',
      rollout,
      sees: { targets: { east, west: onCluster({ candidateReady: 0 }) }, now: T0 + 600 * SECOND },
      becomes: {
        phase: 'rolling-back',
        cause: 'gate',
        reason: 'ReadyTimeout',
        message: 'The candidate was not ready within 10m: No ready endpoints of v2 on west.',
      },
    },
    {
      it: 'goes back when nothing tells that the route was written',
      rollout,
      sees: { targets: { east: behind, west }, now: T0 + 600 * SECOND },
      becomes: { phase: 'rolling-back', reason: 'ReadyTimeout' },
    },
    {
      it: 'does not go back while no cluster can be reached',
      rollout,
      sees: { targets: { east: away, west: away }, now: T0 + 20 * MINUTE },
      becomes: { phase: 'preflight', reason: 'Unreachable' },
      next: 21 * MINUTE,
    },
    {
      it: 'is a person’s when none could be reached for as long as patience lasts',
      rollout,
      sees: { targets: { east: away, west: away }, now: T0 + 60 * MINUTE },
      becomes: { phase: 'paused', reason: 'Unreachable', resumeTo: 'preflight' },
    },
    {
      it: 'has its whole time again when clusters can be reached again',
      rollout: { ...rollout, reason: 'Unreachable' },
      sees: { targets: { east: onCluster({ candidateReady: 0 }), west }, now: T0 + 60 * MINUTE },
      becomes: { phase: 'preflight', reason: 'CandidateNotReady', heldUntil: later(60 * MINUTE) },
      next: 61 * MINUTE,
    },
    {
      it: 'goes back when that time is over too',
      rollout: { ...rollout, heldUntil: later(60 * MINUTE) },
      sees: { targets: { east: onCluster({ candidateReady: 0 }), west }, now: T0 + 70 * MINUTE },
      becomes: { phase: 'rolling-back', reason: 'ReadyTimeout' },
    },
    {
      it: 'does not count the time in which a freeze stops the route',
      rollout,
      sees: { targets: { east: onCluster({ liveRevision: 0, obstacle: freeze }), west }, now: T0 + 60 * MINUTE },
      becomes: { phase: 'preflight', reason: 'FreezeActive' },
      next: 61 * MINUTE,
    },
    {
      it: 'pauses when another hand changed the weights',
      rollout,
      sees: { targets: { east, west: onCluster({ weightChanged: true }) } },
      becomes: { phase: 'paused', reason: 'WeightChanged', resumeTo: 'preflight' },
    },
  ])
})
