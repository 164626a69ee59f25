import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { cosmosEmulator } from '../../../src/sandbox/emulators/cosmos/cosmos.ts'
import { type Served, serve } from '../../../src/sandbox/emulators/serve.ts'
import { storageQueueEmulator } from '../../../src/sandbox/emulators/storage-queue/storage-queue.ts'
import { changeFeedSourceOver } from '../../../src/sandbox/host/change-feed-source.ts'
import { type QueueSource, queueSourceOver } from '../../../src/sandbox/host/queue-source.ts'
import { type Send, sendOverHttp } from '../../../src/sandbox/host/send.ts'
import { signedForCosmos, signedForQueues } from '../../../src/sandbox/host/signing.ts'
import { type FunctionsHost, startHost } from '../../../src/sandbox/host/start-host.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { seen } from './fixtures/seen.ts'

const key = Buffer.from('a key for tests only').toString('base64')
const storage = memoryStorage()
const context = { now: () => Date.now(), random: () => 0.5, storage }
const cosmosUrl = 'http://cosmos.test'
const cosmosSend = signedForCosmos(cosmosEmulator(context, { key }), key, context.now)

let queueServer: Served
let queues: QueueSource
let host: FunctionsHost

beforeAll(async () => {
  await createContainer('state', '/pk')
  await createContainer('leases', '/id')
  queueServer = await serve(storageQueueEmulator(context, { account: 'acc', key }), { port: 0 })
  queues = queueSourceOver(
    `${queueServer.url}/acc`,
    signedForQueues(sendOverHttp, { account: 'acc', key }, context.now),
  )
  host = await startHost({
    load: () => import('./fixtures/functions/background.ts'),
    appDirectory: import.meta.dirname,
    hostJson: {
      version: '2.0',
      extensions: { queues: { messageEncoding: 'none', maxPollingInterval: '00:00:01', maxDequeueCount: 2 } },
    },
    port: 0,
    queue: queues,
    cosmos: changeFeedSourceOver(cosmosUrl, cosmosSend),
    settings: { TICK: '0 0 0 1 1 *' },
    log: () => {},
  })
})

afterAll(async () => {
  await host.stop()
  await queueServer.close()
})

/** All that the function of this name saw. */
function seenBy(name: string): Record<string, unknown>[] {
  return seen()
    .filter((one) => one.name === name)
    .map(({ value }) => value as Record<string, unknown>)
}

async function call(send: Send, path: string, body: object, headers: Record<string, string> = {}): Promise<void> {
  const response = await send({
    method: 'POST',
    url: new URL(`${cosmosUrl}/${path}`),
    headers: { 'content-type': 'application/json', ...headers },
    body: new TextEncoder().encode(JSON.stringify(body)),
  })
  expect(response.status).toBeLessThan(300)
}

async function createContainer(id: string, path: string): Promise<void> {
  if (id === 'state') await call(cosmosSend, 'dbs', { id: 'app' })
  await call(cosmosSend, 'dbs/app/colls', { id, partitionKey: { paths: [path], kind: 'Hash', version: 2 } })
}

function createDocument(document: { id: string; pk: string } & Record<string, unknown>): Promise<void> {
  return call(cosmosSend, 'dbs/app/colls/state/docs', document, {
    'x-ms-documentdb-partitionkey': JSON.stringify([document.pk]),
  })
}

describe('the host, with the emulators of this project', () => {
  test('runs the start hook before it takes work', () => {
    expect(seenBy('appStart')).toHaveLength(1)
    expect(host.functions.map(({ metadata }) => metadata.name).sort()).toEqual(['feed', 'tick', 'work'])
  })

  test('a queue message comes parsed, with its metadata, and is gone afterwards', async () => {
    await queues.add('work-items', JSON.stringify({ say: 'hello <&>' }))
    await vi.waitFor(
      () => expect(seenBy('work').map(({ entry }) => entry)).toContainEqual({ say: 'hello <&>' }),
      10_000,
    )
    const { metadata } = seenBy('work')[0] ?? {}
    expect(metadata).toMatchObject({ dequeueCount: 1, queueTrigger: { say: 'hello <&>' } })
    expect(Object.keys(metadata as object).sort()).toEqual(
      ['dequeueCount', 'expirationTime', 'id', 'insertionTime', 'nextVisibleTime', 'popReceipt', 'queueTrigger'].sort(),
    )
    await vi.waitFor(async () => expect(await queues.receive('work-items', 1, 1000)).toEqual([]), 5000)
  })

  test('a message that keeps failing ends in the poison queue', async () => {
    await queues.add('work-items', JSON.stringify({ fail: true }))
    const poison = async (): Promise<string[]> =>
      (await queues.receive('work-items-poison', 1, 60_000)).map((m) => m.text)
    await vi.waitFor(async () => expect(await poison()).toEqual(['{"fail":true}']), 10_000)
    expect(seenBy('work').filter(({ entry }) => (entry as { fail?: boolean }).fail)).toHaveLength(2)
  })

  test('a change comes to the feed function and the position is kept as a lease', async () => {
    await createDocument({ id: 'a', pk: 'p', value: 1 })
    await vi.waitFor(() => expect(JSON.stringify(seenBy('feed'))).toContain('"value":1'), 5000)
    const lease = async () =>
      changeFeedSourceOver(cosmosUrl, cosmosSend).loadLease({ database: 'app', container: 'leases' }, 'app_state..0')
    await vi.waitFor(async () => expect((await lease())?.continuation).toMatch(/\d+/), 5000)
  })

  test('a batch that fails comes again with a retry context', async () => {
    await createDocument({ id: 'b', pk: 'p', failOnce: true })
    const tries = (): unknown[] =>
      seenBy('feed')
        .filter(({ documents }) => JSON.stringify(documents).includes('failOnce'))
        .map(({ retry }) => retry)
    await vi.waitFor(() => expect(tries()).toHaveLength(2), 5000)
    expect(tries()[0]).toBeUndefined()
    expect(tries()[1]).toMatchObject({ retryCount: 1, maxRetryCount: 2, exception: { message: 'fails once' } })
  })

  test('a timer can be run by name, and invocation hooks see it', async () => {
    expect((await host.runTimer('tick')).succeeded).toBe(true)
    expect(seenBy('tick')[0]).toMatchObject({
      timer: { isPastDue: false, schedule: { adjustForDST: true }, scheduleStatus: null },
    })
    expect(seenBy('hooked')).toHaveLength(1)
    expect(() => host.runTimer('tock')).toThrow('There is no timer "tock"')
  })

  test('after a stop no work is taken, and the end hook has run', async () => {
    await host.stop()
    expect(seenBy('appTerminate')).toHaveLength(1)
    const before = seenBy('work').length
    await queues.add('work-items', JSON.stringify({ late: true }))
    expect((await queues.receive('work-items', 32, 1000)).length).toBe(1)
    expect(seenBy('work')).toHaveLength(before)
    await expect(fetch(host.url)).rejects.toThrow()
  })
})
