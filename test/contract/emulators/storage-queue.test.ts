import { Socket } from 'node:net'
import { type QueueClient, QueueServiceClient, StorageSharedKeyCredential } from '@azure/storage-queue'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { serve } from '../../../src/sandbox/emulators/serve.ts'
import { storageQueueEmulator } from '../../../src/sandbox/emulators/storage-queue/storage-queue.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { storageTransport } from '../../../src/sandbox/transports/storage-transport.ts'

/* The queue emulator through the real SDK, in process and on a port. */

const account = 'meshwright'
const key = Buffer.from('a storage key for tests').toString('base64')
const credential = new StorageSharedKeyCredential(account, key)
const retryOptions = { maxTries: 1 }

const clock = { now: Date.UTC(2030, 0, 1) }
const seconds = (count: number) => {
  clock.now += count * 1000
}

function makeEmulator() {
  const context = { now: () => clock.now, random: () => 0, storage: memoryStorage() }
  return storageQueueEmulator(context, { account, key, acceptToken: (token) => token === 'good' })
}

interface Running {
  readonly service: QueueServiceClient
  close(): Promise<void>
}

const targets: Record<string, () => Promise<Running>> = {
  'in process with a key': async () => {
    const options = { httpClient: storageTransport(makeEmulator()), retryOptions }
    const service = new QueueServiceClient(`https://${account}.queue.core.windows.net`, credential, options)
    return { service, close: async () => {} }
  },
  'in process with a token': async () => {
    const token = { getToken: async () => ({ token: 'good', expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) }
    const options = { httpClient: storageTransport(makeEmulator()), retryOptions }
    const service = new QueueServiceClient(`https://${account}.queue.core.windows.net`, token, options)
    return { service, close: async () => {} }
  },
  'on a port': async () => {
    const { url, close } = await serve(makeEmulator(), { port: 0 })
    return { service: new QueueServiceClient(`${url}/${account}`, credential, { retryOptions }), close }
  },
}

const connect = vi.spyOn(Socket.prototype, 'connect')

describe.each(Object.keys(targets))('Storage queues: %s', (name) => {
  let running: Running
  let queue: QueueClient
  let count = 0

  beforeAll(async () => {
    connect.mockClear()
    running = (await targets[name]?.()) as Running
  })
  afterAll(async () => {
    expect(connect.mock.calls.length > 0, 'opened a socket').toBe(!name.includes('in process'))
    await running.close()
  })
  beforeEach(async () => {
    queue = running.service.getQueueClient(`queue-${++count}`)
    await queue.create()
  })

  const receive = async (options = {}) => (await queue.receiveMessages(options)).receivedMessageItems

  it('makes a queue once, lists it and deletes it', async () => {
    expect(await queue.createIfNotExists()).toMatchObject({ succeeded: false })
    await expect(queue.create({ metadata: { other: 'x' } })).rejects.toMatchObject({
      statusCode: 409,
      code: 'QueueAlreadyExists',
    })
    const listed: string[] = []
    for await (const item of running.service.listQueues({ prefix: 'queue-' })) listed.push(item.name)
    expect(listed).toContain(queue.name)
    await queue.delete()
    expect(await queue.exists()).toBe(false)
    await expect(queue.delete()).rejects.toMatchObject({ statusCode: 404, code: 'QueueNotFound' })
    await expect(queue.sendMessage('x')).rejects.toMatchObject({ statusCode: 404, code: 'QueueNotFound' })
    await expect(queue.receiveMessages()).rejects.toMatchObject({ statusCode: 404, code: 'QueueNotFound' })
  })

  it('lists in pages', async () => {
    for (const end of ['a', 'b', 'c']) await running.service.createQueue(`${queue.name}-${end}`)
    const pages: string[][] = []
    const options = { prefix: `${queue.name}-` }
    for await (const { queueItems } of running.service.listQueues(options).byPage({ maxPageSize: 2 })) {
      pages.push((queueItems ?? []).map((item) => item.name.slice(-1)))
    }
    expect(pages).toEqual([['a', 'b'], ['c']])
  })

  it('keeps metadata and counts messages, hidden ones too', async () => {
    await queue.setMetadata({ owner: 'shop' })
    await queue.sendMessage('one')
    await queue.sendMessage('two', { visibilityTimeout: 60 })
    const properties = await queue.getProperties()
    expect(properties.approximateMessagesCount).toBe(2)
    expect(properties.metadata).toEqual({ owner: 'shop' })
  })

  it('hands a message out, hides it, and hands it out again when it is not deleted', async () => {
    const text = 'a < b && "c" > \'d\' — ä\n{"json":true}'
    const sent = await queue.sendMessage(text)
    const [first] = await receive({ visibilityTimeout: 30 })
    expect(first).toMatchObject({ messageId: sent.messageId, messageText: text, dequeueCount: 1 })
    expect(first?.insertedOn).toEqual(new Date(clock.now))
    expect(first?.expiresOn).toEqual(new Date(clock.now + 7 * 24 * 3600 * 1000))
    expect(first?.nextVisibleOn).toEqual(new Date(clock.now + 30_000))
    seconds(29)
    expect(await receive()).toEqual([])
    seconds(1)
    const [second] = await receive()
    expect(second).toMatchObject({ messageId: sent.messageId, dequeueCount: 2 })
    await expect(queue.deleteMessage(sent.messageId, first?.popReceipt ?? '')).rejects.toMatchObject({
      statusCode: 404,
      code: 'MessageNotFound',
    })
    await queue.deleteMessage(sent.messageId, second?.popReceipt ?? '')
    await expect(queue.deleteMessage(sent.messageId, second?.popReceipt ?? '')).rejects.toMatchObject({
      statusCode: 404,
    })
    seconds(3600)
    expect(await receive()).toEqual([])
  })

  it('lets a late worker delete what nobody took meanwhile', async () => {
    const { messageId } = await queue.sendMessage('x')
    const [taken] = await receive({ visibilityTimeout: 1 })
    seconds(60)
    await queue.deleteMessage(messageId, taken?.popReceipt ?? '')
    expect(await receive()).toEqual([])
  })

  it('delays, orders and batches messages', async () => {
    for (const text of ['late', 'one', 'two', 'three']) {
      await queue.sendMessage(text, text === 'late' ? { visibilityTimeout: 10 } : {})
    }
    const texts = async (numberOfMessages: number) =>
      (await receive({ numberOfMessages, visibilityTimeout: 1000 })).map(({ messageText }) => messageText)
    expect(await texts(2)).toEqual(['one', 'two'])
    expect(await texts(32)).toEqual(['three'])
    seconds(10)
    expect(await texts(32)).toEqual(['late'])
  })

  it('peeks without taking', async () => {
    await queue.sendMessage('x')
    for (let round = 0; round < 2; round++) {
      const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: 5 })
      expect(peekedMessageItems).toMatchObject([{ messageText: 'x', dequeueCount: 0 }])
    }
  })

  it('updates a message: its text, its time, its receipt', async () => {
    const { messageId } = await queue.sendMessage('x')
    const [taken] = await receive({ visibilityTimeout: 30 })
    const updated = await queue.updateMessage(messageId, taken?.popReceipt ?? '', 'y', 100)
    expect(updated.nextVisibleOn).toEqual(new Date(clock.now + 100_000))
    await expect(queue.updateMessage(messageId, taken?.popReceipt ?? '', 'z', 1)).rejects.toMatchObject({
      statusCode: 404,
    })
    seconds(99)
    expect(await receive()).toEqual([])
    const extended = await queue.updateMessage(messageId, updated.popReceipt ?? '', undefined, 0)
    expect(await receive()).toMatchObject([{ messageText: 'y', dequeueCount: 2 }])
    await expect(queue.deleteMessage(messageId, extended.popReceipt ?? '')).rejects.toMatchObject({ statusCode: 404 })
  })

  it('forgets expired messages, and keeps those that never expire', async () => {
    await queue.sendMessage('short', { messageTimeToLive: 60 })
    await queue.sendMessage('for ever', { messageTimeToLive: -1 })
    seconds(60)
    expect((await queue.getProperties()).approximateMessagesCount).toBe(1)
    seconds(365 * 24 * 3600)
    const [kept] = await receive()
    expect(kept?.messageText).toBe('for ever')
    expect(kept?.expiresOn.getUTCFullYear()).toBe(9999)
  })

  it('clears a queue', async () => {
    await queue.sendMessage('x')
    await queue.clearMessages()
    expect((await queue.getProperties()).approximateMessagesCount).toBe(0)
  })

  it('takes 64 KiB and no byte more', async () => {
    await queue.sendMessage('x'.repeat(64 * 1024))
    await expect(queue.sendMessage('x'.repeat(64 * 1024 + 1))).rejects.toMatchObject({
      statusCode: 413,
      code: 'RequestBodyTooLarge',
    })
    expect((await receive())[0]?.messageText).toHaveLength(64 * 1024)
  })

  it('refuses what is out of range or not its own', async () => {
    const refusal = (code: string) => ({ statusCode: 400, code })
    await expect(receive({ numberOfMessages: 33 })).rejects.toMatchObject(refusal('OutOfRangeQueryParameterValue'))
    await expect(receive({ visibilityTimeout: 604_801 })).rejects.toMatchObject(
      refusal('OutOfRangeQueryParameterValue'),
    )
    await expect(queue.sendMessage('x', { messageTimeToLive: 5, visibilityTimeout: 5 })).rejects.toMatchObject(
      refusal('OutOfRangeQueryParameterValue'),
    )
    await expect(queue.sendMessage('\u0000')).rejects.toMatchObject(refusal('InvalidXmlDocument'))
    await expect(running.service.createQueue('Bad_Name')).rejects.toMatchObject(refusal('InvalidResourceName'))
    const one = await queue.sendMessage('one')
    const two = await queue.sendMessage('two')
    await expect(queue.deleteMessage(one.messageId, two.popReceipt)).rejects.toMatchObject(
      refusal('PopReceiptMismatch'),
    )
    await expect(queue.deleteMessage(one.messageId, 'nonsense')).rejects.toMatchObject(
      refusal('InvalidQueryParameterValue'),
    )
  })
})

it('refuses a wrong key, a wrong account, a wrong token and none', async () => {
  const httpClient = storageTransport(makeEmulator())
  const bad = (token: string) => ({ getToken: async () => ({ token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) })
  const url = `https://${account}.queue.core.windows.net`
  for (const [wrong, statusCode, code] of [
    [new StorageSharedKeyCredential(account, Buffer.from('other').toString('base64')), 403, 'AuthenticationFailed'],
    [new StorageSharedKeyCredential('other', key), 403, 'AuthenticationFailed'],
    [bad('bad'), 401, 'InvalidAuthenticationInfo'],
    [undefined, 401, 'NoAuthenticationInformation'],
  ] as const) {
    const service = new QueueServiceClient(url, wrong, { httpClient, retryOptions })
    await expect(service.getQueueClient('queue').create()).rejects.toMatchObject({ statusCode, code })
  }
})
