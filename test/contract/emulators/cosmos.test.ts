import { type AddressInfo, Socket } from 'node:net'
import { type Container, CosmosClient, type CosmosClientOptions, type SqlParameter } from '@azure/cosmos'
import { createHttpServer } from '@vercel/cosmosdb-server'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { cosmosEmulator } from '../../../src/sandbox/emulators/cosmos/cosmos.ts'
import { serve } from '../../../src/sandbox/emulators/serve.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { pipelineTransport } from '../../../src/sandbox/transports/pipeline-transport.ts'

/*
 * One suite, through the real SDK, on our emulator and on an independent one: what passes here is what the store may
 * use. Every query over one partition names the partition in WHERE too, since the independent server overlooks the
 * partition key of the request.
 */

interface Running {
  readonly client: CosmosClient
  close(): Promise<void>
}

const key = Buffer.from('a master key for tests').toString('base64')
const quiet = {
  key,
  connectionPolicy: { enableEndpointDiscovery: false, enableBackgroundEndpointRefreshing: false },
} satisfies Partial<CosmosClientOptions>

function makeEmulator(partitions: number) {
  return cosmosEmulator({ now: Date.now, random: Math.random, storage: memoryStorage() }, { key, partitions })
}

const targets: Record<string, () => Promise<Running>> = {
  'our emulator in process': async () => inProcess(1),
  'our emulator in process with three partition key ranges': async () => inProcess(3),
  'our emulator on a port': async () => {
    const { url, close } = await serve(makeEmulator(2), { port: 0 })
    return { client: new CosmosClient({ ...quiet, endpoint: url }), close }
  },
  '@vercel/cosmosdb-server': async () => {
    const server = createHttpServer()
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const close = () => new Promise<void>((resolve) => void server.close(() => resolve()))
    return { client: new CosmosClient({ ...quiet, endpoint }), close }
  },
}

function inProcess(partitions: number): Running {
  const httpClient = pipelineTransport(makeEmulator(partitions))
  const client = new CosmosClient({ ...quiet, endpoint: 'https://cosmos.test', httpClient })
  return { client, close: async () => client.dispose() }
}

interface Doc {
  id: string
  pk: string
  key: string
  n: number
  due?: number | null
  tags?: string[]
}

const connect = vi.spyOn(Socket.prototype, 'connect')

describe.each(Object.keys(targets))('Cosmos DB: %s', (name) => {
  let running: Running
  let container: Container

  beforeAll(async () => {
    connect.mockClear()
    running = (await targets[name]?.()) as Running
    await running.client.databases.createIfNotExists({ id: 'db' })
  })
  afterAll(async () => {
    expect(connect.mock.calls.length > 0, 'opened a socket').toBe(!name.includes('in process'))
    await running.close()
  })

  let count = 0
  beforeEach(async () => {
    const database = running.client.database('db')
    const made = await database.containers.createIfNotExists({ id: `c${++count}`, partitionKey: { paths: ['/pk'] } })
    container = made.container
  })

  async function seed(): Promise<void> {
    for (let n = 0; n < 7; n++) {
      const due = n < 2 ? null : n
      await container.items.create<Doc>({
        id: `d${n}`,
        pk: `p${n % 3}`,
        key: `k${6 - n}`,
        n,
        due,
        tags: ['all', `t${n}`],
      })
    }
  }

  async function query<T = string>(text: string, parameters: Record<string, unknown> = {}, partitionKey?: string) {
    const list = Object.entries(parameters).map(([name, value]) => ({ name, value }) as SqlParameter)
    const spec = { query: text, parameters: list }
    const { resources } = await container.items.query<T>(spec, partitionKey ? { partitionKey } : {}).fetchAll()
    return resources
  }

  it('makes a database and a container once', async () => {
    const database = running.client.database('db')
    const again = await database.containers.createIfNotExists({ id: container.id, partitionKey: { paths: ['/pk'] } })
    expect(again.statusCode).toBe(200)
    expect(again.resource?.partitionKey?.paths).toEqual(['/pk'])
    await expect(
      database.containers.create({ id: container.id, partitionKey: { paths: ['/pk'] } }),
    ).rejects.toMatchObject({ code: 409 })
    await expect(database.container('none').items.create({ id: 'a', pk: 'p' })).rejects.toMatchObject({ code: 404 })
  })

  it('creates a document once', async () => {
    const made = await container.items.create<Doc>({ id: 'a', pk: 'p', key: 'k', n: 1 })
    expect(made.statusCode).toBe(201)
    expect(made.resource).toMatchObject({ id: 'a', n: 1, _etag: made.etag, _ts: expect.any(Number) })
    await expect(container.items.create({ id: 'a', pk: 'p' })).rejects.toMatchObject({ code: 409 })
    expect((await container.items.create({ id: 'a', pk: 'q' })).statusCode).toBe(201)
  })

  it('reads a document by id and partition key; a missing one is a 404, not an error', async () => {
    await container.items.create<Doc>({ id: 'a:b c+é', pk: 'p/1', key: 'k', n: 1 })
    const read = await container.item('a:b c+é', 'p/1').read<Doc>()
    expect(read.resource).toMatchObject({ id: 'a:b c+é', n: 1, _etag: read.etag })
    for (const [id, pk] of [
      ['a:b c+é', 'other'],
      ['none', 'p/1'],
    ] as const) {
      const missing = await container.item(id, pk).read<Doc>()
      expect([missing.statusCode, missing.resource ?? undefined]).toEqual([404, undefined])
    }
  })

  it('replaces under If-Match, and changes nothing when the etag is stale', async () => {
    const made = await container.items.create<Doc>({ id: 'a', pk: 'p', key: 'k', n: 1 })
    const item = container.item('a', 'p')
    const ifMatch = (condition: string) => ({ accessCondition: { type: 'IfMatch', condition } })
    const replaced = await item.replace<Doc>({ id: 'a', pk: 'p', key: 'k', n: 2 }, ifMatch(made.etag))
    expect(replaced.statusCode).toBe(200)
    expect(replaced.etag).not.toBe(made.etag)
    await expect(item.replace({ id: 'a', pk: 'p', n: 3 }, ifMatch(made.etag))).rejects.toMatchObject({ code: 412 })
    expect((await item.read<Doc>()).resource).toMatchObject({ n: 2, _etag: replaced.etag })
    await expect(
      container.item('none', 'p').replace({ id: 'none', pk: 'p' }, ifMatch(made.etag)),
    ).rejects.toMatchObject({ code: 404 })
  })

  it('lets one of two writers with the same etag win', async () => {
    const { etag } = await container.items.create<Doc>({ id: 'a', pk: 'p', key: 'k', n: 0 })
    const write = (n: number) =>
      container
        .item('a', 'p')
        .replace({ id: 'a', pk: 'p', key: 'k', n }, { accessCondition: { type: 'IfMatch', condition: etag } })
        .then(
          ({ statusCode }) => statusCode,
          (error) => error.code,
        )
    expect((await Promise.all([write(1), write(2), write(3)])).sort()).toEqual([200, 412, 412])
  })

  it('deletes, under If-Match too, and forgets the etag', async () => {
    const { etag } = await container.items.create<Doc>({ id: 'a', pk: 'p', key: 'k', n: 1 })
    const item = container.item('a', 'p')
    await expect(item.delete({ accessCondition: { type: 'IfMatch', condition: '"stale"' } })).rejects.toMatchObject({
      code: 412,
    })
    expect((await item.delete({ accessCondition: { type: 'IfMatch', condition: etag } })).statusCode).toBe(204)
    await expect(item.delete()).rejects.toMatchObject({ code: 404 })
    const again = await container.items.create<Doc>({ id: 'a', pk: 'p', key: 'k', n: 1 })
    expect(again.etag).not.toBe(etag)
  })

  it('upserts', async () => {
    expect((await container.items.upsert({ id: 'a', pk: 'p', n: 1 })).statusCode).toBe(201)
    expect((await container.items.upsert({ id: 'a', pk: 'p', n: 2 })).statusCode).toBe(200)
    expect((await container.item('a', 'p').read()).resource).toMatchObject({ n: 2 })
  })

  it('queries one partition with parameters, in order', async () => {
    await seed()
    const text = 'SELECT c.id, c.n FROM c WHERE c.pk = @pk AND c.key > @after ORDER BY c.key'
    const found = await query<Partial<Doc>>(text, { '@pk': 'p0', '@after': 'k0' }, 'p0')
    expect(found).toEqual([
      { id: 'd3', n: 3 },
      { id: 'd0', n: 0 },
    ])
    const top = 'SELECT TOP 1 VALUE c.id FROM c WHERE c.pk = @pk ORDER BY c.key DESC'
    expect(await query(top, { '@pk': 'p0' }, 'p0')).toEqual(['d0'])
  })

  it('queries all partitions without an order', async () => {
    await seed()
    const found = await query<Doc>('SELECT * FROM c WHERE c.n >= @n', { '@n': 4 })
    expect(found.map(({ id }) => id).sort()).toEqual(['d4', 'd5', 'd6'])
    expect(found[0]).toMatchObject({ _etag: expect.any(String) })
  })

  it('pages over all partitions by key, with ORDER BY and TOP, while documents come and go', async () => {
    await seed()
    const text = 'SELECT TOP @top c.id, c.key FROM c WHERE c.key > @after ORDER BY c.key'
    const pages: string[][] = []
    let after = ''
    for (;;) {
      const page = await query<{ id: string; key: string }>(text, { '@after': after, '@top': 3 })
      if (page.length === 0) break
      pages.push(page.map(({ key }) => key))
      after = page.at(-1)?.key ?? ''
      if (pages.length === 1) {
        await container.items.create<Doc>({ id: 'late', pk: 'p9', key: 'k55', n: 9 })
        await container.item('d6', 'p0').delete()
      }
    }
    expect(pages).toEqual([
      ['k0', 'k1', 'k2'],
      ['k3', 'k4', 'k5'],
      ['k55', 'k6'],
    ])
  })

  it('hands out pages of at most maxItemCount, over all partitions, with and without an order', async () => {
    await seed()
    for (const [text, inOrder] of [
      ['SELECT VALUE c.key FROM c ORDER BY c.key', true],
      ['SELECT VALUE c.key FROM c', false],
    ] as const) {
      const found: string[] = []
      for await (const { resources } of container.items.query<string>(text, { maxItemCount: 2 }).getAsyncIterator()) {
        expect(resources.length).toBeLessThanOrEqual(2)
        found.push(...resources)
      }
      expect(inOrder ? found : found.sort()).toEqual(['k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6'])
    }
  })

  it('orders by several properties where a composite index serves them', async () => {
    const { container: indexed } = await running.client.database('db').containers.createIfNotExists({
      id: 'indexed',
      partitionKey: { paths: ['/pk'] },
      indexingPolicy: {
        compositeIndexes: [
          [
            { path: '/pk', order: 'ascending' },
            { path: '/n', order: 'descending' },
          ],
        ],
      },
    })
    container = indexed
    await seed()
    const ids = await query('SELECT VALUE c.id FROM c ORDER BY c.pk, c.n DESC')
    expect(ids).toEqual(['d6', 'd3', 'd0', 'd4', 'd1', 'd5', 'd2'])
    await expect(query('SELECT VALUE c.id FROM c ORDER BY c.n, c.pk')).rejects.toMatchObject({ code: 400 })
  })

  it.each([
    ['c.n IN (1, 2, @x)', { '@x': 3 }, ['d1', 'd2', 'd3']],
    ['c.n = 1 OR c.n = 2 AND c.pk = "p0"', {}, ['d1']],
    ['(c.n = 1 OR c.n = 2) AND c.pk != @pk', { '@pk': 'p1' }, ['d2']],
    ['NOT (c.n < 5)', {}, ['d5', 'd6']],
    ['c.n > 1 AND c.n <= 3', {}, ['d2', 'd3']],
    ['IS_DEFINED(c.none)', {}, []],
    ['NOT IS_DEFINED(c.none) AND c.n < 1', {}, ['d0']],
    ['IS_NULL(c.due)', {}, ['d0', 'd1']],
    ['c.due <= 3', {}, ['d2', 'd3']],
    ['c.due < "a"', {}, []],
    ['STARTSWITH(c.pk, @prefix) AND c.n > 3', { '@prefix': 'p1' }, ['d4']],
    ['ARRAY_CONTAINS(c.tags, @tag)', { '@tag': 't3' }, ['d3']],
    ['ARRAY_CONTAINS(@ids, c.id)', { '@ids': ['d1', 'd4'] }, ['d1', 'd4']],
    ['ARRAY_LENGTH(c.tags) > 2', {}, []],
    ['c["pk"] = "p2"', {}, ['d2', 'd5']],
    ['c.tags[1] = "t6"', {}, ['d6']],
  ] as const)('answers WHERE %s', async (where, parameters, expected) => {
    await seed()
    expect((await query(`SELECT VALUE c.id FROM c WHERE ${where}`, parameters)).sort()).toEqual(expected)
  })

  it('refuses what is no SQL with a 400', async () => {
    await expect(query('SELECT FROM WHERE')).rejects.toMatchObject({ code: 400 })
  })
})
