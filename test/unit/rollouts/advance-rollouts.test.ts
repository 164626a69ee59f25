import { beforeEach, describe, expect, it } from 'vitest'
import { PortError } from '../../../src/ports/port-error.ts'
import { aService, workIn } from '../fakes/documents.ts'
import { aRollout, aTarget, later, SECOND, T0 } from './fixture.ts'
import { LiveWorld } from './live-world.ts'

let world: LiveWorld
beforeEach(() => {
  world = new LiveWorld()
})

describe('a rollout on its way', () => {
  beforeEach(() => world.begin(aRollout('pending', { nextAttemptAt: later(0) })))

  it('goes from start to success by itself', async () => {
    world.traffic(0)
    expect(await world.follow()).toEqual(['progressing 10', 'progressing 50', 'promoting 100', 'baking 100', 'ended'])
    const ended = world.store.get('rollout', 'shop/web/shop.web.k3').rollout
    expect(ended).toMatchObject({ phase: 'succeeded', weight: 100 })
    expect(ended.history.map(({ to }) => to)).toEqual([
      'preflight',
      'progressing',
      'progressing',
      'promoting',
      'baking',
      'succeeded',
    ])
    expect(world.service()).toMatchObject({ targets: { east: { stable: 'v2' }, west: { stable: 'v2' } }, rollouts: [] })
    expect(world.service()).not.toHaveProperty('dueAt')
  })

  it('goes back by itself when the candidate fails', async () => {
    world.traffic(4)
    expect(await world.follow()).toEqual(['progressing 10', 'rolling-back 0', 'ended'])
    expect(world.store.get('rollout', 'shop/web/shop.web.k3').rollout).toMatchObject({
      phase: 'rolled-back',
      reason: 'LimitExceeded',
      message: expect.stringMatching(/^gate errors on all clusters together: \d+ of \d+ requests failed \(20.0 %\)/),
    })
    expect(world.service().targets.east).toEqual({ stable: 'v1' })
  })

  it('waits blind when the metrics are gone, and goes on when they are back', async () => {
    world.traffic(0)
    world.metrics.failure = new PortError('unavailable', 'Prometheus', 'Prometheus answered 503')
    expect(await world.follow(20)).toEqual(['progressing 10', 'blind 10'])
    expect(world.store.kept.map(({ type }) => type)).toContain('rollout.blind')
    world.metrics.failure = undefined
    expect((await world.follow()).at(-1)).toBe('ended')
    expect(world.store.get('rollout', 'shop/web/shop.web.k3').rollout.phase).toBe('succeeded')
  })

  it('counts every request once, whatever passes there were', async () => {
    world.traffic(0)
    await world.follow()
    const { progress, bakeUntil } = world.store.get('rollout', 'shop/web/shop.web.k3').rollout
    const looks = world.store.kept.filter(({ type }) => type === 'rollout.look')
    expect(looks.length).toBeGreaterThan(100)
    for (const cluster of ['east', 'west']) {
      const windows = looks
        .filter(({ data }) => data?.cluster === cluster)
        .map(({ data }) => data?.counted as { fromMs: number; toMs: number })
      for (const [index, window] of windows.entries()) {
        expect(window.fromMs).toBeLessThan(window.toMs)
        expect(window.fromMs).toBeGreaterThanOrEqual(windows[index - 1]?.toMs ?? 0)
      }
      expect(windows.at(-1)?.toMs).toBe(Date.parse(bakeUntil ?? ''))
      const scrapes = windows.reduce(
        (sum, { fromMs, toMs }) => sum + Math.floor((toMs - T0) / 5000) - Math.floor((fromMs - T0) / 5000),
        0,
      )
      expect(progress.find((one) => one.cluster === cluster)?.candidate).toEqual({ good: 20 * scrapes, bad: 0 })
    }
  })
})

describe('an advance', () => {
  it('takes several steps at once as long as no route has to be written', async () => {
    world.store.put(aService({ renderRevision: 102, rollouts: [aRollout('pending')] }))
    await world.advance()
    expect(world.store.writes).toBe(1)
    expect(world.rollout()).toMatchObject({ phase: 'progressing', weight: 10, revision: 103 })
    expect(world.rollout()?.history).toMatchObject([{ to: 'preflight' }, { to: 'progressing' }])
  })

  it('does not take a route for live that is yet to be written, though all happens in one millisecond', async () => {
    world.now = T0
    world.store.put(aService({ renderRevision: 102, rollouts: [aRollout('pending', { gates: [] })] }))
    await world.advance()
    expect(world.rollout()).toMatchObject({ phase: 'progressing', weight: 10, revision: 103 })
    expect(world.rollout()).not.toHaveProperty('liveAt')
  })

  it('writes nothing when nothing is due', async () => {
    world.store.put(aService({ renderRevision: 102, rollouts: [aRollout('progressing', { gates: [] })] }))
    await world.advance()
    const { writes } = world.store
    world.now += SECOND
    await world.advance()
    await world.advance()
    expect(world.store.writes).toBe(writes)
  })

  it('writes nothing for a service without rollouts, or with one that waits for a person', async () => {
    expect(await world.advance()).toEqual({ ok: true, value: undefined })
    world.store.put(aService())
    await world.advance()
    for (const phase of ['paused', 'awaiting-approval'] as const) {
      world.store.put(aService({ rollouts: [aRollout(phase)] }))
      await world.advance()
    }
    expect(world.store.writes).toBe(0)
    expect(world.metrics.queries).toEqual([])
  })

  it('moves each rollout of the service for itself', async () => {
    const east = aRollout('progressing', { id: 'shop.web.a', gates: [], targets: [aTarget('east', 10)] })
    const west = aRollout('paused', { id: 'shop.web.b', targets: [aTarget('west', 10)] })
    world.store.put(aService({ renderRevision: 102, rollouts: [east, west] }))
    world.now = T0 + 65 * SECOND
    await world.advance()
    expect(world.service().rollouts).toMatchObject([
      { weight: 50, revision: 103 },
      { phase: 'paused', revision: 102 },
    ])
    expect(
      workIn([...world.store.sent.map((work, id) => ({ ...work, id: String(id), kind: 'work' as const }))]),
    ).toContain('urgent reconcile east')
  })

  it('of two workers at once counts one look', async () => {
    world.traffic(0)
    world.store.put(aService({ renderRevision: 102, rollouts: [aRollout('progressing')] }))
    world.now = T0 + 30 * SECOND
    await Promise.all([world.advance(), world.advance()])
    expect(world.rollout()?.progress[0]).toMatchObject({ stepCandidate: { good: 60, bad: 0 } })
    expect(world.store.kept.filter(({ type }) => type === 'rollout.look')).toHaveLength(3)
  })

  it('after an abort that came meanwhile goes back, and does not rise', async () => {
    world.store.put(aService({ renderRevision: 102, rollouts: [aRollout('progressing', { gates: [] })] }))
    world.now = T0 + 65 * SECOND
    let raced = false
    world.store.beforeWrite = () => {
      if (raced) return
      raced = true
      const back = aRollout('rolling-back', { revision: 103 })
      world.store.put(aService({ renderRevision: 103, rollouts: [back] }))
    }
    await world.advance()
    expect(world.rollout()).toMatchObject({ phase: 'rolling-back', weight: 0 })
  })

  it('throws when the store does not answer, so that the message comes again', async () => {
    world.store.put(aService({ rollouts: [aRollout('progressing')] }))
    world.store.beforeRead = (kind) => {
      if (kind === 'placement') throw new PortError('unavailable', 'Cosmos DB', 'no answer')
    }
    await expect(world.advance()).rejects.toThrow('no answer')
  })
})
