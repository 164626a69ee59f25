import { beforeEach, describe, expect, it } from 'vitest'
import { rolloutRequest } from '../../../src/model/rollout.ts'
import { actOnRollout } from '../../../src/rollouts/act-on-rollout.ts'
import { advanceRollouts } from '../../../src/rollouts/advance-rollouts.ts'
import { startRollout } from '../../../src/rollouts/start-rollout.ts'
import type { Verb } from '../../../src/rollouts/verbs.ts'
import { aTeam, by } from '../fakes/documents.ts'
import { FakeMetrics } from '../fakes/fake-metrics.ts'
import { World } from '../reconcile/world.ts'
import { SECOND } from './fixture.ts'

/** Rollouts and reconcile together, on one store and one cluster: who wins over the weights of a route. */

let world: World
let id: string
beforeEach(async () => {
  world = new World()
  world.store.put(aTeam())
  await world.settle()
  const steps = [{ weight: 10, for: '1h' }]
  const request = rolloutRequest.parse({ candidate: 'v2', steps, gates: [] })
  const started = await startRollout(
    { ...world.deps, metrics, plan: unplanned, addresses: anywhere },
    'shop',
    'web',
    request,
    by(),
  )
  if (!started.ok) throw new Error(started.failure.detail)
  id = started.value.id
  await follow()
})

const metrics = new FakeMetrics()
const anywhere = { refusal: async () => undefined }
const unplanned = () => Promise.reject(new Error('nothing is planned for a version that is there'))
const advance = () => advanceRollouts({ ...world.deps, metrics, caps: { perCluster: 9, inAll: 9 } }, 'shop/web')
const rollout = () => world.store.peek('service', 'shop/web')?.rollouts[0]

/** What the queue does when everything is in time. */
async function follow(): Promise<void> {
  for (let round = 0; round < 8; round += 1) {
    await world.reconcile()
    await advance()
    world.clock.at += 2 * SECOND
  }
}

async function act(verb: Verb): Promise<void> {
  const carryOut = async () => void (await world.reconcile())
  const deps = { ...world.deps, carryOut, advance: async () => void (await advance()) }
  const result = await actOnRollout(deps, id, { verb, note: '' }, by())
  if (!result.ok) throw new Error(result.failure.detail)
}

async function moveWeights(): Promise<void> {
  world.moveWeights('kubectl-edit', { v1: 50, v2: 50 })
  await world.reconcile()
  await advance()
  world.clock.at += SECOND
}

describe('weights of a rollout that another hand changed', () => {
  it('pause it, and stay', async () => {
    expect(world.weights).toEqual({ v1: 90, v2: 10 })
    await moveWeights()
    expect(rollout()).toMatchObject({ phase: 'paused', reason: 'WeightChanged', resumeTo: 'progressing' })
    await follow()
    expect(world.weights).toEqual({ v1: 50, v2: 50 })
    expect(rollout()).toMatchObject({ phase: 'paused' })
  })

  it('are set again by a resume, which is not paused by what was seen before it', async () => {
    await moveWeights()
    await act('resume')
    expect(rollout()).toMatchObject({ phase: 'progressing', weight: 10 })
    await follow()
    expect(world.weights).toEqual({ v1: 90, v2: 10 })
    expect(world.condition('Drifted')).toBe('False None')
    expect(rollout()).toMatchObject({ phase: 'progressing', liveAt: expect.any(String) })
  })

  it('pause it again when they are changed again', async () => {
    await moveWeights()
    await act('resume')
    await follow()
    await moveWeights()
    expect(rollout()).toMatchObject({ phase: 'paused', reason: 'WeightChanged' })
  })

  it('give way to a promotion by hand', async () => {
    await moveWeights()
    await act('promote')
    await follow()
    expect(world.weights).toMatchObject({ v2: 100 })
    expect(rollout()).toMatchObject({ phase: 'baking' })
  })

  it('go back to stable inside the call of an abort', async () => {
    await moveWeights()
    await act('abort')
    expect(world.weights).toMatchObject({ v1: 100, v2: 0 })
    await follow()
    expect(rollout()).toBeUndefined()
    expect(world.weights).toEqual({ v1: 100 })
  })
})
