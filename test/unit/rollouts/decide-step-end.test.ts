import { describe, expect } from 'vitest'
import { aRollout, aTarget, aVerdict, bothClusters, later, MINUTE, SECOND, T0 } from './fixture.ts'
import { checkRows, transition } from './rows.ts'

describe('the end of a step', () => {
  const few = { good: 20, bad: 0 }
  const end = (60 + 5 + 10) * SECOND
  const sparse = aRollout('progressing', { progress: bothClusters({ stepCandidate: few }) })
  const withoutGates = aRollout('progressing', { gates: [], steps: [{ weight: 10, for: '1m' }] })
  const analysed = { steps: [{ weight: 10, for: '1m', analysis: true }] } as const
  const approval = { steps: [{ weight: 10, for: '1m', approval: true }], progress: bothClusters() } as const
  checkRows([
    {
      it: 'is put off when the candidate saw too few requests on all clusters together',
      rollout: sparse,
      sees: { now: T0 + end },
      becomes: {
        step: 0,
        reason: 'TooFewEvents',
        message: 'Gate errors saw 40 requests to the candidate in this step; 50 are needed.',
      },
      next: end + 5 * SECOND,
    },
    {
      it: 'comes when the clusters have enough together',
      rollout: { ...sparse, progress: bothClusters({ stepCandidate: { good: 24, bad: 1 } }) },
      sees: { now: T0 + end },
      becomes: { step: 1 },
    },
    {
      it: 'is looked at just when patience ends',
      rollout: sparse,
      sees: { now: T0 + end + 30 * MINUTE - SECOND },
      becomes: { phase: 'progressing' },
      next: end + 30 * MINUTE,
    },
    {
      it: 'is a person’s when patience is over',
      rollout: sparse,
      sees: { now: T0 + end + 30 * MINUTE },
      becomes: { phase: 'paused', reason: 'TooFewEvents', resumeTo: 'progressing' },
    },
    {
      it: 'is given patience again after a resume',
      rollout: { ...sparse, phaseSince: later(40 * MINUTE) },
      sees: { now: T0 + 41 * MINUTE },
      becomes: { phase: 'progressing', reason: 'TooFewEvents' },
      next: 41 * MINUTE + 5 * SECOND,
    },
    {
      it: 'needs safe where the step asks for analysis',
      rollout: aRollout('progressing', { ...analysed, progress: bothClusters({ last: aVerdict('undecided') }) }),
      sees: { now: T0 + end },
      becomes: { phase: 'progressing', reason: 'NotYetSafe', message: 'gate errors on east: the gate says undecided' },
      next: end + 5 * SECOND,
    },
    {
      it: 'comes with safe where the step asks for analysis',
      rollout: aRollout('progressing', { ...analysed, progress: bothClusters() }),
      sees: { now: T0 + end },
      becomes: { phase: 'promoting' },
    },
    {
      it: 'needs nothing but no harm where it does not',
      rollout: aRollout('progressing', { progress: bothClusters({ last: aVerdict('undecided') }) }),
      sees: { now: T0 + end },
      becomes: { step: 1 },
    },
    {
      it: 'waits while stable breaks the limit too',
      rollout: aRollout('progressing', {
        progress: bothClusters({ last: aVerdict('undecided', { reason: 'StableBreaksLimitToo' }) }),
      }),
      sees: { now: T0 + end },
      becomes: { phase: 'progressing', reason: 'StableBreaksLimitToo' },
      next: end + 5 * SECOND,
    },
    {
      it: 'comes by time alone without gates, by the schedule, and waits for no delay',
      rollout: withoutGates,
      sees: { now: T0 + 65 * SECOND },
      becomes: {
        phase: 'promoting',
        history: transition({ actor: expect.objectContaining({ kind: 'schedule' }) }),
      },
    },
    {
      it: 'is looked at once without gates',
      rollout: withoutGates,
      sees: { now: T0 + 9 * SECOND },
      becomes: { phase: 'progressing' },
      next: 65 * SECOND,
    },
    {
      it: 'waits for an approver where the step asks for one',
      rollout: aRollout('progressing', approval),
      sees: { now: T0 + end },
      becomes: { phase: 'awaiting-approval', reason: 'AwaitingApproval', weight: 10 },
    },
    {
      it: 'comes with the approval, in the name of the approver, who approved no later step',
      rollout: aRollout('progressing', { ...approval, approvals: [{ kind: 'person', id: 'p2', name: 'Bo' }] }),
      sees: { now: T0 + end },
      becomes: {
        phase: 'promoting',
        history: transition({ actor: { kind: 'person', id: 'p2', name: 'Bo' } }),
      },
      without: ['approvals'],
    },
    {
      it: 'may come at 100 %, and then asks for no routes anew',
      rollout: aRollout('progressing', {
        weight: 100,
        targets: [aTarget('east', 100), aTarget('west', 100)],
        steps: [{ weight: 100, for: '1m' }],
        progress: bothClusters(),
      }),
      sees: { now: T0 + end },
      becomes: { phase: 'promoting', weight: 100, weightSince: later(0), liveAt: later(5 * SECOND) },
    },
  ])
})
