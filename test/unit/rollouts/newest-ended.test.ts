import { describe, expect, it } from 'vitest'
import { SCHEMA } from '../../../src/model/documents.ts'
import { foldRollouts } from '../../../src/rollouts/fold-rollouts.ts'
import { newestEnded } from '../../../src/rollouts/newest-ended.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { serviceDocument } from '../reconcile/world.ts'
import { aRollout, T0 } from './fixture.ts'

function keep(store: MemoryStore, id: string, endedAt: string): void {
  const value = { ...aRollout('succeeded', { endedAt }), id }
  const times = { createdAt: endedAt, updatedAt: endedAt }
  store.put({ schema: SCHEMA, kind: 'rollout', service: 'shop/web', rollout: value, outbox: [], ...times })
}

describe('the rollout that ended last', () => {
  it('is named by the service, so that thousands before it are not read', async () => {
    const store = new MemoryStore()
    const live = aRollout('baking')
    const ended = foldRollouts(serviceDocument({ rollouts: [live] }), [{ ...live, phase: 'succeeded' }], T0)
    expect(ended.lastEnded).toBe(live.id)
    keep(store, live.id, '2026-05-01T11:00:00.000Z')
    store.put(ended)
    store.list = () => Promise.reject(new Error('nothing is to be listed'))
    expect((await newestEnded(store, ended))?.id).toBe(live.id)
  })

  it('is looked for where it ended before the service named it', async () => {
    const store = new MemoryStore()
    keep(store, 'shop.web.a', '2026-03-01T10:00:00.000Z')
    keep(store, 'shop.web.b', '2026-03-01T09:00:00.000Z')
    expect((await newestEnded(store, serviceDocument()))?.id).toBe('shop.web.a')
  })

  it('is none while none has ended', async () => {
    expect(await newestEnded(new MemoryStore(), serviceDocument())).toBeUndefined()
  })
})
