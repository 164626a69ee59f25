import { beforeEach, describe, expect, it } from 'vitest'
import { timestamp } from '../../../src/model/names.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { World } from './world.ts'

const SETTLE_MS = 5000
const FREEZE = { reason: 'holidays', scope: {}, covers: ['configuration' as const] }
const THREE = {
  versions: {
    v1: { labels: { version: 'v1' } },
    v2: { labels: { version: 'v2' } },
    v3: { labels: { version: 'v3' } },
  },
  traffic: { timeout: '5s' },
}

let world: World
beforeEach(async () => {
  world = new World()
  await world.settle()
  world.rollout('progressing', 10)
  await world.settle()
  world.cluster.forget()
})

/** Weights live at `revision`, settle time included, if they were written now. */
function writtenNow(revision: number) {
  return { revision, at: timestamp(world.clock.at + SETTLE_MS) }
}

describe('the weights of a route', () => {
  it('are those of the newest revision, live when they have settled', async () => {
    world.rollout('progressing', 50)
    await world.reconcile()
    const written = writtenNow(102)
    expect(world.placement).toMatchObject({ liveRevision: 101, weightsLive: written })
    await world.settle()
    expect(world.placement).toMatchObject({ liveRevision: 102, weightsLive: written })
  })

  const obstacles: readonly (readonly [string, () => void])[] = [
    ['a freeze', () => world.freeze(FREEZE)],
    ['a hold', () => world.annotate('DestinationRule', 'web', { 'meshwright.io/hold': 'true' })],
  ]
  it.each(obstacles)('go back though %s holds what else there is to change', async (_, stand) => {
    world.spec(THREE)
    stand()
    world.rollout('rolling-back', 10)
    const outcome = await world.reconcile()
    const written = writtenNow(103)
    expect(outcome).toMatchObject({ state: 'stopped', weights: { v1: 100, v2: 0 } })
    expect(world.placement).toMatchObject({ liveRevision: 101, weightsLive: written })
    world.clock.at += 60_000
    await world.reconcile()
    expect(world.placement).toMatchObject({ weightsLive: written })
  })

  it('are back also where the step was never written, though a change is held that came later', async () => {
    world.freeze({ ...FREEZE, covers: ['configuration', 'rollouts'] })
    world.rollout('progressing', 50)
    await world.reconcile()
    expect(world.placement.weightsLive).toBeUndefined()
    world.rollout('rolling-back', 0)
    await world.settle(2)
    world.spec({ traffic: { timeout: '5s' } })
    world.cluster.forget()
    expect(await world.reconcile()).toMatchObject({ reason: 'FreezeActive', weights: { v1: 100, v2: 0 } })
    // The fence alone: a writer with an older document comes no more in between.
    expect(world.cluster.forget().filter((request) => request.startsWith('apply'))).toEqual(['apply VirtualService'])
    expect(world.placement.weightsLive?.revision).toBe(104)
  })

  it('are not back while a hold stops them', async () => {
    world.annotate('VirtualService', 'web', { 'meshwright.io/hold': 'true' })
    world.rollout('rolling-back', 10)
    await world.reconcile()
    expect(world.weights).toEqual({ v1: 90, v2: 10 })
    expect(world.placement.weightsLive).toBeUndefined()
  })

  it('are not known after another hand changed them', async () => {
    world.moveWeights('kubectl', { v1: 50, v2: 50 })
    await world.reconcile()
    expect(world.condition('Drifted')).toBe('True WeightChanged')
    expect(world.placement.weightsLive).toBeUndefined()
  })

  it('stay known while the cluster does not answer', async () => {
    const { weightsLive } = world.placement
    world.cluster.before = () => {
      throw new PortError('unavailable', 'Kubernetes east', 'no answer')
    }
    world.rollout('progressing', 50)
    await world.reconcile()
    expect(weightsLive?.revision).toBe(101)
    expect(world.placement.weightsLive).toEqual(weightsLive)
  })

  it('count as back when an error comes after them', async () => {
    world.spec(THREE)
    world.cluster.before = (request) => {
      if (request === 'apply DestinationRule') throw new PortError('unavailable', 'Kubernetes east', 'reset')
    }
    world.rollout('rolling-back', 10)
    expect(await world.reconcile()).toMatchObject({ state: 'failed', weights: { v1: 100, v2: 0 } })
    expect(world.placement.weightsLive).toEqual(writtenNow(103))
  })

  it('are marked with a new revision once, with the change of the route, but on a way back', async () => {
    world.spec({ traffic: { timeout: '5s' } })
    await world.settle()
    expect(world.cluster.forget().filter((request) => request.startsWith('apply'))).toEqual(['apply VirtualService'])
  })
})
