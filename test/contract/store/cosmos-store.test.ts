import { cosmosStore } from '../../../src/adapters/cosmos/cosmos-store.ts'
import { systemClock } from '../../../src/adapters/system-clock.ts'
import { cosmosEmulator } from '../../../src/sandbox/emulators/cosmos/cosmos.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { pipelineTransport } from '../../../src/sandbox/transports/pipeline-transport.ts'
import { type OpenedStore, storeContract } from './suite.ts'
import { startVercelCosmos, VERCEL_KEY } from './vercel-cosmos.ts'

const key = Buffer.from('a master key for tests').toString('base64')

/** The SDK merges what several partition key ranges answer, as it does on a large account. */
for (const partitions of [1, 3]) {
  storeContract(`our emulator with partition key ranges: ${partitions}`, async () => onEmulator({ key }, partitions))
}

storeContract('our emulator, signed in by Entra ID', async () => {
  return onEmulator({ getToken: async () => ({ token: 'good', expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) }, 1)
})

storeContract('@vercel/cosmosdb-server', async () => {
  const { endpoint, httpClient, close } = await startVercelCosmos()
  const settings = {
    endpoint,
    database: 'meshwright',
    credential: { key: VERCEL_KEY },
    httpClient,
    createMissing: true,
  }
  return { store: cosmosStore(settings, systemClock()), other: cosmosStore(settings, systemClock()), close }
})

function onEmulator(credential: Parameters<typeof cosmosStore>[0]['credential'], partitions: number): OpenedStore {
  const context = { now: Date.now, random: Math.random, storage: memoryStorage() }
  const emulator = cosmosEmulator(context, { key, partitions, acceptToken: (token) => token === 'good' })
  const settings = {
    endpoint: 'https://cosmos.test',
    database: 'meshwright',
    credential,
    httpClient: pipelineTransport(emulator),
    createMissing: true,
  }
  const open = () => cosmosStore(settings, systemClock())
  return { store: open(), other: open(), close: async () => {} }
}
