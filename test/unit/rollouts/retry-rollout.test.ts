import { describe, expect, it } from 'vitest'
import type { Rollout, RolloutPhase } from '../../../src/model/rollout.ts'
import { retryRollout } from '../../../src/rollouts/retry-rollout.ts'
import { aService, by } from '../fakes/documents.ts'
import { aRollout, later } from './fixture.ts'
import { startWorld } from './start-world.ts'

function retry(phase: RolloutPhase, context = by(), change: Partial<Rollout> = {}) {
  const { store, deps } = startWorld()
  const base = { schema: 1, outbox: [], createdAt: later(0), updatedAt: later(0) }
  const ended = aRollout(phase, { minEvents: 70, source: { commit: 'abc' }, strategy: 'default', ...change })
  if (['progressing', 'paused'].includes(phase)) store.put(aService({ rollouts: [ended] }))
  else store.put({ ...base, kind: 'rollout', service: 'shop/web', rollout: ended })
  return { store, result: retryRollout(deps, 'shop.web.k3', context) }
}

describe('a retry', () => {
  it.each(['aborted', 'rolled-back', 'superseded', 'failed'] as const)(
    'of one that is %s starts it anew',
    async (phase) => {
      const { store, result } = retry(phase)
      const value = (await result).ok ? store.get('service', 'shop/web').rollouts[0] : undefined
      const before = aRollout(phase)
      expect(value).toMatchObject({
        phase: 'pending',
        candidate: 'v2',
        steps: before.steps,
        gates: before.gates,
        bakeMs: before.bakeMs,
        patienceMs: before.patienceMs,
        readyTimeoutMs: before.readyTimeoutMs,
        minEvents: 70,
        source: { commit: 'abc' },
        weight: 0,
        progress: [],
      })
      expect(value?.id).not.toBe('shop.web.k3')
      expect(value?.targets.map(({ cluster }) => cluster)).toEqual(['east', 'west'])
    },
  )

  it.each(['succeeded', 'progressing', 'paused'] as const)('of one that is %s is refused', async (phase) => {
    const { store, result } = retry(phase)
    expect(await result).toMatchObject({ ok: false, failure: { code: 'RolloutState' } })
    expect(store.writes).toBe(0)
  })

  it('on a service that comes again with its key is answered with what it started, though that is what it means now', async () => {
    const { store, deps } = startWorld()
    const base = { schema: 1, outbox: [], createdAt: later(0), updatedAt: later(0) }
    store.put({ ...base, kind: 'rollout', service: 'shop/web', rollout: aRollout('aborted') })
    const context = by({ idempotency: { id: 'k', body: 'b' } })
    const first = await retryRollout(deps, 'shop.web.k3', context)
    if (!first.ok) throw new Error('it is taken')
    const writes = store.writes
    expect(await retryRollout(deps, first.value.id, context)).toMatchObject({ ok: true, value: { id: first.value.id } })
    expect(store.writes).toBe(writes)
  })

  it('makes the version from the same image again', async () => {
    const image = { images: { '': 'registry.example.com/web:3' }, replicas: 'weight' } as const
    const { store, result } = retry('rolled-back', by(), { candidate: 'v3', image })
    expect((await result).ok).toBe(true)
    expect(store.get('service', 'shop/web').rollouts[0]).toMatchObject({ candidate: 'v3', image })
  })

  it('of none is refused', async () => {
    const { deps } = startWorld()
    expect(await retryRollout(deps, 'shop.web.none', by())).toMatchObject({ failure: { code: 'NotFound' } })
    expect(await retryRollout(deps, 'nonsense', by())).toMatchObject({ failure: { code: 'NotFound' } })
  })

  it('is not for people of other teams', async () => {
    const stranger = by({ caller: { ...by().caller, groups: [] } })
    expect(await retry('aborted', stranger).result).toMatchObject({ failure: { code: 'Forbidden' } })
  })
})
