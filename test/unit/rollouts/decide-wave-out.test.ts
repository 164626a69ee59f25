import { describe } from 'vitest'
import type { Rollout } from '../../../src/model/rollout.ts'
import { aProgress, aRollout, aTarget, aVerdict, later, MINUTE, SECOND } from './fixture.ts'
import { checkRows, NOW, transition } from './rows.ts'

const steps = [{ weight: 20, for: '1m', approval: true }] as const

/** East runs the candidate; west, alone in the present wave, did harm and is out. */
const RESUMED: Partial<Rollout> = {
  onHarm: 'freeze',
  wave: 1,
  targets: [
    aTarget('east', 100, { highestWeight: 100, revision: 90 }),
    aTarget('west', 0, { highestWeight: 20, out: 'harm' }),
  ],
  progress: [aProgress('east'), aProgress('west', { last: aVerdict('harm') })],
}
const first = { name: 'first', clusters: ['east'], steps, bakeMs: MINUTE }
const second = { name: 'second', clusters: ['west'], steps, bakeMs: MINUTE }
const third = { name: 'third', clusters: ['north'], steps, bakeMs: 0 }

describe('a wave of whose clusters none is left', () => {
  checkRows([
    {
      it: 'takes no more steps, and asks no approver for them',
      rollout: aRollout('progressing', { ...RESUMED, waves: [first, second], weight: 20 }),
      becomes: {
        phase: 'promoting',
        targets: [
          { weight: 100, revision: 90 },
          { weight: 0, out: 'harm' },
        ],
        history: transition({ reason: 'StepsPassed', to: 'promoting' }),
      },
    },
    {
      it: 'does not hold up the bake of the whole when it is the last',
      rollout: aRollout('promoting', { ...RESUMED, waves: [first, second] }),
      becomes: { phase: 'baking', bakeUntil: later(NOW + 10 * MINUTE) },
      next: NOW,
    },
    {
      it: 'has no bake: the next one begins at once',
      rollout: aRollout('promoting', { ...RESUMED, waves: [first, second, third] }),
      becomes: {
        phase: 'preflight',
        wave: 2,
        message: 'wave 2 of 3 (west): no cluster of it is left. wave 3 of 3 (north): third begins.',
      },
      without: ['bakeUntil'],
      next: NOW,
    },
    {
      it: 'does not wait for the end of a bake that its last cluster was in',
      rollout: aRollout('promoting', { ...RESUMED, waves: [first, second, third], bakeUntil: later(90 * MINUTE) }),
      becomes: { phase: 'preflight', wave: 2 },
      without: ['bakeUntil'],
      next: NOW,
    },
    {
      it: 'is not passed into a freeze',
      rollout: aRollout('promoting', { ...RESUMED, waves: [first, second, third] }),
      sees: { frozen: 'xmas (holidays)' },
      becomes: { phase: 'promoting', reason: 'Frozen' },
      next: NOW + 5 * SECOND,
    },
    {
      it: 'is not passed while a gate of an earlier wave is blind',
      rollout: aRollout('promoting', {
        ...RESUMED,
        waves: [first, second, third],
        liveAt: later(5 * SECOND),
        progress: [aProgress('east', { last: aVerdict('blind') })],
      }),
      becomes: { phase: 'blind', resumeTo: 'promoting' },
      next: NOW + 5 * SECOND,
    },
    {
      it: 'is no way out of harm on the last cluster that is left: all goes back',
      rollout: aRollout('promoting', {
        ...RESUMED,
        waves: [first, second],
        progress: [aProgress('east', { last: aVerdict('harm') })],
      }),
      becomes: { phase: 'rolling-back', cause: 'gate' },
    },
  ])
})
