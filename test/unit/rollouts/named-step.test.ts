import { describe, expect, it } from 'vitest'
import { MESHWRIGHT } from '../../../src/model/identity.ts'
import type { Rollout, RolloutPhase } from '../../../src/model/rollout.ts'
import { atStep, enter } from '../../../src/rollouts/transition.ts'
import { applyVerb } from '../../../src/rollouts/verbs.ts'
import { aRollout, MINUTE, PERSON, T0 } from './fixture.ts'

const GRACE = { kind: 'person', id: 'p2', name: 'Grace' } as const
const steps = [{ weight: 10, for: '1m' }, { approval: true }, { approval: { quorum: 2 } }] as const
const now = T0 + MINUTE

function waitingAt(step: number, change: Partial<Rollout> = {}): Rollout {
  return aRollout('awaiting-approval', { steps, step, ...change })
}
function say(rollout: Rollout, verb: 'approve' | 'reject', at: object, actor: typeof PERSON | typeof GRACE = PERSON) {
  return applyVerb(rollout, { verb, actor, note: '', now, at })
}
function approved(rollout: Rollout, at: object, actor?: typeof PERSON | typeof GRACE): Rollout {
  const result = say(rollout, 'approve', at, actor)
  if (!result.ok) throw new Error(result.failure.detail)
  return result.value
}
/** On from the step that was approved to the next, which waits. */
function next(rollout: Rollout): Rollout {
  const at = atStep(rollout, rollout.step + 1, now)
  const cause = { actor: MESHWRIGHT, reason: 'Test', message: '' }
  return enter(enter(at, 'step-passed', cause, now), 'approval-asked', cause, now)
}

describe('a word on a step that is named', () => {
  it('is one on the step that waits', () => {
    expect(approved(waitingAt(1), { wave: 0, step: 1 })).toMatchObject({ phase: 'progressing', approvals: [PERSON] })
    expect(say(waitingAt(1), 'reject', { step: 1 })).toMatchObject({ ok: true, value: { phase: 'rolling-back' } })
  })

  it.each(['approve', 'reject'] as const)('changes nothing when another waits by now: %s', (verb) => {
    expect(say(waitingAt(2), verb, { wave: 0, step: 1 })).toEqual({
      ok: false,
      failure: {
        code: 'NotAtStep',
        detail: `Rollout shop.web.k3 cannot ${verb} step 2 of 3: it waits at step 3 of 3.`,
        errors: [
          { pointer: '/wave', reason: 'is 0, and the rollout is at 0' },
          { pointer: '/step', reason: 'is 1, and the rollout is at 2' },
        ],
      },
    })
  })

  it('names waves where there are several, also a step of another wave of the same number', () => {
    const waves = ['canary', 'rest'].map((name) => ({ name, clusters: [name], steps, bakeMs: 0 }))
    const refused = say(waitingAt(1, { waves, wave: 1 }), 'approve', { wave: 0, step: 1 })
    expect(refused).toMatchObject({
      failure: { detail: expect.stringContaining('wave 1 of 2, step 2 of 3: it waits at wave 2 of 2, step 2 of 3.') },
    })
    expect(say(waitingAt(1, { waves, wave: 1 }), 'approve', { wave: 1, step: 1 }).ok).toBe(true)
  })

  it.each([
    'pending',
    'preflight',
    'progressing',
    'paused',
    'blind',
    'promoting',
    'baking',
    'rolling-back',
    'succeeded',
    'rolled-back',
    'aborted',
    'superseded',
    'failed',
  ] as const satisfies readonly RolloutPhase[])('is refused when no step waits: %s', (phase) => {
    const rollout = aRollout(phase, { steps })
    for (const verb of ['approve', 'reject'] as const) {
      const isRejected = verb === 'reject' && (phase === 'rolling-back' || phase === 'rolled-back')
      const result = say(rollout, verb, { wave: 0, step: rollout.step })
      if (isRejected) expect(result).toEqual({ ok: true, value: rollout })
      else expect(result).toMatchObject({ failure: { code: 'NotAtStep', detail: expect.stringContaining(phase) } })
    }
  })

  it('that the same person has approved is fine again, whatever the rollout does by now', () => {
    const first = approved(waitingAt(1), { wave: 0, step: 1 })
    const later = next(first)
    expect(later).toMatchObject({ phase: 'awaiting-approval', step: 2 })
    for (const rollout of [first, later, aRollout('succeeded', { steps, step: 2, history: first.history })])
      expect(approved(rollout, { wave: 0, step: 1 })).toBe(rollout)
    expect(say(later, 'approve', { wave: 0, step: 1 }, GRACE)).toMatchObject({ failure: { code: 'NotAtStep' } })
    // Without a step it is a word on the one that waits now.
    expect(approved(later, {})).toMatchObject({ step: 2, approvals: [PERSON] })
  })

  it('counts nobody twice towards a quorum, and is none for the step after', () => {
    const one = approved(waitingAt(2), { step: 2 })
    expect(approved(one, { step: 2 })).toBe(one)
    expect(approved(one, { step: 2 }, GRACE)).toMatchObject({ phase: 'progressing', approvals: [PERSON, GRACE] })
    const again = { ...one, approvals: [] }
    expect(approved(again, { step: 2 })).toMatchObject({ approvals: [PERSON] })
  })

  it('is not for who started the rollout either', () => {
    const rollout = waitingAt(1, { separateDuties: true, actor: PERSON })
    expect(say(rollout, 'approve', { step: 1 })).toMatchObject({ failure: { code: 'SeparateDuties' } })
  })
})
