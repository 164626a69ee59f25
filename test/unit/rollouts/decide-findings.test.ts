import { describe } from 'vitest'
import { aRollout, aTarget, later, MINUTE, onCluster, SECOND, T0 } from './fixture.ts'
import { checkRows, east, NOW, obstacle, weighing, west } from './rows.ts'

const REVISION = 102
const mixed = onCluster({ overlap: 'Deployment shop/a also takes the Pods of Deployment shop/b.' })
const refusal = {
  phase: 'rolling-back',
  cause: 'gate',
  reason: 'SelectorsOverlap',
  message: 'west: Deployment shop/a also takes the Pods of Deployment shop/b.',
  weight: 0,
}

describe('versions whose selectors overlap', () => {
  const rollout = aRollout('preflight')
  checkRows([
    {
      it: 'are refused in preflight before anything was shifted',
      rollout,
      sees: { targets: { east, west: mixed } },
      becomes: { ...refusal, targets: [aTarget('east', 0), aTarget('west', 0)] },
    },
    {
      it: 'are refused before the candidate is ready, and though a freeze holds',
      rollout,
      sees: { frozen: 'xmas', targets: { east, west: { ...mixed, candidateReady: 0, liveRevision: 0 } } },
      becomes: refusal,
    },
    {
      it: 'wait for their place first',
      rollout: aRollout('pending'),
      sees: { slot: false, targets: { east, west: mixed } },
      becomes: { phase: 'pending', reason: 'CapReached' },
      next: NOW + 30 * SECOND,
    },
    {
      it: 'are refused on a cluster that comes back before it gets its part',
      rollout: aRollout('progressing', {
        targets: [aTarget('east', 10, { highestWeight: 10 }), aTarget('west', 0)],
      }),
      sees: { targets: { east, west: mixed } },
      becomes: refusal,
    },
    {
      it: 'are not looked at again once the candidate had something there',
      rollout: aRollout('progressing'),
      sees: { targets: { east, west: mixed }, now: T0 + 9 * SECOND },
      becomes: { phase: 'progressing', reason: 'Step' },
      next: 14 * SECOND,
    },
    {
      it: 'end a rollout at once, for there is nothing to take back',
      rollout: aRollout('rolling-back', {
        cause: 'gate',
        reason: 'SelectorsOverlap',
        targets: [aTarget('east', 0), aTarget('west', 0)],
      }),
      sees: { targets: { east, west: { ...mixed, liveRevision: 0 } } },
      becomes: { phase: 'rolled-back' },
    },
  ])
})

describe('warnings before the first step', () => {
  const rollout = aRollout('preflight', { warnings: ['told at the start'] })
  checkRows([
    {
      it: 'are taken over with the first step, each once',
      rollout,
      sees: { warnings: ['told at the start', 'callers outside'] },
      becomes: { phase: 'progressing', warnings: ['told at the start', 'callers outside'] },
    },
    {
      it: 'change nothing while it waits',
      rollout,
      sees: { warnings: ['callers outside'], frozen: 'xmas' },
      becomes: { phase: 'preflight', warnings: ['told at the start'] },
      next: NOW + 30 * SECOND,
    },
  ])
})

describe('a way back whose other changes are held back', () => {
  const rollout = aRollout('rolling-back', { reason: 'Aborted', message: 'Ada aborted' })
  const held = onCluster({ liveRevision: 101, obstacle })
  const back = { candidate: 0, revision: REVISION, liveAt: T0 + 5 * SECOND }
  const rows = (written: typeof back) => ({ targets: { east: { ...held, written }, west } })
  checkRows([
    { it: 'ends with its weights', rollout, sees: rows(back), becomes: { phase: 'aborted', weight: 0 } },
    {
      it: 'ends with weights of a newer render',
      rollout,
      sees: rows({ ...back, revision: REVISION + 7 }),
      becomes: { phase: 'aborted' },
    },
    {
      it: 'is looked at just when they have settled, and names no obstacle till then',
      rollout,
      sees: rows({ ...back, liveAt: T0 + NOW + 3 * SECOND }),
      becomes: { phase: 'rolling-back', reason: 'Aborted', message: 'The way back is being written on east.' },
      next: NOW + 3 * SECOND,
    },
    {
      it: 'does not fail in the last seconds of its time when weights only have to settle',
      rollout,
      sees: { ...rows({ ...back, liveAt: T0 + 30 * MINUTE + 3 * SECOND }), now: T0 + 30 * MINUTE },
      becomes: { phase: 'rolling-back' },
      next: 30 * MINUTE + 3 * SECOND,
    },
    {
      it: 'goes on while the candidate still has weight',
      rollout,
      sees: rows({ ...back, candidate: 10 }),
      becomes: { phase: 'rolling-back', message: 'The way back is not live on east: east: no endpoints.' },
      next: NOW + 30 * SECOND,
    },
    {
      it: 'goes on while the weights are those of an older render: a writer may be on its way with others',
      rollout,
      sees: rows({ ...back, revision: REVISION - 1 }),
      becomes: { phase: 'rolling-back' },
      next: NOW + 30 * SECOND,
    },
    {
      it: 'ends though the cluster went away after its weights were written',
      rollout,
      sees: { targets: { east: { ...held, reachable: false, written: back }, west } },
      becomes: { phase: 'aborted' },
    },
    {
      it: 'fails when one cluster has its weights and another has not for half an hour',
      rollout,
      sees: { targets: { east: { ...held, written: back }, west: held }, now: T0 + 30 * MINUTE },
      becomes: {
        phase: 'failed',
        reason: 'WeightsNotSet',
        targets: [weighing(0), weighing(0)],
        endedAt: later(30 * MINUTE),
      },
    },
  ])
})
