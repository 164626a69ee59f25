import { describe, expect, it } from 'vitest'
import { shopWorld, WEB, type World } from './fixture.ts'
import { NEW, SERVICE, service } from './refusals.ts'

const etagOf = async (world: World, path = SERVICE) => (await world.call('GET', path)).headers.etag ?? ''

describe('entity tags', () => {
  it('change with what users own, not with status', async () => {
    const world = shopWorld()
    const before = await etagOf(world)
    world.store.change('placement', 'shop/web/east', (placement) => ({ ...placement, observedGeneration: 0 }))
    world.store.change('service', 'shop/web', (document) => ({ ...document, updatedAt: '2031-01-01T00:00:00.000Z' }))
    expect(await etagOf(world)).toBe(before)
    const put = await world.call('PUT', SERVICE, service({ adopt: true }))
    expect(put.headers.etag).not.toBe(before)
    expect(await etagOf(world)).toBe(put.headers.etag)
  })

  it('answers 304 to who has it already, by any of several tags, weakly compared', async () => {
    const world = shopWorld()
    const etag = await etagOf(world)
    for (const sent of [etag, `"other", ${etag}`, `W/${etag}`, '*']) {
      const answer = await world.call('GET', SERVICE, { headers: { 'if-none-match': sent } })
      expect(answer).toMatchObject({ status: 304, text: '', headers: { etag } })
    }
    expect((await world.call('GET', SERVICE, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
  })

  it('of what nobody owns, such as lists, change with what is shown', async () => {
    const world = shopWorld()
    const etag = await etagOf(world, '/api/v1/clusters')
    expect((await world.call('GET', '/api/v1/clusters', { headers: { 'if-none-match': etag } })).status).toBe(304)
    world.store.change('cluster', 'east', (cluster) => ({ ...cluster, observedGeneration: 0 }))
    expect((await world.call('GET', '/api/v1/clusters', { headers: { 'if-none-match': etag } })).status).toBe(200)
  })
})

describe('If-Match', () => {
  it.each(['PUT', 'PATCH'])('lets a %s pass whose state is among the tags', async (method) => {
    const world = shopWorld()
    const headers = { 'if-match': `"stale", ${await etagOf(world)}` }
    expect((await world.call(method, SERVICE, { ...service({ adopt: true }), headers })).status).toBe(200)
    expect((await world.call(method, SERVICE, { ...service({ adopt: false }), headers })).status).toBe(412)
  })

  it('compares strongly: a weak tag never fits', async () => {
    const world = shopWorld()
    const headers = { 'if-match': `W/${await etagOf(world)}` }
    expect((await world.call('PUT', SERVICE, { ...service({ adopt: true }), headers })).status).toBe(412)
  })

  it('guards DELETE', async () => {
    const world = shopWorld()
    expect((await world.call('DELETE', SERVICE, { headers: { 'if-match': '"stale"' } })).status).toBe(412)
    expect((await world.call('DELETE', SERVICE, { headers: { 'if-match': '*' } })).status).toBe(202)
  })

  it('GET, edit, PUT works with what GET shows', async () => {
    const world = shopWorld()
    for (const path of [SERVICE, '/api/v1/clusters/east', '/api/v1/teams/shop', '/api/v1/strategies/default']) {
      const { json, headers } = await world.call('GET', path)
      const put = await world.call('PUT', path, { body: json, headers: { 'if-match': headers.etag ?? '' } })
      expect(put.status, path).toBe(path.endsWith('default') ? 201 : 200)
      expect((await world.call('GET', path)).headers.etag).toBe(headers.etag)
    }
  })
})

describe('If-None-Match: *', () => {
  it('creates, and never replaces', async () => {
    const world = shopWorld()
    const headers = { 'if-none-match': '*' }
    const created = await world.call('PUT', NEW, { ...service({}), headers })
    expect(created).toMatchObject({ status: 201, headers: { location: `https://mesh.example${NEW}` } })
    expect((await world.call('PUT', NEW, { ...service({ adopt: true }), headers })).status).toBe(412)
  })
})

describe('PATCH', () => {
  it('merges: null removes, objects merge, lists replace, what GET shows is let through', async () => {
    const world = shopWorld()
    await world.call('PUT', SERVICE, service({ traffic: { timeout: '5s', retries: { attempts: 2 } } }))
    const body = {
      traffic: { timeout: null, retries: { perTryTimeout: '1s' } },
      hosts: [],
      generation: 99,
      conditions: null,
    }
    const headers = { 'content-type': 'application/merge-patch+json' }
    const patched = await world.call('PATCH', SERVICE, { body, headers })
    expect(patched.json).toMatchObject({ traffic: { retries: { attempts: 2, perTryTimeout: '1s' } }, hosts: [] })
    expect(patched.json.traffic).not.toHaveProperty('timeout')
    expect(patched.json.generation).toBe(3)
  })

  it('is merged anew when another writer was first', async () => {
    const world = shopWorld()
    let raced = false
    world.store.beforeWrite = () => {
      if (raced) return
      raced = true
      world.store.change('service', 'shop/web', (document) => ({
        ...document,
        spec: { ...document.spec, onDrift: 'report' },
      }))
    }
    const patched = await world.call('PATCH', SERVICE, { body: { adopt: true } })
    expect(patched.json).toMatchObject({ adopt: true, onDrift: 'report' })
  })

  it('does not overwrite another writer when the caller named the state', async () => {
    const world = shopWorld()
    const headers = { 'if-match': await etagOf(world) }
    world.store.beforeWrite = () => {
      world.store.change('service', 'shop/web', (document) => ({
        ...document,
        spec: { ...document.spec, onDrift: 'report' },
      }))
    }
    expect((await world.call('PATCH', SERVICE, { body: { adopt: true }, headers })).status).toBe(412)
  })
})

describe('Idempotency-Key', () => {
  const start = { body: { candidate: 'v2' }, headers: { 'idempotency-key': 'build-17' } }

  it('starts a rollout once, and answers the same again', async () => {
    const world = shopWorld()
    const first = await world.call('POST', `${SERVICE}/rollouts`, start)
    const again = await world.call('POST', `${SERVICE}/rollouts`, start)
    expect([first.status, again.status]).toEqual([201, 201])
    expect(again.json.id).toBe(first.json.id)
    expect(world.store.get('service', 'shop/web').rollouts).toHaveLength(1)
    expect(world.store.writes).toBe(1)
  })

  it('reads the body as JSON: another order of fields is no other body', async () => {
    const world = shopWorld()
    const steps = [{ weight: 10, for: '1m' }]
    const headers = start.headers
    await world.call('POST', `${SERVICE}/rollouts`, { headers, body: { candidate: 'v2', steps } })
    const again = await world.call('POST', `${SERVICE}/rollouts`, { headers, body: { steps, candidate: 'v2' } })
    expect(again.status).toBe(201)
  })

  it('refuses another body under the same key', async () => {
    const world = shopWorld()
    await world.call('POST', `${SERVICE}/rollouts`, start)
    const other = await world.call('POST', `${SERVICE}/rollouts`, { ...start, body: { candidate: 'v2', bake: '1m' } })
    expect(other.json).toMatchObject({
      status: 409,
      code: 'IdempotencyMismatch',
      errors: [{ pointer: 'header/idempotency-key' }],
    })
    expect(world.store.writes).toBe(1)
  })

  it('is of one caller and one route', async () => {
    const world = shopWorld()
    const headers = { 'idempotency-key': 'k' }
    expect((await world.call('PUT', SERVICE, { ...service({ adopt: true }), headers })).status).toBe(200)
    expect((await world.call('PUT', NEW, { ...service({}), headers })).status).toBe(201)
    const claims = { oid: '22222222-0000-4000-8000-000000000002' }
    expect((await world.call('PUT', SERVICE, { ...service({ adopt: false }), headers, claims })).status).toBe(200)
  })

  it('answers 201 again to a PUT that created, though it changed since', async () => {
    const world = shopWorld()
    const headers = { 'idempotency-key': 'k' }
    expect((await world.call('PUT', NEW, { ...service({}), headers })).status).toBe(201)
    await world.call('PATCH', NEW, { body: { adopt: true } })
    const again = await world.call('PUT', NEW, { ...service({}), headers })
    expect(again).toMatchObject({ status: 201, json: { adopt: true } })
    expect(world.store.writes).toBe(2)
  })

  it('does a verb once, also when the rollout has ended since', async () => {
    const world = shopWorld()
    const { json } = await world.call('POST', `${SERVICE}/rollouts`, { body: { candidate: 'v2' } })
    const headers = { 'idempotency-key': 'p1' }
    const pause = () => world.call('POST', `/api/v1/rollouts/${json.id}/pause`, { headers })
    expect((await pause()).json.phase).toBe('paused')
    await world.call('POST', `/api/v1/rollouts/${json.id}/resume`)
    expect((await pause()).json.phase).toBe('pending')
    const ended = world.store.get('service', 'shop/web')
    const [live] = ended.rollouts
    if (!live) throw new Error('no rollout')
    const rollout = { ...live, phase: 'aborted' as const, endedAt: live.updatedAt }
    world.store.put({ ...ended, rollouts: [] })
    world.store.put({ ...ended, kind: 'rollout', service: 'shop/web', rollout, outbox: [] })
    expect(await pause()).toMatchObject({ status: 200, json: { phase: 'aborted' } })
    expect((await world.call('POST', `/api/v1/rollouts/${json.id}/pause`)).status).toBe(409)
  })
})

it('keeps what it was sent: an unchanged PUT writes nothing', async () => {
  const world = shopWorld()
  expect((await world.call('PUT', SERVICE, { body: WEB })).status).toBe(200)
  expect(world.store.writes).toBe(0)
})
