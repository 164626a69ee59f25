import { expect, it } from 'vitest'
import { advanceWords } from '../../../src/services/words/advance-words.ts'
import { clusterDocument, placementDocument, serviceDocument, shopWorld, type World } from './fixture.ts'
import { SERVICE, service } from './refusals.ts'

const CLUSTERS = ['east', 'west']

/** shop/web, in order on two clusters. */
function twoClusters(): World {
  const { spec } = serviceDocument()
  const world = shopWorld({
    spec: { ...spec, clusters: CLUSTERS },
    targets: { east: { stable: 'v1' }, west: { stable: 'v1' } },
  })
  world.store.put(clusterDocument('west'))
  for (const cluster of CLUSTERS) world.store.put(placementDocument({ cluster, conditions: [READY] }))
  return world
}
const READY = {
  type: 'Ready',
  status: 'True',
  reason: 'Live',
  message: 'It is.',
  lastTransitionTime: '2030-01-01T00:00:00.000Z',
} as const

it('a service shows how far a change of its own policy has come, and what holds where it has not', async () => {
  const world = twoClusters()
  const change = service({ clusters: CLUSTERS, traffic: { timeout: '9s' } })
  const planned = await world.call('POST', `${SERVICE}/plan`, change)
  expect(planned).toMatchObject({ status: 200, json: { waves: [['east'], ['west']] } })
  const put = await world.call('PUT', SERVICE, change)
  expect(put).toMatchObject({
    status: 200,
    json: {
      generation: 2,
      traffic: { timeout: '9s' },
      spread: {
        generation: 2,
        wave: 0,
        released: [],
        waiting: [{ cluster: 'east', generation: 1 }, { cluster: 'west' }],
      },
    },
  })
  await advanceWords(world.deps, 'shop/web')
  const { json } = await world.call('GET', SERVICE)
  expect(json).toMatchObject({
    observedGeneration: 1,
    spread: { wave: 1, released: ['east'], waveAt: expect.any(String), waiting: [{ cluster: 'west', generation: 1 }] },
    conditions: expect.arrayContaining([
      expect.objectContaining({ type: 'Applied', status: 'False', reason: 'Progressing', observedGeneration: 2 }),
    ]),
  })
  expect((await world.call('GET', `${SERVICE}/effective`)).json.value).toMatchObject([
    { cluster: 'east', generation: 2, current: true, policy: { traffic: { timeout: '9s' } } },
    { cluster: 'west', generation: 1, current: false },
  ])
  const operation = put.headers['operation-location']?.replace('https://mesh.example', '') ?? ''
  expect((await world.call('GET', operation)).json).toMatchObject({
    status: 'Running',
    message: 'Wave 1 waits for shop/web on east. Waits for east, west.',
  })
  for (const cluster of CLUSTERS) {
    const { renderRevision } = world.store.get('service', 'shop/web')
    const placement = { cluster, liveRevision: renderRevision, observedGeneration: 2, conditions: [READY] }
    world.store.put(placementDocument(placement))
    world.clock.time += 60_000
    await advanceWords(world.deps, 'shop/web')
  }
  const done = await world.call('GET', SERVICE)
  expect(done.json.spread).toBeUndefined()
  expect(done.json.conditions.map(({ type }: { type: string }) => type)).not.toContain('Applied')
  expect(done.json.observedGeneration).toBe(2)
  await world.store.relayAll()
  const events = await world.call('GET', '/api/v1/events?subject=services/shop/web')
  expect(events.json.value.map(({ type }: { type: string }) => type)).toEqual(
    expect.arrayContaining(['io.meshwright.service.wave', 'io.meshwright.service.applied']),
  )
})

it('what is shown may be sent back, and waves may be turned off', async () => {
  const world = twoClusters()
  await world.call('PUT', SERVICE, service({ clusters: CLUSTERS, traffic: { timeout: '9s' } }))
  const { json } = await world.call('GET', SERVICE)
  expect((await world.call('PUT', SERVICE, { body: json })).json.generation).toBe(2)
  const hurried = await world.call('PATCH', SERVICE, { body: { waves: 'off' } })
  expect(hurried.json).toMatchObject({ generation: 3, waves: 'off' })
  expect(hurried.json.spread).toBeUndefined()
  const refused = await world.call('PATCH', SERVICE, { body: { waves: { percents: [50, 10] } } })
  expect(refused).toMatchObject({ status: 400, json: { errors: [{ pointer: '/waves/percents' }] } })
})
