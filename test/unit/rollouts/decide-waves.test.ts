import { describe, expect, it } from 'vitest'
import type { Rollout } from '../../../src/model/rollout.ts'
import { decide } from '../../../src/rollouts/decide.ts'
import { aProgress, aRollout, aTarget, aVerdict, later, MINUTE, onCluster, SECOND, seen, T0 } from './fixture.ts'
import { checkRows, NOW, transition } from './rows.ts'

const steps = [
  { weight: 10, for: '1m' },
  { weight: 50, for: '1m' },
] as const

/** East goes first and bakes for five minutes, then west with a step of its own. */
const WAVES: Partial<Rollout> = {
  waves: [
    { name: 'first', clusters: ['east'], steps, bakeMs: 5 * MINUTE },
    { name: 'rest', clusters: ['west'], steps: [{ weight: 20, for: '1m' }], bakeMs: 0 },
  ],
  wave: 0,
}
const [none, ten, all] = [{}, { highestWeight: 10 }, { highestWeight: 100 }]

describe('the first of two waves', () => {
  checkRows([
    {
      it: 'begins on its own clusters alone',
      rollout: aRollout('preflight', WAVES),
      sees: { targets: { east: onCluster(), west: onCluster({ candidateReady: 0 }) } },
      becomes: {
        phase: 'progressing',
        wave: 0,
        step: 0,
        weight: 10,
        targets: [
          { weight: 10, stableReadyAtStart: 2 },
          { weight: 0, revision: 102 },
        ],
        message: 'wave 1 of 2 (east): The candidate is ready; first step: 10 % for 1m.',
      },
    },
    {
      it: 'is live when its own clusters carry the weight',
      rollout: aRollout('promoting', {
        ...WAVES,
        targets: [aTarget('east', 100, all), aTarget('west', 0, { revision: 90 })],
      }),
      sees: { targets: { east: onCluster(), west: onCluster({ liveRevision: 90 }) } },
      becomes: { phase: 'promoting', reason: 'WaveBake', bakeUntil: later(5 * MINUTE + 5 * SECOND) },
      next: NOW + 5 * SECOND,
    },
    {
      it: 'holds in its bake while a gate is blind',
      rollout: aRollout('promoting', {
        ...WAVES,
        liveAt: later(5 * SECOND),
        bakeUntil: later(5 * MINUTE),
        targets: [aTarget('east', 100, all), aTarget('west', 0)],
        progress: [aProgress('east', { last: aVerdict('blind') })],
      }),
      becomes: { phase: 'blind', resumeTo: 'promoting' },
      next: NOW + 5 * SECOND,
    },
    {
      it: 'passes after its bake: the next one is made ready, and takes nothing from it',
      rollout: aRollout('promoting', {
        ...WAVES,
        liveAt: later(5 * SECOND),
        bakeUntil: later(MINUTE),
        step: 1,
        targets: [aTarget('east', 100, all), aTarget('west', 0)],
      }),
      becomes: {
        phase: 'preflight',
        wave: 1,
        step: -1,
        weight: 0,
        targets: [{ weight: 100, revision: 102 }, { weight: 0 }],
        history: transition({ reason: 'WavePassed', wave: 1, to: 'preflight' }),
      },
      without: ['bakeUntil', 'liveAt'],
      next: NOW,
    },
    {
      it: 'does not pass while a freeze holds',
      rollout: aRollout('promoting', {
        ...WAVES,
        liveAt: later(5 * SECOND),
        bakeUntil: later(MINUTE),
        targets: [aTarget('east', 100, all), aTarget('west', 0)],
      }),
      sees: { frozen: 'xmas (holidays)' },
      becomes: { phase: 'promoting', reason: 'Frozen', message: 'Freeze xmas (holidays) holds back the next wave.' },
      next: NOW + 5 * SECOND,
    },
  ])
})

describe('the second of two waves', () => {
  const second = { ...WAVES, wave: 1 }
  const targets = [aTarget('east', 100, { ...all, revision: 90 }), aTarget('west', 20, { highestWeight: 20 })]
  checkRows([
    {
      it: 'begins with its own step',
      rollout: aRollout('preflight', { ...second, targets: [aTarget('east', 100, all), aTarget('west', 0, none)] }),
      becomes: { phase: 'progressing', weight: 20, targets: [{ weight: 100 }, { weight: 20 }] },
    },
    {
      it: 'ends the rollout: all clusters bake together',
      rollout: aRollout('promoting', {
        ...second,
        targets: [aTarget('east', 100, { ...all, revision: 90 }), aTarget('west', 100, all)],
      }),
      becomes: { phase: 'baking', bakeUntil: later(10 * MINUTE + 5 * SECOND) },
      next: NOW,
    },
    {
      it: 'takes back the first too when it shows harm',
      rollout: aRollout('progressing', {
        ...second,
        weight: 20,
        targets,
        progress: [aProgress('west', { last: aVerdict('harm') })],
      }),
      becomes: { phase: 'rolling-back', cause: 'gate', targets: [{ weight: 0 }, { weight: 0 }] },
    },
    {
      it: 'goes back when a cluster of the first shows harm later',
      rollout: aRollout('progressing', {
        ...second,
        weight: 20,
        targets,
        progress: [aProgress('east', { last: aVerdict('harm') })],
      }),
      becomes: { phase: 'rolling-back', message: 'gate errors on east: the gate says harm' },
    },
    {
      it: 'goes back when all clusters together show harm',
      rollout: aRollout('progressing', {
        ...second,
        weight: 20,
        targets,
        onHarm: 'freeze',
        progress: [aProgress('*', { last: aVerdict('harm') })],
      }),
      becomes: { phase: 'rolling-back', message: 'gate errors on all clusters together: the gate says harm' },
    },
    {
      it: 'pauses where harm is to freeze: the cluster with harm goes back for good, the others stay',
      rollout: aRollout('progressing', {
        ...second,
        weight: 20,
        targets,
        onHarm: 'freeze',
        progress: [aProgress('west', { last: aVerdict('harm') })],
      }),
      becomes: {
        phase: 'paused',
        resumeTo: 'progressing',
        reason: 'LimitExceeded',
        targets: [{ weight: 100 }, { weight: 0, out: 'harm' }],
      },
    },
  ])

  it('is not stopped again by harm of a cluster that the rollout has gone on without', () => {
    const out = [aTarget('east', 100, { ...all, revision: 90 }), aTarget('west', 0, { ...ten, out: 'harm' })]
    const progress = [aProgress('west', { last: aVerdict('harm') })]
    const rollout = aRollout('paused', { ...second, weight: 20, targets: out, progress, onHarm: 'freeze' })
    expect(decide(rollout, seen(rollout))).toMatchObject({ phase: 'paused', targets: out })
  })
})

describe('what the review of the waves found', () => {
  const three = ['east', 'west', 'north'].map((name) => aTarget(name, 10, ten))
  const seesThree = { targets: Object.fromEntries(['east', 'west', 'north'].map((name) => [name, onCluster()])) }
  checkRows([
    {
      it: 'freezes the one cluster with harm, though all together show it too for its sake, and judges the rest anew',
      rollout: aRollout('progressing', {
        targets: three,
        onHarm: 'freeze',
        progress: ['east', '*'].map((cluster) => aProgress(cluster, { last: aVerdict('harm') })),
      }),
      sees: seesThree,
      becomes: {
        phase: 'paused',
        targets: [{ weight: 0, out: 'harm' }, { weight: 10 }, { weight: 10 }],
        progress: [{ cluster: 'east' }],
        message: expect.stringContaining(
          '. east goes back to stable, the others stay as they are: resume goes on without it,',
        ),
      },
    },
    {
      it: 'bakes on while a cluster that had the wave’s traffic cannot be reached for a moment',
      rollout: aRollout('promoting', {
        ...WAVES,
        liveAt: later(5 * SECOND),
        phaseSince: later(-60 * MINUTE),
        bakeUntil: later(5 * MINUTE),
        targets: [aTarget('east', 100, all), aTarget('west', 0)],
      }),
      sees: { targets: { east: onCluster({ reachable: false }), west: onCluster() } },
      becomes: { phase: 'promoting', reason: 'WaveBake', targets: [{ weight: 100 }, { weight: 0 }] },
      next: NOW + 5 * SECOND,
    },
    {
      it: 'promotes when the approval that ends the steps expires and the step says to go on',
      rollout: aRollout('awaiting-approval', { steps: [{ approval: true, timeout: '1h', onTimeout: 'proceed' }] }),
      sees: { now: T0 + 61 * MINUTE },
      becomes: { phase: 'promoting', weight: 100 },
    },
    {
      it: 'looks at a shut window when it opens, where gates have nothing to see',
      rollout: aRollout('pending'),
      sees: { closed: 'The next opens later.', opensAt: T0 + 900 * MINUTE },
      becomes: { phase: 'pending', reason: 'OutsideWindow' },
      next: 900 * MINUTE,
    },
  ])
})

describe('a pause with traffic on the candidate', () => {
  checkRows([
    {
      it: 'goes back on harm without anybody’s leave',
      rollout: aRollout('paused', { progress: [aProgress('east', { last: aVerdict('harm') })] }),
      becomes: { phase: 'rolling-back', cause: 'gate' },
    },
    {
      it: 'looks on once a minute',
      rollout: aRollout('paused'),
      becomes: { phase: 'paused' },
      next: NOW + MINUTE,
    },
    {
      it: 'leaves weights of another hand to people',
      rollout: aRollout('paused', {
        reason: 'WeightChanged',
        progress: [aProgress('east', { last: aVerdict('harm') })],
      }),
      becomes: { phase: 'paused' },
    },
  ])
})

describe('an approval with an end', () => {
  const step = (onTimeout?: 'pause' | 'rollback' | 'proceed') => ({
    steps: [
      { approval: true, timeout: '1h', ...(onTimeout ? { onTimeout } : {}) },
      { weight: 50, for: '1m' },
    ] as const,
  })
  const after = { now: T0 + 61 * MINUTE }
  checkRows([
    {
      it: 'is waited for until then, with a look in between',
      rollout: aRollout('awaiting-approval', step()),
      becomes: { phase: 'awaiting-approval' },
      next: NOW + MINUTE,
    },
    {
      it: 'pauses then when the step says nothing',
      rollout: aRollout('awaiting-approval', step()),
      sees: after,
      becomes: { phase: 'paused', reason: 'ApprovalExpired', message: 'Nobody approved within 1h.' },
    },
    {
      it: 'rolls back then where the step says so',
      rollout: aRollout('awaiting-approval', step('rollback')),
      sees: after,
      becomes: { phase: 'rolling-back', reason: 'ApprovalExpired' },
    },
    {
      it: 'goes on then where the step says so',
      rollout: aRollout('awaiting-approval', step('proceed')),
      sees: after,
      becomes: {
        phase: 'progressing',
        step: 1,
        weight: 50,
        history: transition({ actor: { kind: 'schedule', id: 'schedule', name: 'schedule' } }),
      },
    },
    {
      it: 'does not go on into a freeze',
      rollout: aRollout('awaiting-approval', step('proceed')),
      sees: { ...after, frozen: 'xmas' },
      becomes: { phase: 'awaiting-approval', reason: 'Frozen' },
      next: 61 * MINUTE + 5 * SECOND,
    },
  ])
})
