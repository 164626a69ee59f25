import { describe, expect, it } from 'vitest'
import { rolloutRequest } from '../../../../src/model/rollout.ts'
import { planRest } from '../../../../src/rollouts/plan/plan-rest.ts'
import { planStart } from '../../../../src/rollouts/plan/plan-start.ts'
import { aCaller, aService } from '../../fakes/documents.ts'
import { putRequests } from '../../fakes/fake-metrics.ts'
import { aRollout, MINUTE, SECOND, T0 } from '../fixture.ts'
import { type StartWorld, startWorld } from '../start-world.ts'

const CAPS = { perCluster: 10, inAll: 30 }

function plan(world: StartWorld, body: object = {}, change: { caps?: typeof CAPS; groups?: readonly string[] } = {}) {
  const request = rolloutRequest.parse({ candidate: 'v2', ...body })
  const caller = aCaller(change.groups ? { groups: change.groups } : {})
  return planStart({ ...world.deps, caps: change.caps ?? CAPS }, 'shop', 'web', request, { caller })
}

function withTraffic(): StartWorld {
  const world = startWorld()
  for (const cluster of ['east', 'west']) {
    const span = { cluster, fromMs: T0 - 120 * MINUTE, toMs: T0, everyMs: 10 * SECOND }
    putRequests(world.metrics, { ...span, version: 'v1', each: 1000 })
  }
  return world
}

describe('the plan of a rollout that is to be started', () => {
  it('predicts the rollout that a start would write, and writes nothing', async () => {
    const world = withTraffic()
    const { writes } = world.store
    const planned = await plan(world, { steps: [{ weight: 10, for: '5m' }], bake: '1h' })
    if (!planned.ok) throw new Error(planned.failure.detail)
    const { rollout, traffic, timeline, warnings } = planned.value
    expect(world.store.writes).toBe(writes)
    expect(rollout).toMatchObject({ phase: 'pending', candidate: 'v2', changes: [{ field: 'labels.version' }] })
    expect(traffic.west?.perMinute).toBeCloseTo(6000, -1)
    expect(timeline.waves).toMatchObject([{ clusters: ['east', 'west'], steps: [{ what: '10 % for 5m' }] }])
    expect(warnings).toEqual([])
  })

  it('foretells of a version that the service does not have yet', async () => {
    const candidate = { name: 'v9', labels: { version: 'v9' } }
    const planned = await plan(withTraffic(), { candidate })
    expect(planned).toMatchObject({ ok: true, value: { rollout: { candidate: 'v9' } } })
    if (planned.ok) expect(planned.value.traffic.east?.perMinute).toBeGreaterThan(0)
  })

  it.each([
    ['of the request', { candidate: 'v7' }, {}, 'UnknownReference'],
    ['of gates', { gates: [{ kind: 'errors', from: 'logs', limitPercent: 1 }] }, {}, 'InvalidCombination'],
    ['of who asks', {}, { groups: [] }, 'Forbidden'],
  ])('fails as the start would, for the sake %s', async (_name, body, change, code) => {
    expect(await plan(withTraffic(), body, change)).toMatchObject({ ok: false, failure: { code } })
  })

  it('fails where there is no such service, and where it is being deleted', async () => {
    const world = startWorld()
    world.store.put(aService({ deletingAt: '2026-05-01T09:00:00.000Z' }))
    expect(await plan(world)).toMatchObject({ failure: { code: 'Deleting' } })
    world.store.change('service', 'shop/web', (service) => ({ ...service, name: 'other' }))
    expect(
      await planStart({ ...world.deps, caps: CAPS }, 'shop', 'none', rolloutRequest.parse({ candidate: 'v2' }), {
        caller: aCaller(),
      }),
    ).toMatchObject({ failure: { code: 'NotFound' } })
  })

  it('tells that it would wait for a place', async () => {
    const planned = await plan(withTraffic(), {}, { caps: { perCluster: 0, inAll: 30 } })
    expect(planned.ok && planned.value.warnings[0]).toBe(
      'As many rollouts are live as the caps allow: it waits for a place first.',
    )
  })
})

describe('the plan of what is left of a rollout', () => {
  const rest = (world: StartWorld) => planRest({ ...world.deps, caps: CAPS }, 'shop.web.k3')

  it('begins where the rollout is', async () => {
    const world = withTraffic()
    world.store.put(aService({ rollouts: [aRollout('progressing', { step: 1, weight: 50 })] }))
    const planned = await rest(world)
    expect(planned).toMatchObject({ ok: true, value: { timeline: { waves: [{ steps: [{ step: 1 }] }] } } })
  })

  it('is refused when nothing is left', async () => {
    const world = withTraffic()
    expect(await rest(world)).toMatchObject({ failure: { code: 'NotFound' } })
    world.store.put(aService({ rollouts: [aRollout('rolling-back')] }))
    expect(await rest(world)).toMatchObject({
      failure: { code: 'RolloutState', detail: expect.stringContaining('way back') },
    })
    world.store.put(aService())
    const rollout = aRollout('succeeded')
    world.store.put({
      schema: 1,
      kind: 'rollout',
      service: 'shop/web',
      rollout,
      outbox: [],
      createdAt: rollout.startedAt,
      updatedAt: rollout.startedAt,
    })
    expect(await rest(world)).toMatchObject({
      failure: { code: 'RolloutState', detail: expect.stringContaining('(succeeded)') },
    })
  })
})
