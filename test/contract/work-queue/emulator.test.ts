import { QueueServiceClient, StorageSharedKeyCredential } from '@azure/storage-queue'
import { describe, expect, it } from 'vitest'
import { storageWorkQueue } from '../../../src/adapters/storage-work-queue.ts'
import { systemClock } from '../../../src/adapters/system-clock.ts'
import { storageQueueEmulator } from '../../../src/sandbox/emulators/storage-queue/storage-queue.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { storageTransport } from '../../../src/sandbox/transports/storage-transport.ts'
import { workQueueContract } from './suite.ts'

const account = 'meshwright'
const key = Buffer.from('a storage key for tests').toString('base64')
const url = `https://${account}.queue.core.windows.net`
const token = { getToken: async () => ({ token: 'good', expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) }

for (const credential of [{ account, key }, token]) {
  workQueueContract(`the emulator, signed in by ${'key' in credential ? 'key' : 'Entra ID'}`, async () => {
    const { httpClient, pass } = emulated()
    const service = new QueueServiceClient(url, new StorageSharedKeyCredential(account, key), { httpClient })
    return {
      queue: storageWorkQueue({ url, credential, httpClient, createMissing: true }, systemClock()),
      async take(name) {
        const queue = service.getQueueClient(name)
        const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 })
        for (const { messageId, popReceipt } of receivedMessageItems) await queue.deleteMessage(messageId, popReceipt)
        return receivedMessageItems.map(({ messageText }) => messageText)
      },
      pass,
      close: async () => {},
    }
  })
}

describe('a work queue that is not there', () => {
  it('is not made unless that was asked for', async () => {
    const { httpClient } = emulated()
    const queue = storageWorkQueue({ url, credential: { account, key }, httpClient }, systemClock())
    const failure = await queue.send('work', { kind: 'probe', cluster: 'east' }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'PortError', kind: 'not-found', reason: 'QueueNotFound' })
  })

  it('refuses a wrong key', async () => {
    const { httpClient } = emulated()
    const credential = { account, key: Buffer.from('another key').toString('base64') }
    const queue = storageWorkQueue({ url, credential, httpClient }, systemClock())
    await expect(queue.send('work', { kind: 'probe', cluster: 'east' })).rejects.toMatchObject({ kind: 'denied' })
  })
})

function emulated() {
  let now = Date.UTC(2030, 0, 1)
  const context = { now: () => now, random: () => 0, storage: memoryStorage() }
  const options = { account, key, acceptToken: (sent: string) => sent === 'good' }
  return {
    httpClient: storageTransport(storageQueueEmulator(context, options)),
    pass: async (durationMs: number) => {
      now += durationMs
    },
  }
}
