import { cosmosStore } from '../../../src/adapters/cosmos/cosmos-store.ts'
import { systemClock } from '../../../src/adapters/system-clock.ts'
import { storeContract } from './suite.ts'
import { startVercelCosmos, VERCEL_KEY } from './vercel-cosmos.ts'

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
