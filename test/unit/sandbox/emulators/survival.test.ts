import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CosmosClient } from '@azure/cosmos'
import { QueueServiceClient, StorageSharedKeyCredential } from '@azure/storage-queue'
import { expect, it, onTestFinished } from 'vitest'
import { cosmosEmulator } from '../../../../src/sandbox/emulators/cosmos/cosmos.ts'
import type { EmulatorContext } from '../../../../src/sandbox/emulators/emulator.ts'
import { storageQueueEmulator } from '../../../../src/sandbox/emulators/storage-queue/storage-queue.ts'
import { sqliteStorage } from '../../../../src/sandbox/storage.ts'
import { pipelineTransport } from '../../../../src/sandbox/transports/pipeline-transport.ts'
import { storageTransport } from '../../../../src/sandbox/transports/storage-transport.ts'

const key = Buffer.from('a key').toString('base64')

/** Serves both emulators on one file, says where, and lives until it is killed. */
const keeper = `
import { cosmosEmulator } from './src/sandbox/emulators/cosmos/cosmos.ts'
import { serve } from './src/sandbox/emulators/serve.ts'
import { storageQueueEmulator } from './src/sandbox/emulators/storage-queue/storage-queue.ts'
import { sqliteStorage } from './src/sandbox/storage.ts'
const [file, key] = process.argv.slice(1)
const context = { now: Date.now, random: Math.random, storage: sqliteStorage(file) }
const cosmos = await serve(cosmosEmulator(context, { key }), { port: 0 })
const queue = await serve(storageQueueEmulator(context, { account: 'account', key }), { port: 0 })
console.log(JSON.stringify([cosmos.url, queue.url]))
`

function cosmosClient(options: { endpoint: string; httpClient?: ReturnType<typeof pipelineTransport> }): CosmosClient {
  const connectionPolicy = { enableEndpointDiscovery: false, enableBackgroundEndpointRefreshing: false }
  return new CosmosClient({ ...options, key, connectionPolicy })
}

const credential = new StorageSharedKeyCredential('account', key)

it('keeps documents, etags, sequence numbers and messages over a kill -9', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'emulators-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'state.sqlite')
  const child = spawn(process.execPath, ['--input-type=module', '-e', keeper, file, key], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  const [cosmosUrl, queueUrl] = JSON.parse(String(line)) as [string, string]

  const { database } = await cosmosClient({ endpoint: cosmosUrl }).databases.create({ id: 'db' })
  const { container } = await database.containers.create({ id: 'state', partitionKey: { paths: ['/pk'] } })
  for (let n = 0; n < 10; n++) await container.items.create({ id: `d${n}`, pk: 'p', n })
  await container.item('d0', 'p').delete()
  const last = await container.item('d1', 'p').replace({ id: 'd1', pk: 'p', n: 100 })
  const queue = new QueueServiceClient(`${queueUrl}/account`, credential).getQueueClient('work')
  await queue.create()
  await queue.sendMessage('kept')
  const [taken] = (await queue.receiveMessages({ visibilityTimeout: 600 })).receivedMessageItems
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited

  const storage = sqliteStorage(file)
  onTestFinished(() => storage.close())
  const context: EmulatorContext = { now: Date.now, random: Math.random, storage }
  const httpClient = pipelineTransport(cosmosEmulator(context, { key }))
  const again = cosmosClient({ endpoint: 'https://cosmos.test', httpClient }).database('db').container('state')
  expect((await again.items.query<string>('SELECT VALUE c.id FROM c').fetchAll()).resources).toHaveLength(9)
  const found = await again.item('d1', 'p').read()
  expect(found).toMatchObject({ etag: last.etag, resource: { n: 100 } })
  const next = await again.items.create({ id: 'new', pk: 'p' })
  expect(next.headers['x-ms-session-token']).toBe('0:-1#13')

  const service = new QueueServiceClient('https://account.queue.core.windows.net', credential, {
    httpClient: storageTransport(storageQueueEmulator(context, { account: 'account', key })),
  })
  const kept = service.getQueueClient('work')
  expect((await kept.receiveMessages()).receivedMessageItems).toEqual([])
  expect((await kept.getProperties()).approximateMessagesCount).toBe(1)
  await kept.deleteMessage(taken?.messageId ?? '', taken?.popReceipt ?? '')
  expect((await kept.getProperties()).approximateMessagesCount).toBe(0)
})
