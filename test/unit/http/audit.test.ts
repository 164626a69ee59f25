import { expect, it } from 'vitest'
import { createWorld, rollout, shopWorld, WEB, type World } from './fixture.ts'
import { ROLLOUTS, SERVICE } from './refusals.ts'

const TEAM = '/api/v1/teams/bank'
const body = { namespaces: ['bank'], groups: [] }

/** The trail after all outboxes were relayed. */
async function trail(world: World, query = '') {
  await world.store.relayAll()
  return (await world.call('GET', `/api/v1/audit${query}`)).json.value
}

const actions = async (world: World, query = '') =>
  (await trail(world, query)).map(({ action }: { action: string }) => action)

it('tells who changed what from where, before and after', async () => {
  const world = createWorld()
  await world.call('PUT', TEAM, { body })
  const changed = await world.call('PATCH', TEAM, { body: { hosts: ['bank.example'] } })
  await world.call('DELETE', TEAM)
  expect(await trail(world)).toMatchObject([
    { action: 'team.put', subject: 'teams/bank', after: body },
    {
      action: 'team.put',
      actor: { kind: 'person', name: 'Dana' },
      origin: { kind: 'rest' },
      requestId: changed.headers['x-request-id'],
      before: body,
      after: { ...body, hosts: ['bank.example'] },
    },
    { action: 'team.delete', before: { ...body, hosts: ['bank.example'] } },
  ])
  const [created, , removed] = await trail(world)
  expect(created).not.toHaveProperty('before')
  expect(removed).not.toHaveProperty('after')
})

it('says nothing of what was refused, changed nothing, or came again', async () => {
  const world = createWorld()
  const headers = { 'idempotency-key': 'k' }
  await world.call('PUT', TEAM, { body, headers })
  await world.call('PUT', TEAM, { body, headers })
  await world.call('PUT', TEAM, { body })
  expect((await world.call('PUT', TEAM, { body, headers: { 'if-match': '"old"' } })).status).toBe(412)
  expect((await world.call('PUT', TEAM, { body: { namespaces: 1 } })).status).toBe(400)
  expect((await world.call('PUT', TEAM, { body, roles: ['Mesh.Viewer'] })).status).toBe(403)
  expect((await world.call('DELETE', TEAM, { headers: { 'if-match': '"old"' } })).status).toBe(412)
  expect(await actions(world)).toEqual(['team.put'])
})

it('holds the verbs of a rollout, with phase and weight', async () => {
  const world = shopWorld({ rollouts: [rollout()] })
  await world.call('POST', '/api/v1/rollouts/shop.web.aaaaaaaaaa/pause', { body: { note: 'lunch' } })
  await world.call('POST', '/api/v1/rollouts/shop.web.aaaaaaaaaa/pause')
  await world.call('POST', '/api/v1/rollouts/shop.web.aaaaaaaaaa/abort')
  expect(await trail(world, '?subject=rollouts/shop.web.aaaaaaaaaa')).toMatchObject([
    { action: 'rollout.pause', before: { phase: 'progressing' }, after: { phase: 'paused', note: 'lunch' } },
    { action: 'rollout.abort', before: { phase: 'paused' }, after: { phase: 'rolling-back', weight: 0 } },
  ])
})

it('knows the pipeline that started a rollout', async () => {
  const world = shopWorld()
  const source = { commit: 'abc', runUrl: 'https://ci.example/1' }
  const started = await world.call('POST', ROLLOUTS, { body: { candidate: 'v2', source } })
  expect(await trail(world)).toMatchObject([
    {
      action: 'rollout.start',
      subject: `rollouts/${started.json.id}`,
      origin: { kind: 'pipeline', ref: 'https://ci.example/1' },
      after: { service: 'shop/web', candidate: 'v2', phase: 'pending', weight: 0, strategy: 'default', source },
    },
  ])
})

it('holds what services and clusters were, though they take their time to go', async () => {
  const world = shopWorld()
  await world.call('DELETE', SERVICE)
  await world.call('DELETE', SERVICE)
  const [record, ...more] = await trail(world, '?action=service.delete')
  expect(record).toMatchObject({ subject: 'services/shop/web', before: { team: WEB.team, versions: WEB.versions } })
  expect(more).toEqual([])
})

it('is read page by page, by subject, person and action', async () => {
  const world = createWorld()
  for (const name of ['a', 'b', 'c']) await world.call('PUT', `/api/v1/teams/${name}`, { body })
  await world.store.relayAll()
  const first = await world.call('GET', '/api/v1/audit?limit=2&actor=Dana')
  expect(first.json.value.map(({ subject }: { subject: string }) => subject)).toEqual(['teams/a', 'teams/b'])
  const next = new URL(first.json.nextLink)
  expect((await world.call('GET', next.pathname + next.search)).json.value).toMatchObject([{ subject: 'teams/c' }])
  expect(await actions(world, '?actor=Nobody')).toEqual([])
  expect(await actions(world, '?action=team.put&subject=teams/b')).toEqual(['team.put'])
  expect((await world.call('GET', '/api/v1/audit?after=broken!')).status).toBe(400)
  expect((await world.call('GET', '/api/v1/audit?action=puts')).status).toBe(400)
})
