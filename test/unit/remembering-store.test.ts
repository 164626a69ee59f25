import { describe, expect, it } from 'vitest'
import { remembering } from '../../src/remembering-store.ts'
import { virtualClock } from './adapters/virtual-clock.ts'
import { aCluster, aService } from './fakes/documents.ts'
import { MemoryStore } from './fakes/memory-store.ts'

function setting() {
  const memory = new MemoryStore()
  const clock = virtualClock()
  let reads = 0
  memory.beforeRead = () => {
    reads += 1
  }
  const list = memory.all.bind(memory)
  memory.all = ((...asked: Parameters<typeof list>) => {
    reads += 1
    return list(...asked)
  }) as typeof memory.all
  return { memory, clock, ...remembering(memory, clock), reads: () => reads }
}

describe('what was written here', () => {
  it('is read once without asking, and then anew', async () => {
    const { memory, toAct, reads } = setting()
    const made = await toAct.create(aService())
    const written = await toAct.replace(made, { ...made.value, generation: 2 }, 'left')
    memory.change('service', 'shop/web', (service) => ({ ...service, generation: 3 }))
    expect(await toAct.read('service', 'shop/web')).toEqual(written)
    expect(reads()).toBe(0)
    expect((await toAct.read('service', 'shop/web'))?.value.generation).toBe(3)
    expect(reads()).toBe(1)
  })

  it('by a decision is what the pass after it reads, and once more when it is recalled', async () => {
    const { memory, toAct, toDecide, recall, reads } = setting()
    const written = await toDecide.create(aService())
    expect(await toAct.read('service', 'shop/web')).toEqual(written)
    recall(written)
    memory.change('service', 'shop/web', (service) => ({ ...service, generation: 3 }))
    expect(await toDecide.read('service', 'shop/web')).toEqual(written)
    await expect(toDecide.replace(written, { ...written.value, generation: 2 })).rejects.toThrow('precondition')
    expect((await toDecide.read('service', 'shop/web'))?.value.generation).toBe(3)
    expect(reads()).toBe(1)
  })

  it('is not believed after a write that lost its race', async () => {
    const { memory, toAct, reads } = setting()
    const made = await toAct.create(aService())
    memory.change('service', 'shop/web', (service) => ({ ...service, generation: 3 }))
    await expect(toAct.replace(made, { ...made.value, generation: 2 })).rejects.toThrow('precondition')
    expect((await toAct.read('service', 'shop/web'))?.value.generation).toBe(3)
    expect(reads()).toBe(1)
  })

  it('says nothing of other documents', async () => {
    const { memory, toAct, reads } = setting()
    memory.put(aCluster('east'))
    await toAct.create(aService())
    expect((await toAct.read('cluster', 'east'))?.value.name).toBe('east')
    expect(reads()).toBe(1)
  })
})

describe('freezes and clusters', () => {
  it('are asked for by every pass, and a decision within a second goes by what the last one saw', async () => {
    const { memory, clock, toAct, toDecide, reads } = setting()
    memory.put(aCluster('east'))
    for (const count of [2, 4]) {
      await Promise.all([toAct.all('freeze'), toAct.read('cluster', 'east')])
      expect(reads()).toBe(count)
    }
    await clock.pass(1000)
    expect(await toDecide.all('freeze')).toEqual([])
    expect((await toDecide.read('cluster', 'east'))?.value.name).toBe('east')
    expect(reads()).toBe(4)
    await clock.pass(1)
    await Promise.all([toDecide.all('freeze'), toDecide.read('cluster', 'east')])
    expect(reads()).toBe(6)
  })

  it('that could not be read are asked for again', async () => {
    const { memory, toDecide } = setting()
    memory.put(aCluster('east'))
    memory.beforeRead = () => {
      throw new Error('no answer')
    }
    await expect(toDecide.read('cluster', 'east')).rejects.toThrow('no answer')
    memory.beforeRead = () => undefined
    expect((await toDecide.read('cluster', 'east'))?.value.name).toBe('east')
  })
})
