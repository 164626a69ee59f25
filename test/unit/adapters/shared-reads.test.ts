import { beforeEach, expect, it } from 'vitest'
import type { PlainStore } from '../../../src/adapters/relaying-store.ts'
import { sharingReads } from '../../../src/adapters/shared-reads.ts'
import type { DocumentKind, FreezeDocument } from '../../../src/model/documents.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { memoryStore } from './memory-store.ts'
import { settle, type VirtualClock, virtualClock } from './virtual-clock.ts'

/** A read that is on its way: it has seen what there was when it was asked. */
interface Asked {
  readonly what: string
  answer(): void
  fail(): void
}

let clock: VirtualClock
let there: string[]
let asked: Asked[]
let store: PlainStore

beforeEach(() => {
  clock = virtualClock()
  there = []
  asked = []
  const ask = (what: string) => {
    const seen = there.map((name) => ({ kind: 'freeze', name }) as FreezeDocument)
    return new Promise<readonly FreezeDocument[]>((resolve, reject) => {
      asked.push({
        what,
        answer: () => resolve(seen),
        fail: () => reject(new PortError('unavailable', 'test', 'no answer')),
      })
    })
  }
  const plain: PlainStore = {
    ...memoryStore(),
    all: ((kind: DocumentKind) => ask(`all ${kind}`)) as unknown as PlainStore['all'],
    read: ((kind: DocumentKind, key: string) => ask(`read ${kind} ${key}`)) as unknown as PlainStore['read'],
  }
  store = sharingReads(plain, clock)
})

const freezes = async () => (await store.all('freeze')).map(({ name }) => name)

it('many who ask while a read is on its way share the next one, which sees all that was written before they asked', async () => {
  const first = freezes()
  there.push('holidays')
  const others = Promise.all([freezes(), freezes(), freezes()])
  await settle()
  expect(asked).toHaveLength(1)
  asked[0]?.answer()
  await settle()
  expect(asked).toHaveLength(2)
  // Who comes now is not served by what has begun already.
  there.push('incident')
  const last = freezes()
  asked[1]?.answer()
  await settle()
  asked[2]?.answer()
  expect(await first).toEqual([])
  expect(await others).toEqual([['holidays'], ['holidays'], ['holidays']])
  expect(await last).toEqual(['holidays', 'incident'])
  expect(asked).toHaveLength(3)
  expect(clock.sleepers()).toBe(0)
})

it('an answer is not kept', async () => {
  for (const count of [1, 2]) {
    const answer = freezes()
    asked[count - 1]?.answer()
    await answer
    expect(asked).toHaveLength(count)
  }
})

it('nobody waits long for a read that hangs', async () => {
  void freezes()
  const second = freezes()
  await clock.pass(100)
  expect(asked).toHaveLength(2)
  asked[1]?.answer()
  expect(await second).toEqual([])
})

it('a read that fails is no failure of those who came later', async () => {
  const first = freezes()
  const second = freezes()
  asked[0]?.fail()
  await expect(first).rejects.toThrow('no answer')
  await settle()
  asked[1]?.answer()
  expect(await second).toEqual([])
})

it('shares what all work reads, each document by itself; what is read for a write, or by a session token, is asked for anew', async () => {
  void store.read('cluster', 'east')
  void store.read('cluster', 'east')
  void store.read('cluster', 'west')
  void store.read('cluster', 'east', 'session')
  void store.read('service', 'shop/web')
  void store.read('service', 'shop/web')
  await settle()
  expect(asked.map(({ what }) => what)).toEqual([
    'read cluster east',
    'read cluster west',
    'read cluster east',
    'read service shop/web',
    'read service shop/web',
  ])
})
