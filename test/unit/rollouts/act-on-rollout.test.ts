import { beforeEach, describe, expect, it } from 'vitest'
import type { Rollout } from '../../../src/model/rollout.ts'
import { actOnRollout } from '../../../src/rollouts/act-on-rollout.ts'
import type { Verb } from '../../../src/rollouts/verbs.ts'
import { aCaller, aService, aTeam, by, eventsIn, workIn } from '../fakes/documents.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { aRollout, later, MINUTE, T0 } from './fixture.ts'

let store: MemoryStore
let done: string[]
let onCarryOut: (cluster: string) => void
beforeEach(() => {
  store = new MemoryStore()
  done = []
  onCarryOut = () => undefined
  store.put(aTeam())
})

function live(rollout: Rollout): void {
  store.put(aService({ renderRevision: 102, rollouts: [rollout] }))
}

function act(verb: Verb, context = by(), id = 'shop.web.k3') {
  const deps = {
    store,
    clock: { now: () => T0 + MINUTE, sleep: async () => undefined },
    carryOut: async (service: string, cluster: string) => {
      onCarryOut(cluster)
      done.push(`carry out ${service} on ${cluster}`)
    },
    advance: async (service: string) => {
      done.push(`advance ${service}`)
    },
  }
  return actOnRollout(deps, id, { verb, note: 'because' }, context)
}

const service = () => store.get('service', 'shop/web')
const key = (body = 'body') => by({ idempotency: { id: 'k', body } })

describe('a verb', () => {
  it('is one write, with its event and its work, and the next step at once', async () => {
    live(aRollout('progressing'))
    expect(await act('pause')).toMatchObject({ ok: true, value: { phase: 'paused', message: 'Ada paused: because' } })
    expect(store.writes).toBe(1)
    expect(eventsIn(service().outbox)).toEqual(['rollout.paused'])
    expect(done).toEqual(['advance shop/web'])
  })

  it('that has its effect already writes nothing and does nothing', async () => {
    live(aRollout('paused'))
    expect(await act('pause')).toMatchObject({ ok: true, value: { phase: 'paused' } })
    expect(store.writes).toBe(0)
    expect(done).toEqual([])
  })

  it('that the phase does not take is a failure, and writes nothing', async () => {
    live(aRollout('progressing'))
    expect(await act('approve')).toMatchObject({ ok: false, failure: { code: 'RolloutState' } })
    expect(store.writes).toBe(0)
  })

  it('leaves other rollouts of the service alone', async () => {
    const other = aRollout('progressing', { id: 'shop.web.k4' })
    store.put(aService({ rollouts: [aRollout('progressing'), other] }))
    await act('pause')
    expect(service().rollouts).toMatchObject([{ phase: 'paused' }, { id: 'shop.web.k4', phase: 'progressing' }])
  })

  it('is decided anew when another writer was first', async () => {
    live(aRollout('progressing'))
    let raced = false
    store.beforeWrite = () => {
      if (!raced) live(aRollout('rolling-back'))
      raced = true
    }
    expect(await act('promote')).toMatchObject({ ok: false, failure: { code: 'RolloutState' } })
  })

  it.each(['nothing', 'shop.web', 'shop.web.k3.more', 'shop.web.unknown'])('has nothing to act on: %s', async (id) => {
    live(aRollout('progressing'))
    expect(await act('pause', by(), id)).toMatchObject({ ok: false, failure: { code: 'NotFound' } })
  })

  it('is not for people of other teams, on live rollouts or ended ones', async () => {
    live(aRollout('progressing'))
    const stranger = by({ caller: aCaller({ groups: [] }) })
    expect(await act('pause', stranger)).toMatchObject({ ok: false, failure: { code: 'Forbidden' } })
    store.put(aService())
    expect(await act('pause', stranger)).toMatchObject({ ok: false, failure: { code: 'Forbidden' } })
    expect(store.writes).toBe(0)
  })
})

describe('an abort', () => {
  it('is written to every cluster inside the call, before the next step is taken', async () => {
    live(aRollout('progressing'))
    const states: unknown[] = []
    onCarryOut = () => states.push(service().rollouts[0]?.phase)
    expect(await act('abort')).toMatchObject({ ok: true, value: { phase: 'rolling-back', weight: 0, revision: 103 } })
    expect(done).toEqual(['carry out shop/web on east', 'carry out shop/web on west', 'advance shop/web'])
    expect(states).toEqual(['rolling-back', 'rolling-back'])
    // What the call could not do, the queue does.
    expect(workIn(service().outbox)).toEqual(['urgent reconcile east', 'urgent reconcile west', 'urgent advance'])
  })

  it('answers with the rollout as the call left it', async () => {
    live(aRollout('progressing'))
    onCarryOut = (cluster) => {
      if (cluster === 'west') live({ ...aRollout('rolling-back'), message: 'on its way' })
    }
    expect(await act('abort')).toMatchObject({ value: { message: 'on its way' } })
  })

  it('that comes a second time does not write the clusters again', async () => {
    live(aRollout('progressing'))
    await act('abort')
    done = []
    expect(await act('abort')).toMatchObject({ ok: true, value: { phase: 'rolling-back' } })
    expect(done).toEqual([])
  })

  it('of a bake gives stable back', async () => {
    const targets = { east: { stable: 'v2' }, west: { stable: 'v2' } }
    store.put(aService({ targets, rollouts: [aRollout('baking')] }))
    await act('abort')
    expect(service().targets).toEqual({ east: { stable: 'v1' }, west: { stable: 'v1' } })
  })
})

describe('a verb with a key', () => {
  it('has one effect, whatever happened since', async () => {
    live(aRollout('progressing'))
    await act('pause', key())
    store.change('service', 'shop/web', (document) => ({ ...document, rollouts: [aRollout('progressing')] }))
    expect(await act('pause', key())).toMatchObject({ ok: true, value: { phase: 'progressing' } })
    expect(store.writes).toBe(1)
  })

  it('is answered after the end too', async () => {
    live(aRollout('progressing'))
    await act('pause', key())
    store.change('service', 'shop/web', (document) => ({ ...document, rollouts: [] }))
    putEnded('succeeded')
    expect(await act('pause', key())).toMatchObject({ ok: true, value: { phase: 'succeeded' } })
  })

  it('is remembered though it had nothing to do: it has no effect when it comes again', async () => {
    live(aRollout('paused'))
    await act('pause', key())
    store.change('service', 'shop/web', (document) => ({ ...document, rollouts: [aRollout('progressing')] }))
    expect(await act('pause', key())).toMatchObject({ ok: true, value: { phase: 'progressing' } })
  })

  it('is refused with another body', async () => {
    live(aRollout('progressing'))
    await act('pause', key())
    expect(await act('resume', key('other'))).toMatchObject({ ok: false, failure: { code: 'IdempotencyMismatch' } })
  })
})

describe('a verb on a rollout that ended', () => {
  it.each([
    ['abort', 'aborted'],
    ['rollback', 'rolled-back'],
    ['promote', 'succeeded'],
  ] as const)('%s is fine when it is %s', async (verb, phase) => {
    store.put(aService())
    putEnded(phase)
    expect(await act(verb)).toMatchObject({ ok: true, value: { phase } })
    expect(store.writes).toBe(0)
  })

  it('remembers its key: on a service it must not act on the next rollout when it comes again', async () => {
    store.put(aService())
    putEnded('aborted')
    expect(await act('abort', key())).toMatchObject({ ok: true, value: { phase: 'aborted' } })
    expect(done).toEqual([])
    const next = aRollout('progressing', { id: 'shop.web.k4' })
    store.change('service', 'shop/web', (document) => ({ ...document, rollouts: [next] }))
    expect(await act('abort', key(), 'shop.web.k4')).toMatchObject({ ok: true, value: { phase: 'progressing' } })
  })

  it('is refused otherwise, and names the phase', async () => {
    store.put(aService())
    putEnded('succeeded')
    expect(await act('abort')).toMatchObject({
      ok: false,
      failure: { code: 'RolloutState', detail: expect.stringContaining('is succeeded') },
    })
  })

  it('is answered though its service is gone', async () => {
    putEnded('aborted')
    expect(await act('abort')).toMatchObject({ ok: true, value: { phase: 'aborted' } })
  })
})

function putEnded(phase: 'succeeded' | 'aborted' | 'rolled-back'): void {
  const base = { schema: 1, outbox: [], createdAt: later(0), updatedAt: later(0) }
  store.put({ ...base, kind: 'rollout', service: 'shop/web', rollout: aRollout(phase, { endedAt: later(0) }) })
}
