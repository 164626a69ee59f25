import { beforeEach, describe, expect, it } from 'vitest'
import { aCaller, aService, by, eventsIn, spec, workIn } from '../fakes/documents.ts'
import { aRollout, aTarget, later, MINUTE } from './fixture.ts'
import { startWorld } from './start-world.ts'

let { store, start, uuids } = startWorld()
beforeEach(() => {
  ;({ store, start, uuids } = startWorld())
})

const service = () => store.get('service', 'shop/web')
const key = (id: string, body = 'body') => by({ idempotency: { id, body } })

describe('a rollout that starts', () => {
  it('is in the service’s document, with all that it needs to go on, in one write', async () => {
    const result = await start({ source: { commit: 'abc' } })
    expect(result).toMatchObject({
      ok: true,
      value: {
        phase: 'pending',
        reason: 'Started',
        message: 'v2 is to replace v1.',
        candidate: 'v2',
        targets: [aTarget('east', 0), aTarget('west', 0)],
        strategy: 'default',
        steps: [{ weight: 5 }, { weight: 25 }, { weight: 50 }],
        gates: [{ kind: 'errors', limitPercent: 1 }],
        bakeMs: 60 * MINUTE,
        patienceMs: 30 * MINUTE,
        readyTimeoutMs: 10 * MINUTE,
        alpha: 0.01,
        minEvents: 50,
        step: -1,
        weight: 0,
        revision: 101,
        source: { commit: 'abc' },
        actor: { kind: 'person', id: 'p1', name: 'Ada' },
        nextAttemptAt: later(0),
        warnings: [],
      },
    })
    expect(store.writes).toBe(1)
    expect(service()).toMatchObject({ renderRevision: 101, dueAt: later(0), generation: 1 })
    expect(eventsIn(service().outbox)).toEqual(['rollout.started'])
    expect(workIn(service().outbox)).toEqual(['urgent advance'])
  })

  it('names its service in its id', async () => {
    expect(await start()).toMatchObject({ value: { id: expect.stringMatching(/^shop\.web\.[a-z2-7]{10}$/) } })
  })

  it('goes where it is sent, in that order, once each', async () => {
    const result = await start({ clusters: ['west', 'east', 'west'] })
    expect(result).toMatchObject({ value: { targets: [{ cluster: 'west' }, { cluster: 'east' }] } })
  })

  it('leaves out clusters that run the candidate already, and says so', async () => {
    store.put(aService({ targets: { east: { stable: 'v2' }, west: { stable: 'v1' } } }))
    const result = await start()
    expect(result).toMatchObject({
      value: { targets: [aTarget('west', 0)], warnings: ['east runs v2 already and is left out'] },
    })
  })

  it('may bring its candidate along, which all clusters of the service are then told', async () => {
    const candidate = { name: 'v3', labels: { version: 'v3' } }
    expect(await start({ candidate, clusters: ['east'] })).toMatchObject({ ok: true, value: { candidate: 'v3' } })
    expect(service()).toMatchObject({ generation: 2, spec: { versions: { v3: { labels: { version: 'v3' } } } } })
    expect(workIn(service().outbox)).toEqual(['urgent advance', 'work reconcile west'])
  })

  it('may name a known version with its labels', async () => {
    expect(await start({ candidate: { name: 'v2', labels: { version: 'v2' } } })).toMatchObject({ ok: true })
    expect(service().generation).toBe(1)
  })

  it('ends the bake of the one before, in the name of who starts it', async () => {
    const baking = aRollout('baking', { id: 'shop.web.old', candidate: 'v1' })
    store.put(aService({ rollouts: [baking] }))
    expect(await start()).toMatchObject({ ok: true })
    expect(service().rollouts).toHaveLength(1)
    expect(eventsIn(service().outbox)).toEqual(['rollout.succeeded', 'rollout.started'])
    expect(service().outbox.find(({ kind }) => kind === 'archive')).toMatchObject({
      value: { rollout: { id: 'shop.web.old', phase: 'succeeded', reason: 'NextRollout' } },
    })
    expect(service().outbox[0]).toMatchObject({ event: { actor: { name: 'Ada' } } })
  })

  it('goes beside one on other clusters', async () => {
    store.put(aService({ rollouts: [aRollout('progressing', { targets: [aTarget('west', 10)] })] }))
    expect(await start({ clusters: ['east'] })).toMatchObject({ ok: true })
    expect(service().rollouts).toHaveLength(2)
  })
})

describe('a start that is refused', () => {
  const refusals: readonly {
    readonly it: string
    readonly given?: () => void
    readonly body?: Readonly<Record<string, unknown>>
    readonly caller?: Parameters<typeof aCaller>[0]
    readonly failure: Readonly<Record<string, unknown>>
  }[] = [
    {
      it: 'when there is no such service',
      given: () => store.drop('service', 'shop/web'),
      failure: { code: 'NotFound' },
    },
    { it: 'for people of other teams', caller: { groups: [] }, failure: { code: 'Forbidden' } },
    {
      it: 'while the service is being deleted',
      given: () => store.put(aService({ deletingAt: later(0) })),
      failure: { code: 'Deleting' },
    },
    {
      it: 'for an unknown strategy',
      body: { strategy: 'careful' },
      failure: { code: 'UnknownReference', errors: [{ pointer: '/strategy', reason: expect.any(String) }] },
    },
    {
      it: 'for an unknown version, with those that there are',
      body: { candidate: 'v9' },
      failure: {
        code: 'UnknownReference',
        errors: [{ pointer: '/candidate', reason: 'is no version of the service; known: v1, v2' }],
        hint: expect.any(String),
      },
    },
    {
      it: 'for a known version with other labels',
      body: { candidate: { name: 'v2', labels: { version: 'other' } } },
      failure: { code: 'InvalidCombination', errors: [{ pointer: '/candidate/labels', reason: expect.any(String) }] },
    },
    {
      it: 'for a seventeenth version',
      given: () => {
        const versions = Object.fromEntries(
          Array.from({ length: 16 }, (_, index) => [`v${index + 1}`, { labels: { version: `v${index + 1}` } }]),
        )
        store.put(aService({ spec: spec({ versions }) }))
      },
      body: { candidate: { name: 'v17', labels: { version: 'v17' } } },
      failure: { code: 'InvalidCombination', errors: [{ pointer: '/candidate', reason: expect.any(String) }] },
    },
    {
      it: 'for labels that choose stable’s pods too',
      body: { candidate: { name: 'v3', labels: { version: 'v1', track: 'new' } } },
      failure: { code: 'InvalidCombination', errors: [{ pointer: '/candidate', reason: expect.any(String) }] },
    },
    {
      it: 'for labels whose pods stable would choose',
      given: () => store.put(aService({ spec: spec({ versions: { v1: { labels: { a: '1', b: '2' } } } }) })),
      body: { candidate: { name: 'v3', labels: { a: '1' } } },
      failure: { code: 'InvalidCombination', errors: [{ pointer: '/candidate', reason: expect.any(String) }] },
    },
    {
      it: 'for what is stable everywhere',
      body: { candidate: 'v1' },
      failure: {
        code: 'InvalidCombination',
        errors: [{ pointer: '/candidate', reason: 'is stable already on every cluster of the rollout' }],
      },
    },
    {
      it: 'for clusters that the service is not on',
      body: { clusters: ['east', 'north'] },
      failure: {
        code: 'UnknownReference',
        errors: [{ pointer: '/clusters', reason: 'service shop/web is not on north' }],
      },
    },
    {
      it: 'when the service is on no cluster',
      given: () => store.put(aService({ targets: {} })),
      failure: { code: 'InvalidCombination', errors: [{ pointer: '/clusters', reason: expect.any(String) }] },
    },
    {
      it: 'while the service pins its weights',
      given: () => store.put(aService({ spec: spec({ traffic: { weights: { v1: 50, v2: 50 } } }) })),
      failure: { code: 'WeightsPinned' },
    },
    {
      it: 'on a cluster that is only observed',
      given: () => store.change('cluster', 'west', (west) => ({ ...west, spec: { ...west.spec, mode: 'observe' } })),
      failure: {
        code: 'Conflict',
        errors: [{ pointer: '/clusters', reason: 'west is registered with mode observe' }],
        hint: expect.stringContaining('manage'),
      },
    },
    {
      it: 'of a service that is only observed',
      given: () => store.put(aService({ spec: spec({ mode: 'observe' }) })),
      failure: { code: 'Conflict', hint: expect.stringContaining('manage') },
    },
    {
      it: 'on a cluster that is being deleted',
      given: () => store.change('cluster', 'west', (west) => ({ ...west, deletingAt: later(0) })),
      failure: { code: 'Conflict', errors: [{ pointer: '/clusters', reason: 'west is being deleted' }] },
    },
    {
      it: 'on a cluster that is gone',
      given: () => store.drop('cluster', 'west'),
      failure: { code: 'Conflict', errors: [{ pointer: '/clusters', reason: 'west is not registered any more' }] },
    },
    ...(
      [
        'pending',
        'preflight',
        'progressing',
        'paused',
        'awaiting-approval',
        'blind',
        'promoting',
        'rolling-back',
      ] as const
    ).map((phase) => ({
      it: `beside one that is ${phase} on a cluster of both`,
      given: () => void store.put(aService({ rollouts: [aRollout(phase, { targets: [aTarget('west', 10)] })] })),
      failure: {
        code: 'RolloutInFlight',
        errors: [{ pointer: '/clusters', reason: 'overlap with rollout shop.web.k3' }],
      },
    })),
  ]

  it.each(refusals)('$it, and nothing is written', async ({ given, body, caller, failure }) => {
    given?.()
    const result = await start(body, by({ caller: aCaller(caller) }))
    expect(result).toMatchObject({ ok: false, failure })
    expect(store.writes).toBe(0)
  })

  it('is tried on other clusters though some are only observed', async () => {
    store.change('cluster', 'west', (west) => ({ ...west, spec: { ...west.spec, mode: 'observe' } }))
    expect(await start({ clusters: ['east'] })).toMatchObject({ ok: true })
  })
})

describe('a start that comes again with its key', () => {
  it('answers with the rollout that it started', async () => {
    const first = await start({}, key('k'))
    const second = await start({}, key('k'))
    expect(first.ok && second.ok && second.value.id === first.value.id).toBe(true)
    expect(store.writes).toBe(1)
  })

  it('does so after the rollout ended, before and after its copy was made, and after the service forgot the key', async () => {
    const first = await start({}, key('k'))
    if (!first.ok) throw new Error('not started')
    const ended = { ...first.value, phase: 'aborted' as const }
    store.change('service', 'shop/web', (service) => ({ ...service, rollouts: [], outbox: archiveOf(ended) }))
    expect(await start({}, key('k'))).toMatchObject({ ok: true, value: { id: first.value.id, phase: 'aborted' } })
    await store.relayAll()
    expect(await start({}, key('k'))).toMatchObject({ ok: true, value: { id: first.value.id, phase: 'aborted' } })
    store.change('service', 'shop/web', (service) => ({ ...service, idempotency: [] }))
    expect(await start({}, key('k'))).toMatchObject({ ok: true, value: { id: first.value.id, phase: 'aborted' } })
    expect(store.writes).toBe(1)
  })

  it('does so though it would be refused by now', async () => {
    const first = await start({ strategy: 'default' }, key('k'))
    store.change('service', 'shop/web', (service) => ({ ...service, deletingAt: later(0) }))
    expect(await start({ strategy: 'default' }, key('k'))).toEqual(first)
  })

  it('is refused with another body', async () => {
    await start({}, key('k'))
    expect(await start({}, key('k', 'other'))).toMatchObject({ ok: false, failure: { code: 'IdempotencyMismatch' } })
  })

  it('is another rollout with another key', async () => {
    store.put(aService({ targets: { east: { stable: 'v1' }, west: { stable: 'v1' } } }))
    const [first, second] = [
      await start({ clusters: ['east'] }, key('a')),
      await start({ clusters: ['west'] }, key('b')),
    ]
    expect(first.ok && second.ok && first.value.id !== second.value.id).toBe(true)
  })

  function archiveOf(rollout: ReturnType<typeof aRollout>) {
    const base = { schema: 1, outbox: [], createdAt: later(0), updatedAt: later(0) }
    const value = { ...base, kind: 'rollout', service: 'shop/web', rollout }
    return [{ id: 'archive', kind: 'archive', key: `shop/web/${rollout.id}`, value }] as const
  }
})

describe('a start in a race', () => {
  it('decides on what the other left', async () => {
    let raced = false
    store.beforeWrite = () => {
      if (raced) return
      raced = true
      store.put(aService({ rollouts: [aRollout('progressing')] }))
    }
    expect(await start()).toMatchObject({ ok: false, failure: { code: 'RolloutInFlight' } })
  })

  it('keeps its id through a lost race', async () => {
    let races = 0
    store.beforeWrite = () => {
      if (races++ < 2) store.change('service', 'shop/web', (service) => ({ ...service, generation: 5 }))
    }
    expect(await start()).toMatchObject({ ok: true })
    expect(uuids()).toBe(1)
    expect(service()).toMatchObject({ generation: 5, rollouts: [{ candidate: 'v2' }] })
  })
})
