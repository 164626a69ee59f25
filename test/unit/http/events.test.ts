import { describe, expect, it } from 'vitest'
import type { EventRecord } from '../../../src/model/event.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { type Call, createWorld, rollout, shopWorld, type World } from './fixture.ts'

const ID = 'shop.web.aaaaaaaaaa'
const STREAM = { headers: { accept: 'text/event-stream' } }

function event(id: string, more: Partial<EventRecord> = {}): EventRecord {
  const actor = { kind: 'schedule', id: 'schedule', name: 'schedule' } as const
  return {
    id,
    type: 'rollout.step',
    time: '2030-01-01T00:00:00.000Z',
    subject: `rollouts/${ID}`,
    actor,
    reason: 'Passed',
    message: `event ${id}\nof two lines`,
    data: { weight: 10 },
    ...more,
  }
}

async function withEvents(count: number): Promise<World> {
  const world = shopWorld({ rollouts: [rollout()] })
  for (let index = 1; index <= count; index += 1) await world.store.appendEvent(event(`e${index}`))
  return world
}

/** Reads a stream until it ends, or until `until` says that it has seen enough. */
async function read(
  world: World,
  path: string,
  call: Call,
  until: (text: string) => boolean = () => false,
): Promise<string> {
  const { status, headers, stream } = await world.call('GET', path, call)
  expect(status).toBe(200)
  expect(headers['content-type']).toBe('text/event-stream')
  let text = ''
  for await (const piece of stream ?? []) {
    text += piece
    if (until(text)) break
  }
  return text
}

const idsOf = (text: string) => [...text.matchAll(/"id":"(e\d+)"/g)].map(([, id]) => id)

describe('events as a list', () => {
  it('are CloudEvents in the order of arrival, page by page', async () => {
    const world = await withEvents(3)
    const first = await world.call('GET', '/api/v1/events?limit=2')
    expect(first.json.value[0]).toMatchObject({
      specversion: '1.0',
      type: 'io.meshwright.rollout.step',
      source: '/meshwright',
      data: { reason: 'Passed', details: { weight: 10 } },
    })
    const next = new URL(first.json.nextLink)
    const second = await world.call('GET', next.pathname + next.search)
    expect(second.json.value.map(({ id }: EventRecord) => id)).toEqual(['e3'])
    expect(second.json).not.toHaveProperty('nextLink')
  })

  it('can be those about one thing', async () => {
    const world = await withEvents(1)
    await world.store.appendEvent(event('e9', { subject: 'clusters/east' }))
    const about = async (subject: string) => (await world.call('GET', `/api/v1/events?subject=${subject}`)).json.value
    expect(await about('clusters/east')).toMatchObject([{ id: 'e9' }])
    expect(await about(`rollouts/${ID}`)).toMatchObject([{ id: 'e1' }])
    expect((await world.call('GET', '/api/v1/events?subject=x')).json.errors[0].pointer).toBe('query/subject')
  })

  it('refuse a broken cursor by the name of where it came', async () => {
    const world = await withEvents(1)
    expect((await world.call('GET', '/api/v1/events?after=abc')).json.errors[0].pointer).toBe('query/after')
    const headers = { ...STREAM.headers, 'last-event-id': 'abc' }
    const answer = await world.call('GET', '/api/v1/events', { headers })
    expect(answer.json).toMatchObject({ status: 400, errors: [{ pointer: 'header/last-event-id' }] })
  })

  it('of a rollout that is not there are 404, as a stream also', async () => {
    const world = createWorld()
    expect((await world.call('GET', `/api/v1/rollouts/${ID}/events`, STREAM)).status).toBe(404)
  })
})

describe('events as a stream', () => {
  it('come as they arrive, with their cursor as id, each on one line of data', async () => {
    const world = await withEvents(2)
    world.clock.onSleep = () => void world.store.appendEvent(event('e3'))
    const text = await read(world, '/api/v1/events', STREAM, (seen) => seen.includes('"e3"'))
    expect(idsOf(text)).toEqual(['e1', 'e2', 'e3'])
    const [, block = ''] = text.split('\n\n')
    expect(block.split('\n').map((line) => line.split(':')[0])).toEqual(['id', 'event', 'data'])
    expect(block).toContain('event: rollout.step')
  })

  it('go on behind Last-Event-ID', async () => {
    const world = await withEvents(3)
    const headers = { ...STREAM.headers, 'last-event-id': '000000002' }
    const text = await read(world, '/api/v1/events', { headers }, (seen) => seen.includes('"e3"'))
    expect(idsOf(text)).toEqual(['e3'])
  })

  it('catch up over more than one page', async () => {
    const world = await withEvents(250)
    const text = await read(world, '/api/v1/events', STREAM, (seen) => seen.includes('"e250"'))
    expect(idsOf(text)).toHaveLength(250)
  })

  it('of a rollout end when it is over and nothing more arrives', async () => {
    const world = await withEvents(1)
    world.clock.onSleep = async () => {
      if (world.clock.slept.length === 5) {
        const done = { ...rollout({ phase: 'succeeded' }) }
        world.store.change('service', 'shop/web', (service) => ({ ...service, rollouts: [done] }))
      }
      if (world.clock.slept.length === 6) await world.store.appendEvent(event('e2', { type: 'rollout.succeeded' }))
    }
    const text = await read(world, `/api/v1/rollouts/${ID}/events`, STREAM)
    expect(idsOf(text)).toEqual(['e1', 'e2'])
  })

  it('show that they live when nothing happens, and end after half an hour', async () => {
    const world = await withEvents(0)
    const text = await read(world, '/api/v1/events', STREAM)
    expect(text.match(/^:$/gm)?.length).toBeGreaterThan(100)
    expect(world.clock.slept.reduce((sum, ms) => sum + ms, 0)).toBe(1_800_000)
  })

  it('end when the caller goes away', async () => {
    const world = await withEvents(0)
    const gone = new AbortController()
    world.clock.onSleep = () => gone.abort()
    await read(world, '/api/v1/events', { ...STREAM, signal: gone.signal })
    expect(world.clock.slept).toHaveLength(1)
  })

  it('go on while the store does not answer', async () => {
    const world = await withEvents(1)
    const events = world.store.events.bind(world.store)
    let calls = 0
    world.store.events = (query) => {
      calls += 1
      return calls === 2 ? Promise.reject(new PortError('unavailable', 'Cosmos DB', 'timeout')) : events(query)
    }
    world.clock.onSleep = () => void world.store.appendEvent(event('e2'))
    expect(idsOf(await read(world, '/api/v1/events', STREAM, (seen) => seen.includes('"e2"')))).toEqual(['e1', 'e2'])
  })

  it('are not begun for HEAD', async () => {
    const world = await withEvents(1)
    const answer = await world.call('HEAD', '/api/v1/events', STREAM)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.stream).toBeUndefined()
  })
})
