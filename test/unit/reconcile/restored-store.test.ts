import { expect, it } from 'vitest'
import { World } from './world.ts'

/** A cluster at revision 101, and a store that knows less of it. */
async function lived(): Promise<World> {
  const world = new World()
  await world.settle()
  world.spec({ traffic: { timeout: '3s' } })
  expect(await world.settle()).toMatchObject({ state: 'live' })
  world.store.documents.delete('placement shop/web/east')
  return world
}

it('a store that is older than the cluster undoes nothing there', async () => {
  const world = await lived()
  world.service(() => ({
    renderRevision: 100,
    spec: { ...new World().store.peek('service', 'shop/web')?.spec } as never,
  }))
  expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'FencedOff' })
})

it('a service that is registered anew in an empty store takes its own objects over and goes on', async () => {
  const world = await lived()
  const anew = Math.floor(world.clock.now() / 1000)
  world.service(() => ({ renderRevision: anew, generation: 1 }))
  world.cluster.forget()
  expect(await world.settle()).toMatchObject({ state: 'live', weights: { v1: 100 } })
  expect(world.placement).toMatchObject({ liveRevision: anew })
  expect(world.condition('Conflict')).not.toBe('True OwnedByOthers')
  expect(world.cluster.forget().filter((request) => request.startsWith('remove'))).toEqual([])
})
