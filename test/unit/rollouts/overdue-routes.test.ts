import { describe, expect, it } from 'vitest'
import { foldRollouts } from '../../../src/rollouts/fold-rollouts.ts'
import { aService, workIn } from '../fakes/documents.ts'
import { aRollout, later, SECOND, T0 } from './fixture.ts'

describe('routes that are not live long after they were asked for', () => {
  const workAfter = (before: ReturnType<typeof aRollout>, ms: number) => {
    const looked = { ...before, nextAttemptAt: later(ms + 15 * SECOND) }
    return workIn(foldRollouts(aService({ rollouts: [before] }), [looked], T0 + ms).outbox)
  }

  it.each(['preflight', 'promoting', 'rolling-back'] as const)('are asked for again in %s', (phase) => {
    const before = aRollout(phase)
    expect(workAfter(before, 14 * SECOND)).toEqual(['urgent advance'])
    expect(workAfter(before, 15 * SECOND)).toEqual(['urgent reconcile east', 'urgent reconcile west', 'urgent advance'])
  })

  it('are asked for by another message at every look, or the first would stand for all', () => {
    const before = aRollout('rolling-back')
    const ids = [20, 35].map((seconds) => {
      const looked = { ...before, nextAttemptAt: later((seconds + 15) * SECOND) }
      return foldRollouts(aService({ rollouts: [before] }), [looked], T0 + seconds * SECOND).outbox[0]?.id
    })
    expect(new Set(ids).size).toBe(2)
  })

  it('are left alone once they are live, and while the rollout waits for its turn or for a person', () => {
    for (const phase of ['progressing', 'pending', 'paused', 'awaiting-approval', 'blind', 'baking'] as const)
      expect(workAfter(aRollout(phase), 60 * SECOND)).not.toContain('urgent reconcile east')
  })
})
