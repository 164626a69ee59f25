import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type NotifyDeps, sendNotification } from '../../../src/chat/notify.ts'
import { followUpsOf } from '../../../src/model/follow-ups.ts'
import type { OutgoingMessage } from '../../../src/ports/messenger.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import type { Store } from '../../../src/ports/store.ts'
import { settle } from '../adapters/virtual-clock.ts'
import { aService, aTeam } from '../fakes/documents.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { aHarmfulRollout, anEvent } from './cards/a-story.ts'

/**
 * What becomes of a call to the outside: it is done, fails before its effect or after it (the answer is lost), or the
 * process dies before or after it: then it never returns.
 */
const FATES = ['done', 'done', 'done', 'failed', 'lost', 'died', 'died-after'] as const
type Fate = (typeof FATES)[number]

interface Run {
  /** How often each channel got the message. */
  readonly got: Readonly<Record<'slack' | 'teams', number>>
  readonly states: readonly string[]
}

/** Workers come whenever the notification is due, several at a time, until nothing is left; fates are drawn in turn. */
async function run(fates: readonly Fate[], workers: number): Promise<Run> {
  const store = new MemoryStore()
  const event = anEvent('rollout.started')
  const [followUp] = followUpsOf(event)
  if (!followUp) throw new Error('nobody is told')
  store.put(aService({ rollouts: [aHarmfulRollout()] }))
  store.put(aTeam({ chat: { channel: 'C024BE91L', teamsSecret: 'teams-shop' } }))
  store.put(followUp.document)
  const got = { slack: 0, teams: 0 }
  let now = Date.parse(event.time)
  let drawn = 0
  const meet = async <T>(effect: () => Promise<T>): Promise<T> => {
    const fate = fates[drawn] ?? 'done'
    drawn += 1
    if (fate === 'died') return new Promise(() => undefined)
    const result = fate === 'failed' ? undefined : await effect()
    if (fate === 'failed' || fate === 'lost') {
      throw new PortError('unavailable', 'test', fate)
    }
    if (fate === 'died-after') return new Promise(() => undefined)
    return result as T
  }
  const deps: NotifyDeps = {
    store: through(store, meet),
    clock: { now: () => now, sleep: async () => undefined },
    random: { next: () => 0.5, uuid: () => 'uuid' },
    logger: { log: () => undefined },
    webhook: async () => 'https://prod.logic.azure.com/',
    messenger: {
      send: (message: OutgoingMessage) =>
        meet(async () => {
          got[message.kind === 'teams' ? 'teams' : 'slack'] += 1
        }),
    },
  }
  const { name } = followUp.document
  for (let round = 0; round < 500; round += 1) {
    const { dueAt, sends = [] } = store.get('notification', name)
    if (dueAt === undefined) return { got, states: sends.map(({ state }) => state) }
    now = Math.max(now, Date.parse(dueAt))
    for (let worker = 0; worker < workers; worker += 1) sendNotification(deps, name).catch(() => undefined)
    await settle()
  }
  throw new Error('it never ends')
}

function through(store: MemoryStore, meet: <T>(effect: () => Promise<T>) => Promise<T>): Store {
  return new Proxy<Store>(store, {
    get(target, name) {
      if (name === 'replace') return (...args: Parameters<Store['replace']>) => meet(() => target.replace(...args))
      if (name === 'read') return (...args: Parameters<Store['read']>) => meet(() => target.read(...args))
      return Reflect.get(target, name)
    },
  })
}

describe('a notification', () => {
  it('comes once to each channel, however many workers are at it', async () => {
    for (const workers of [1, 2, 5]) expect(await run([], workers)).toMatchObject({ got: { slack: 1, teams: 1 } })
  })

  it('comes at least once, and again only after a call of which nobody learnt', async () => {
    const fates = fc.array(fc.constantFrom(...FATES), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(fates, fc.integer({ min: 1, max: 3 }), async (drawn, workers) => {
        const { got, states } = await run(drawn, workers)
        const trouble = drawn.filter((fate) => fate !== 'done').length
        expect(states).toEqual(['sent', 'sent'])
        for (const count of Object.values(got)) {
          expect(count).toBeGreaterThanOrEqual(1)
          expect(count).toBeLessThanOrEqual(1 + trouble)
        }
        if (trouble === 0) expect(got).toEqual({ slack: 1, teams: 1 })
      }),
      { numRuns: 150 },
    )
  })
})
