import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { ServiceDocument } from '../../../src/model/documents.ts'
import { World } from './world.ts'

/** A service that is live at 101, and as it was at 100. */
let world: World
let older: ServiceDocument
beforeEach(async () => {
  world = new World()
  await world.settle()
  older = world.store.peek('service', 'shop/web') as ServiceDocument
  world.spec({ traffic: { timeout: '3s' } })
  expect(await world.settle()).toMatchObject({ state: 'live' })
})

/** The next reads of the service give the older one, `times` of them. */
function readsOlder(times: number, document: ServiceDocument = older): void {
  const read = world.store.read.bind(world.store)
  let left = times
  vi.spyOn(world.store, 'read').mockImplementation((async (kind: 'service', key: string) => {
    if (kind !== 'service' || left === 0) return read(kind, key)
    left -= 1
    return { value: document, tag: 'old' }
  }) as never)
}

describe('a service that was read older than its placement', () => {
  it('is read again, and changes nothing of what a newer one was brought to', async () => {
    const before = world.placement
    readsOlder(2)
    expect(await world.reconcile()).toMatchObject({ state: 'live' })
    expect(world.placement).toMatchObject({ appliedRevision: 101, liveRevision: 101, objects: before.objects })
  })

  it('takes nothing from the cluster, though it was not for it then', async () => {
    readsOlder(1, { ...older, targets: {} })
    world.cluster.forget()
    expect(await world.reconcile()).toMatchObject({ state: 'live' })
    expect(world.cluster.forget().filter((request) => request.startsWith('remove'))).toEqual([])
  })

  it('is told of where it stays so, and the placement keeps what it knows', async () => {
    readsOlder(Number.POSITIVE_INFINITY)
    world.cluster.forget()
    const outcome = await world.reconcile()
    expect(outcome).toMatchObject({ state: 'stopped', reason: 'FencedOff' })
    expect(outcome.message).toContain('101')
    expect(world.cluster.forget()).toEqual([])
    expect(world.placement).toMatchObject({ appliedRevision: 101, liveRevision: 101 })
    expect(world.condition('Ready')).toBe('False FencedOff')
  })
})
