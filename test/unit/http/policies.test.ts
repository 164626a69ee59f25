import { describe, expect, it } from 'vitest'
import { advanceSpread } from '../../../src/policies/advance-spread.ts'
import { createWorld, placementDocument, shopWorld, type World } from './fixture.ts'
import { SERVICE, service } from './refusals.ts'

const LIMITS = '/api/v1/policies/limits'
const body = { appliesTo: { team: 'shop' }, traffic: { timeout: '9s' }, guardRails: { maxTimeout: '30s' } }

/** Everything that the policy waits for comes to be. */
async function settle(world: World): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await advanceSpread(world.deps, 'limits')
    const { renderRevision } = world.store.get('service', 'shop/web')
    world.store.put(placementDocument({ liveRevision: renderRevision }))
    world.clock.time += 60_000
  }
}

describe('policies', () => {
  it('are kept, shown with how far they have come, changed, listed and removed', async () => {
    const world = shopWorld()
    const created = await world.call('PUT', LIMITS, { body })
    expect(created).toMatchObject({ status: 201, json: { name: 'limits', generation: 1, observedGeneration: 0 } })
    const operation = '/api/v1/operations/policy.limits.1'
    expect(created.headers['operation-location']).toBe(`https://mesh.example${operation}`)
    expect((await world.call('GET', operation)).json.status).toBe('NotStarted')
    await advanceSpread(world.deps, 'limits')
    expect((await world.call('GET', LIMITS)).json).toMatchObject({
      conditions: [{ type: 'Applied', status: 'False', reason: 'Progressing' }, { type: 'GuardRailsKept' }],
      spread: { wave: 1, total: 1, released: [{ service: 'shop/web', cluster: 'east' }] },
      reach: { services: 1, placements: 1, left: 1 },
    })
    expect((await world.call('GET', operation)).json.status).toBe('Running')
    await settle(world)
    expect((await world.call('GET', operation)).json.status).toBe('Succeeded')
    expect((await world.call('GET', LIMITS)).json).toMatchObject({ observedGeneration: 1, reach: { left: 0 } })
    expect((await world.call('GET', SERVICE)).json.policies).toEqual(['limits'])
    expect((await world.call('PATCH', LIMITS, { body: { traffic: { timeout: '8s' } } })).json.generation).toBe(2)
    expect((await world.call('GET', '/api/v1/policies')).json.value).toHaveLength(1)
    expect((await world.call('DELETE', LIMITS)).status).toBe(202)
    expect((await world.call('PUT', LIMITS, { body })).json.code).toBe('Deleting')
    await settle(world)
    expect((await world.call('GET', LIMITS)).status).toBe(404)
    await world.store.relayAll()
    const events = await world.call('GET', '/api/v1/events?subject=policies/limits')
    expect(events.json.value.map(({ type }: { type: string }) => type)).toContain('io.meshwright.policy.wave')
    expect(world.store.audited.map(({ action, subject }) => `${action} ${subject}`)).toEqual(
      expect.arrayContaining(['policy.put policies/limits', 'policy.delete policies/limits']),
    )
  })

  it('are for administrators to write', async () => {
    const world = shopWorld()
    expect((await world.call('PUT', LIMITS, { body, roles: ['Mesh.Operator'] })).status).toBe(403)
    expect((await world.call('POST', `${LIMITS}/plan`, { body, roles: ['Mesh.Operator'] })).json).toMatchObject({
      services: 1,
      changed: 1,
      waves: [1],
      problems: [],
    })
  })

  it('wait with ?wait= until every service carries them', async () => {
    const world = shopWorld()
    world.clock.onSleep = () => settle(world)
    expect(await world.call('PUT', `${LIMITS}?wait=60s`, { body })).toMatchObject({
      status: 201,
      json: { observedGeneration: 1 },
    })
  })

  it.each([
    [{ ...body, appliesTo: { team: 'nobody' } }, 422, 'UnknownReference', '/appliesTo/team'],
    [{ ...body, traffic: { timeout: '1m' } }, 422, 'GuardRail', '/guardRails/maxTimeout'],
    [{ ...body, traffic: { weights: { v1: 100 } } }, 400, 'InvalidRequest', '/traffic/weights'],
    [{ ...body, exposure: [] }, 400, 'InvalidRequest', '/exposure'],
    [{ appliesTo: 'all' }, 400, 'InvalidRequest', ''],
  ])('refuse %j with %i %s at %s', async (refused, status, code, pointer) => {
    const answer = await shopWorld().call('PUT', LIMITS, { body: refused })
    expect(answer).toMatchObject({ status, json: { code } })
    expect(answer.json.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer)
  })

  it('keep services to their guard rails', async () => {
    const world = shopWorld()
    await world.call('PUT', LIMITS, { body })
    const refused = await world.call('PUT', SERVICE, service({ traffic: { timeout: '5m' } }))
    expect(refused).toMatchObject({
      status: 422,
      json: { code: 'GuardRail', errors: [{ pointer: '/traffic/timeout' }] },
    })
    expect((await world.call('PUT', SERVICE, service({ traffic: { timeout: '5s' } }))).status).toBe(200)
  })

  it('keep the team that they are for', async () => {
    const world = shopWorld()
    await world.call('PUT', LIMITS, { body })
    world.store.drop('service', 'shop/web')
    expect((await world.call('DELETE', '/api/v1/teams/shop')).json).toMatchObject({ code: 'InUse' })
  })

  it('go with export and import', async () => {
    const world = shopWorld()
    await world.call('PUT', LIMITS, { body })
    const { json } = await world.call('GET', '/api/v1/export')
    expect(json.policies).toMatchObject([{ name: 'limits', ...body }])
    const other = createWorld()
    const imported = await other.call('POST', '/api/v1/import', { body: json })
    expect(imported.json).toMatchObject({ failed: 0 })
    expect(other.store.get('service', 'shop/web').layers).toMatchObject([{ name: 'limits', clusters: ['east'] }])
  })
})

describe('the effective policy of a service', () => {
  it('shows what holds on a cluster, where each field comes from, and which guard rails', async () => {
    const world = shopWorld()
    await world.call('PUT', LIMITS, { body: { ...body, traffic: { timeout: '9s', loadBalancing: 'random' } } })
    const effective = `${SERVICE}/effective`
    expect((await world.call('GET', effective)).json.value).toMatchObject([
      { cluster: 'east', policy: {}, policies: [] },
    ])
    await settle(world)
    await world.call('PUT', SERVICE, service({ traffic: { timeout: '5s' } }))
    expect((await world.call('GET', `${effective}?cluster=east`)).json.value).toEqual([
      {
        cluster: 'east',
        generation: 2,
        current: true,
        policy: { traffic: { timeout: '5s', loadBalancing: 'random' } },
        origins: { '/traffic/timeout': 'service', '/traffic/loadBalancing': 'policy limits' },
        policies: [{ name: 'limits', generation: 1, current: true }],
        guardRails: [{ policy: 'limits', rail: 'maxTimeout', wants: '30s', kept: true }],
      },
    ])
    expect((await world.call('GET', `${effective}?cluster=west`)).status).toBe(404)
    expect((await world.call('GET', '/api/v1/services/shop/none/effective')).status).toBe(404)
  })
})
