import { type Container, CosmosClient, type CosmosClientOptions } from '@azure/cosmos'
import { beforeEach } from 'vitest'
import { cosmosEmulator } from '../../../../../src/sandbox/emulators/cosmos/cosmos.ts'
import type {
  Emulator,
  EmulatorRequest,
  EmulatorResponse,
  Storage,
} from '../../../../../src/sandbox/emulators/emulator.ts'
import { memoryStorage } from '../../../../../src/sandbox/storage.ts'
import { pipelineTransport } from '../../../../../src/sandbox/transports/pipeline-transport.ts'
import { throughWire } from '../../../../../src/sandbox/transports/wire.ts'

export const key = Buffer.from('master key').toString('base64')
export const start = Date.UTC(2030, 0, 1)

/** What a test works on; made anew before each. */
export const at = {} as {
  clock: number
  storage: Storage
  emulator: Emulator
  requests: EmulatorRequest[]
  container: Container
}

export function make(partitions = 1): Emulator {
  const context = { now: () => at.clock, random: () => 0.5, storage: at.storage }
  return cosmosEmulator(context, { key, partitions, acceptToken: (token) => token === 'good' })
}

export function connect(to: Emulator, options: Partial<CosmosClientOptions> = {}): CosmosClient {
  const recorded = throughWire(to, (request, deliver) => {
    at.requests.push(request)
    return deliver()
  })
  return new CosmosClient({
    endpoint: 'https://cosmos.test',
    key,
    httpClient: pipelineTransport(recorded),
    connectionPolicy: { enableEndpointDiscovery: false, enableBackgroundEndpointRefreshing: false },
    ...options,
  })
}

export async function open(to: Emulator, id: string, definition = {}): Promise<Container> {
  const { database } = await connect(to).databases.createIfNotExists({ id: 'db' })
  const made = await database.containers.createIfNotExists({ id, partitionKey: { paths: ['/pk'] }, ...definition })
  return made.container
}

/** A request past the SDK, with an Entra token. */
export function raw(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  body = '',
): Promise<EmulatorResponse> {
  const authorization = encodeURIComponent('type=aad&ver=1.0&sig=good')
  const url = new URL(path, 'https://cosmos.test')
  return at.emulator({ method, url, headers: { authorization, ...headers }, body: new TextEncoder().encode(body) })
}

beforeEach(async () => {
  at.clock = start
  at.requests = []
  at.storage = memoryStorage()
  at.emulator = make()
  at.container = await open(at.emulator, 'state')
})
