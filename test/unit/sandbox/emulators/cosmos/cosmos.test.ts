import { type Container, CosmosClient } from '@azure/cosmos'
import { describe, expect, it } from 'vitest'
import { throttled } from '../../../../../src/sandbox/emulators/cosmos/errors.ts'
import { memoryStorage } from '../../../../../src/sandbox/storage.ts'
import { pipelineTransport } from '../../../../../src/sandbox/transports/pipeline-transport.ts'
import { throughWire } from '../../../../../src/sandbox/transports/wire.ts'

import { at, connect, make, open, raw, start } from './opened.ts'

describe('access', () => {
  it('takes the master key and a good token, and refuses all else with a 401', async () => {
    const other = Buffer.from('other').toString('base64')
    await expect(connect(at.emulator, { key: other }).database('db').read()).rejects.toMatchObject({ code: 401 })
    const token = (value: string) => ({
      getToken: async () => ({ token: value, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }),
    })
    const withToken = (value: string) =>
      new CosmosClient({
        endpoint: 'https://cosmos.test',
        aadCredentials: token(value),
        httpClient: pipelineTransport(at.emulator),
        connectionPolicy: { enableEndpointDiscovery: false, enableBackgroundEndpointRefreshing: false },
      })
    expect((await withToken('good').database('db').read()).resource?.id).toBe('db')
    await expect(withToken('bad').database('db').read()).rejects.toMatchObject({ code: 401 })
    for (const authorization of ['', 'x', '%', 'type=master&ver=1.0&sig=', 'type=resource&ver=1.0&sig=good']) {
      expect((await raw('/dbs', { authorization })).status).toBe(401)
    }
  })

  it('says where it is, so that endpoint discovery works', async () => {
    const discovering = connect(at.emulator, { connectionPolicy: { enableBackgroundEndpointRefreshing: false } })
    expect(await discovering.getWriteEndpoint()).toBe('https://cosmos.test/')
    const { resource } = await discovering.database('db').container('state').items.create({ id: 'a', pk: 'p' })
    expect(resource?.id).toBe('a')
  })
})

describe('documents', () => {
  it('carry system properties made of counters and the given time', async () => {
    const { resource, headers } = await at.container.items.create({ id: 'a', pk: 'p' })
    expect(resource).toEqual({
      id: 'a',
      pk: 'p',
      _rid: 'AAAAAYAAAAIBAAAAAAAAAA==',
      _self: 'dbs/AAAAAQ==/colls/AAAAAYAAAAI=/docs/AAAAAYAAAAIBAAAAAAAAAA==/',
      _etag: '"00000000-0001-0100-0000-70dbd8800000"',
      _attachments: 'attachments/',
      _ts: start / 1000,
    })
    expect(headers['x-ms-session-token']).toBe('0:-1#1')
    expect(Number(headers['x-ms-request-charge'])).toBeGreaterThan(0)
  })

  it('are refused over 2 MB with a 413', async () => {
    await at.container.items.create({ id: 'a', pk: 'p', text: 'x'.repeat(2 * 1024 * 1024 - 100) })
    const tooMuch = at.container.items.create({ id: 'b', pk: 'p', text: 'x'.repeat(2 * 1024 * 1024) })
    await expect(tooMuch).rejects.toMatchObject({ code: 413 })
    expect((await at.container.item('b', 'p').read()).statusCode).toBe(404)
  })

  it('need an id, a sound ttl and the partition key of their header', async () => {
    const path = '/dbs/db/colls/state/docs'
    const post = async (content: unknown, partitionKey?: string) => {
      const headers = partitionKey === undefined ? {} : { 'x-ms-documentdb-partitionkey': partitionKey }
      const body = typeof content === 'string' ? content : JSON.stringify(content)
      const answer = await raw(path, headers, 'POST', body)
      return [answer.status, answer.headers['x-ms-substatus']]
    }
    expect(await post({ id: 'a', pk: 'p' }, '["p"]')).toEqual([201, undefined])
    expect(await post({ id: 'a', pk: 'p' })).toEqual([400, '0'])
    expect(await post({ id: 'b', pk: 'p' }, '["q"]')).toEqual([400, '1001'])
    expect(await post({ id: 'b' }, '[{}]')).toEqual([201, undefined])
    for (const key of ['p', '"p"', '[]', '["p","q"]', '[["p"]]'])
      expect(await post({ id: 'c', pk: 'p' }, key)).toEqual([400, '0'])
    for (const bad of [
      {},
      { id: 1 },
      { id: '' },
      { id: 'a/b' },
      { id: 'c', ttl: 0 },
      { id: 'c', ttl: 'x' },
      [],
      'null',
      '{',
    ]) {
      expect(await post(typeof bad === 'object' && !Array.isArray(bad) ? { pk: 'p', ...bad } : bad, '["p"]')).toEqual([
        400,
        '0',
      ])
    }
    expect(await post({ id: 'c', pk: 'p' }, '["p"]')).toEqual([201, undefined])
  })

  it('cannot change their id, and If-Match is not taken on an upsert', async () => {
    await at.container.items.create({ id: 'a', pk: 'p' })
    await expect(at.container.item('a', 'p').replace({ id: 'b', pk: 'p' })).rejects.toMatchObject({ code: 400 })
    await expect(at.container.item('a', 'p').replace({ id: 'a', pk: 'q' })).rejects.toMatchObject({ code: 400 })
    const guarded = { accessCondition: { type: 'IfMatch', condition: '"x"' } }
    await expect(at.container.items.upsert({ id: 'a', pk: 'p' }, guarded)).rejects.toMatchObject({ code: 501 })
  })

  it('of a container that is not there are a 404 with sub-status 1003', async () => {
    const none = connect(at.emulator).database('db').container('none')
    await expect(none.item('a', 'p').replace({ id: 'a', pk: 'p' })).rejects.toMatchObject({
      code: 404,
      substatus: 1003,
    })
  })

  it('answer 304 to a reader who has the present version', async () => {
    const { etag } = await at.container.items.create({ id: 'a', pk: 'p' })
    const headers = { 'x-ms-documentdb-partitionkey': '["p"]' }
    const read = (known: string) => raw('/dbs/db/colls/state/docs/a', { ...headers, 'if-none-match': known })
    expect((await read(etag)).status).toBe(304)
    expect((await read('"other"')).status).toBe(200)
  })

  it('go with their container and database', async () => {
    await at.container.items.create({ id: 'a', pk: 'p' })
    await at.container.delete()
    const again = await open(at.emulator, 'state')
    expect((await again.item('a', 'p').read()).statusCode).toBe(404)
    const { database } = again
    await database.delete()
    await expect(database.read()).rejects.toMatchObject({ code: 404 })
  })
})

describe('time to live', () => {
  const ids = async (from: Container) =>
    (await from.items.query<string>('SELECT VALUE c.id FROM c').fetchAll()).resources

  it('ends documents after the default or their own, counted from the last write', async () => {
    const events = await open(at.emulator, 'events', { defaultTtl: 60 })
    await events.items.create({ id: 'default', pk: 'p' })
    await events.items.create({ id: 'long', pk: 'p', ttl: 120 })
    await events.items.create({ id: 'ever', pk: 'p', ttl: -1 })
    at.clock = start + 59_999
    expect(await ids(events)).toEqual(['default', 'long', 'ever'])
    at.clock = start + 60_000
    expect(await ids(events)).toEqual(['long', 'ever'])
    expect((await events.item('default', 'p').read()).statusCode).toBe(404)
    expect((await events.items.create({ id: 'default', pk: 'p' })).statusCode).toBe(201)
    at.clock = start + 119_000
    await events.item('default', 'p').replace({ id: 'default', pk: 'p' })
    at.clock = start + 178_000
    expect(await ids(events)).toEqual(['ever', 'default'])
  })

  it('counts an own ttl only where the container has a default', async () => {
    const on = await open(at.emulator, 'on', { defaultTtl: -1 })
    for (const each of [at.container, on]) {
      await each.items.create({ id: 'own', pk: 'p', ttl: 10 })
      await each.items.create({ id: 'none', pk: 'p' })
    }
    at.clock = start + 1e9
    expect(await ids(on)).toEqual(['none'])
    expect(await ids(at.container)).toEqual(['own', 'none'])
  })
})

describe('sessions', () => {
  it('are kept by the SDK and end with a 404/1002 when the data has gone back', async () => {
    const client = connect(at.emulator, { consistencyLevel: 'Session' })
    const state = client.database('db').container('state')
    await state.items.create({ id: 'a', pk: 'p' })
    await state.item('a', 'p').read()
    expect(at.requests.at(-1)?.headers['x-ms-session-token']).toBe('0:-1#1')
    const ahead = connect(at.emulator).database('db').container('state')
    const sessionToken = '0:-1#2'
    expect(await ahead.item('a', 'p').read({ sessionToken })).toMatchObject({ statusCode: 404, substatus: 1002 })
    await state.items.create({ id: 'b', pk: 'p' })
    expect((await ahead.item('a', 'p').read({ sessionToken })).statusCode).toBe(200)
    await expect(ahead.item('a', 'p').read({ sessionToken: 'x' })).rejects.toMatchObject({ code: 400 })
  })
})

describe('queries over partition key ranges', () => {
  it('go to each range with a rewritten query, and are merged', async () => {
    const wide = await open(make(4), 'wide')
    for (let n = 0; n < 20; n++) await wide.items.create({ id: `d${n}`, pk: `p${n}`, n: (n * 7) % 20 })
    at.requests = []
    const spec = {
      query: 'SELECT TOP 7 VALUE c.n FROM c WHERE c.n >= @n ORDER BY c.n',
      parameters: [{ name: '@n', value: 3 }],
    }
    expect((await wide.items.query(spec).fetchAll()).resources).toEqual([3, 4, 5, 6, 7, 8, 9])
    const ranges = at.requests.map(({ headers }) => headers['x-ms-documentdb-partitionkeyrangeid']).filter(Boolean)
    expect(ranges.sort()).toEqual(['0', '1', '2', '3'])
    expect((await wide.items.query(spec, { forceQueryPlan: true }).fetchAll()).resources).toHaveLength(7)
  })

  it('need the header that allows them', async () => {
    const headers = { 'content-type': 'application/query+json', 'x-ms-documentdb-isquery': 'true' }
    const answer = await raw('/dbs/db/colls/state/docs', headers, 'POST', '{"query":"SELECT * FROM c"}')
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining('enablecrosspartition')])
  })

  it('of a range that is not there answer 410', async () => {
    const headers = { 'x-ms-documentdb-partitionkeyrangeid': '7' }
    expect((await raw('/dbs/db/colls/state/docs', headers)).status).toBe(410)
  })

  it('are refused an order that no index serves', async () => {
    const closed = await open(at.emulator, 'closed', {
      indexingPolicy: {
        includedPaths: [{ path: '/due/?' }, { path: '/open/*' }],
        excludedPaths: [{ path: '/*' }],
        compositeIndexes: [
          [
            { path: '/a', order: 'ascending' },
            { path: '/b', order: 'descending' },
          ],
        ],
      },
    })
    const order = (by: string) => closed.items.query(`SELECT * FROM c ORDER BY ${by}`).fetchAll()
    for (const good of ['c.due', 'c.due DESC', 'c.open.x', 'c.a, c.b DESC', 'c.a DESC, c.b']) await order(good)
    for (const bad of ['c.other', 'c.due.x', 'c.a, c.b', 'c.b DESC, c.a', 'c.due, c.a']) {
      await expect(order(bad), bad).rejects.toMatchObject({ code: 400 })
    }
  })
})

it('is retried by the SDK when a wire throttles', async () => {
  let left = 2
  const busy = throughWire(at.emulator, async (_, deliver) => (left-- > 0 ? throttled(1) : deliver()))
  const state = connect(busy).database('db').container('state')
  expect((await state.item('a', 'p').read()).statusCode).toBe(404)
  expect(left).toBe(-1)
  const never = connect(
    throughWire(at.emulator, async () => throttled(1)),
    {
      connectionPolicy: {
        enableEndpointDiscovery: false,
        retryOptions: { maxRetryAttemptCount: 1, fixedRetryIntervalInMilliseconds: 0, maxWaitTimeInSeconds: 1 },
      },
    },
  )
  await expect(never.database('db').read()).rejects.toMatchObject({ code: 429, substatus: 3200, retryAfterInMs: 1 })
})

it('refuses what it does not know with a word', async () => {
  for (const [method, path] of [
    ['PATCH', '/dbs/db/colls/state/docs/a'],
    ['GET', '/offers'],
    ['GET', '/dbs/db/colls/state/sprocs'],
    ['POST', '/dbs/db/colls/state/docs/a/attachments'],
    ['POST', '/'],
  ] as const) {
    const answer = await raw(path, { 'x-ms-documentdb-partitionkey': '["p"]' }, method, '{}')
    expect([answer.status, String(answer.body)]).toEqual([501, expect.stringContaining('does not do that')])
  }
  expect((await raw('/dbs/%E0%A4%A')).status).toBe(400)
})

it('answers the same requests the same way', async () => {
  const runOnce = async () => {
    at.storage = memoryStorage()
    at.clock = start
    const answers: unknown[] = []
    const recorded = throughWire(make(2), async (_, deliver) => {
      const answer = await deliver()
      answers.push(answer)
      return answer
    })
    const state = await open(recorded, 'state')
    for (let n = 0; n < 5; n++) await state.items.create({ id: `d${n}`, pk: `p${n}`, n })
    await state.items.query('SELECT * FROM c ORDER BY c.n').fetchAll()
    return answers
  }
  expect(await runOnce()).toEqual(await runOnce())
})
