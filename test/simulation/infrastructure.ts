import { CONTAINERS } from '../../src/adapters/cosmos/cosmos-client.ts'
import { DATABASE } from '../../src/sandbox/azure-services.ts'
import type { Emulator } from '../../src/sandbox/emulators/emulator.ts'
import { COSMOS_URL, HOST_AUTHORIZATION, QUEUES_URL, type Surroundings } from './surroundings.ts'

/** Makes database, containers and queues, as infra/ does in Azure. */
export async function createInfrastructure({ cosmos, queues }: Surroundings): Promise<void> {
  await create(cosmos, 'POST', `${COSMOS_URL}/dbs`, HOST_AUTHORIZATION.cosmos, { id: DATABASE })
  for (const container of CONTAINERS) {
    const { partitionKey, ...rest } = container
    const body = { ...rest, partitionKey: { ...(partitionKey as object), kind: 'Hash' } }
    await create(cosmos, 'POST', `${COSMOS_URL}/dbs/${DATABASE}/colls`, HOST_AUTHORIZATION.cosmos, body)
  }
  for (const name of ['urgent', 'work', 'lifecycle'])
    await create(queues, 'PUT', `${QUEUES_URL}/${name}`, HOST_AUTHORIZATION.queues)
}

async function create(emulator: Emulator, method: string, url: string, authorization: string, body?: object) {
  const headers = {
    authorization,
    'x-ms-version': '2020-07-15',
    'x-ms-date': new Date(0).toUTCString(),
    'content-type': 'application/json',
  }
  const bytes = new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body))
  const response = await emulator({ method, url: new URL(url), headers, body: bytes })
  if (response.status !== 201) throw new Error(`${method} ${url} answered ${response.status}`)
}
