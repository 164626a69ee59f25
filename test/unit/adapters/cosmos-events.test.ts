import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cosmosStore } from '../../../src/adapters/cosmos/cosmos-store.ts'
import { cosmosEmulator } from '../../../src/sandbox/emulators/cosmos/cosmos.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { pipelineTransport } from '../../../src/sandbox/transports/pipeline-transport.ts'
import { eventRecord } from '../../contract/store/documents.ts'
import { virtualClock } from './virtual-clock.ts'

const key = Buffer.from('a master key for tests').toString('base64')

function emulated() {
  const clock = virtualClock()
  /** How far the clock of the partition that takes an event is off. */
  const skew = { ms: 0 }
  const context = { now: () => clock.now() + skew.ms, random: () => 0.5, storage: memoryStorage() }
  const httpClient = pipelineTransport(cosmosEmulator(context, { key, partitions: 2 }))
  const settings = {
    endpoint: 'https://cosmos.test',
    database: 'm',
    credential: { key },
    httpClient,
    createMissing: true,
  }
  return { store: cosmosStore(settings, clock), clock, skew }
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('append' as const),
        id: fc.nat(999),
        skewMs: fc.integer({ min: -3000, max: 3000 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), limit: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 15_000 }) }) },
  ),
  { maxLength: 40 },
)

describe('a reader of events', () => {
  it('gets every event once, though events arrive out of order and pages are small', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (all, ofOneSubject) => {
        const { store, clock, skew } = emulated()
        const appended = new Set<string>()
        const read: string[] = []
        let cursor: string | undefined
        const readPage = async (limit: number) => {
          const page = await store.events({
            limit,
            ...(ofOneSubject ? { subject: 'services/shop/a' } : {}),
            ...(cursor ? { after: cursor } : {}),
          })
          read.push(...page.value.map(({ id }) => id))
          cursor = page.value.at(-1)?.cursor ?? cursor
          return page.value.length
        }
        for (const step of all) {
          if (step.do === 'pass') await clock.pass(step.ms)
          if (step.do === 'read') await readPage(step.limit)
          if (step.do === 'append') {
            const id = `e${step.id}`
            skew.ms = step.skewMs
            await store.appendEvent(eventRecord(id, `services/shop/${ofOneSubject || step.id % 2 ? 'a' : 'b'}`))
            appended.add(id)
          }
        }
        while ((await readPage(3)) > 0) {}
        expect(read.toSorted()).toEqual([...appended].toSorted())
      }),
      { numRuns: 40 },
    )
  })

  it('has a short cursor once events have settled', async () => {
    const { store, clock } = emulated()
    for (let count = 0; count < 50; count += 1) await store.appendEvent(eventRecord(`e${count}`))
    const fresh = await store.events({ limit: 100 })
    await clock.pass(20_000)
    const settled = await store.events({ limit: 100 })
    expect(fresh.value.at(-1)?.cursor.length).toBeGreaterThan(400)
    for (const { cursor } of settled.value) expect(cursor.length).toBeLessThan(100)
    expect((await store.events({ limit: 100, after: settled.value[24]?.cursor ?? '' })).value).toHaveLength(25)
  })

  it('is not lost in a burst, and its cursor stays bounded', async () => {
    const { store } = emulated()
    for (let count = 0; count < 450; count += 1) await store.appendEvent(eventRecord(`e${count}`))
    const ids: string[] = []
    let after: string | undefined
    do {
      const page = await store.events({ limit: 100, ...(after ? { after } : {}) })
      ids.push(...page.value.map(({ id }) => id))
      for (const { cursor } of page.value) expect(cursor.length).toBeLessThan(2500)
      after = page.next
    } while (after !== undefined)
    expect(new Set(ids).size).toBe(450)
    expect(ids).toHaveLength(450)
  })
})
