import { expect, it } from 'vitest'
import { rememberingOnce } from '../../src/remembering-store.ts'
import { aCluster, aService } from './fakes/documents.ts'
import { MemoryStore } from './fakes/memory-store.ts'

function setting() {
  const memory = new MemoryStore()
  let reads = 0
  memory.beforeRead = () => {
    reads += 1
  }
  return { memory, store: rememberingOnce(memory), reads: () => reads }
}

it('what was just written is read once without asking, and then anew', async () => {
  const { memory, store, reads } = setting()
  const made = await store.create(aService())
  const written = await store.replace(made, { ...made.value, generation: 2 }, 'left')
  memory.change('service', 'shop/web', (service) => ({ ...service, generation: 3 }))
  expect(await store.read('service', 'shop/web')).toEqual(written)
  expect(reads()).toBe(0)
  expect((await store.read('service', 'shop/web'))?.value.generation).toBe(3)
  expect(reads()).toBe(1)
})

it('a write that lost its race is no reason to believe what was written before', async () => {
  const { memory, store, reads } = setting()
  const made = await store.create(aService())
  memory.change('service', 'shop/web', (service) => ({ ...service, generation: 3 }))
  await expect(store.replace(made, { ...made.value, generation: 2 })).rejects.toThrow('precondition')
  expect((await store.read('service', 'shop/web'))?.value.generation).toBe(3)
  expect(reads()).toBe(1)
})

it('other documents are asked for', async () => {
  const { memory, store, reads } = setting()
  memory.put(aCluster('east'))
  await store.create(aService())
  expect((await store.read('cluster', 'east'))?.value.name).toBe('east')
  expect(reads()).toBe(1)
})
