import { SANDBOX_SLACK_TOKEN } from './chat-world.ts'
import { cosmosEmulator } from './emulators/cosmos/cosmos.ts'
import type { Emulator, EmulatorContext } from './emulators/emulator.ts'
import { type EntraEmulator, entraEmulator } from './emulators/entra/entra.ts'
import { storageQueueEmulator } from './emulators/storage-queue/storage-queue.ts'
import type { Send } from './host/send.ts'
import { SANDBOX_AUDIENCE, SANDBOX_IDENTITY, SANDBOX_TENANT } from './identities.ts'
import { SANDBOX_SERVICE_PRINCIPAL } from './sandbox-directory.ts'
import { SANDBOX_VAULT } from './sandbox-vault.ts'

/** Keys of the emulated accounts: known to all, good for nothing else. */
export const COSMOS_KEY = Buffer.from('meshwright-sandbox-cosmos-key').toString('base64')
export const QUEUE_ACCOUNT = 'meshwright'
export const QUEUE_KEY = Buffer.from('meshwright-sandbox-queue-key').toString('base64')
export const DATABASE = 'meshwright'
export const SANDBOX_ISSUER = `https://sandbox.invalid/${SANDBOX_TENANT}/v2.0`
/** By which the local host reads queues and the change feed, as Azure's own host does with its identity. */
const HOST_TOKEN = 'sandbox-host'
const TOKEN_LIFETIME_S = 24 * 3600

/** Where Meshwright keeps its state, emulated over one storage. */
export interface StateEmulators {
  readonly cosmos: Emulator
  readonly queues: Emulator
}

/** The Azure services that Meshwright needs, emulated over one storage. */
export interface AzureServices extends StateEmulators {
  readonly entra: EntraEmulator
}

export async function azureServices(context: EmulatorContext): Promise<AzureServices> {
  return { ...stateServices(context), entra: await sandboxEntra(context) }
}

export function stateServices(context: EmulatorContext): StateEmulators {
  return {
    cosmos: cosmosEmulator(context, { key: COSMOS_KEY, acceptToken: (token) => token === HOST_TOKEN }),
    queues: storageQueueEmulator(context, {
      account: QUEUE_ACCOUNT,
      key: QUEUE_KEY,
      acceptToken: (token) => token === HOST_TOKEN,
    }),
  }
}

export function sandboxEntra(context: EmulatorContext): Promise<EntraEmulator> {
  return entraEmulator(context, {
    tenantId: SANDBOX_TENANT,
    issuer: SANDBOX_ISSUER,
    audience: SANDBOX_AUDIENCE,
    lifetimeS: TOKEN_LIFETIME_S,
    identity: SANDBOX_IDENTITY,
  })
}

/** The app's settings that point it at the emulated services. `services` is the base URL of all but the state's. */
export function azureVariables(urls: { cosmos: string; queues: string; services: string }): Record<string, string> {
  return {
    MESHWRIGHT_COSMOS: `AccountEndpoint=${urls.cosmos}/;AccountKey=${COSMOS_KEY};`,
    MESHWRIGHT_COSMOS_DATABASE: DATABASE,
    MESHWRIGHT_QUEUES: `QueueEndpoint=${urls.queues}/${QUEUE_ACCOUNT};AccountName=${QUEUE_ACCOUNT};AccountKey=${QUEUE_KEY};`,
    MESHWRIGHT_CREATE_MISSING: 'true',
    MESHWRIGHT_TENANT_ID: SANDBOX_TENANT,
    MESHWRIGHT_AUDIENCES: SANDBOX_AUDIENCE,
    MESHWRIGHT_ISSUERS: SANDBOX_ISSUER,
    MESHWRIGHT_JWKS_URI: `${urls.services}/entra/discovery/v2.0/keys`,
    MESHWRIGHT_PRIVATE_ADDRESSES: 'allow',
    MESHWRIGHT_EMULATED_AZURE: `${urls.services}/azure`,
    MESHWRIGHT_SLACK_BOT_TOKEN: SANDBOX_SLACK_TOKEN,
    MESHWRIGHT_VAULT: SANDBOX_VAULT,
    MESHWRIGHT_SERVICE_PRINCIPAL_ID: SANDBOX_SERVICE_PRINCIPAL,
    MESHWRIGHT_CLIENT_ID: SANDBOX_IDENTITY.clientId,
    IDENTITY_ENDPOINT: `${urls.services}/msi/token`,
    IDENTITY_HEADER: SANDBOX_IDENTITY.header,
  }
}

/** Variables that would win over those of the sandbox: with them, the app would call what they name. */
export const OVERRULING_VARIABLES = [
  'MESHWRIGHT_COSMOS__accountEndpoint',
  'MESHWRIGHT_QUEUES__queueServiceUri',
  // Service Fabric's and Kubernetes' ways to a managed identity come before that of App Service.
  'IDENTITY_SERVER_THUMBPRINT',
  'AZURE_FEDERATED_TOKEN_FILE',
]

/** The emulated Cosmos DB as the host calls it. */
export function cosmosAsHost(cosmos: Emulator): Send {
  const authorization = encodeURIComponent(`type=aad&ver=1.0&sig=${HOST_TOKEN}`)
  const common = { authorization, 'x-ms-version': '2020-07-15', 'x-ms-date': new Date(0).toUTCString() }
  return (request) => cosmos({ ...request, headers: { ...common, ...request.headers } })
}

/** The emulated queues as the host calls them. */
export function queuesAsHost(queues: Emulator): Send {
  const common = { authorization: `Bearer ${HOST_TOKEN}`, 'x-ms-date': new Date(0).toUTCString() }
  return (request) => queues({ ...request, headers: { ...common, ...request.headers } })
}

/** Makes what infra/ makes in Azure and the app may not: the database and the container of the change feed's leases. */
export async function createLeaseContainer(send: Send, endpoint: string): Promise<void> {
  const create = async (path: string, body: object): Promise<void> => {
    const headers = { 'content-type': 'application/json' }
    const response = await send({
      method: 'POST',
      url: new URL(`${endpoint}/${path}`),
      headers,
      body: new TextEncoder().encode(JSON.stringify(body)),
    })
    if (response.status !== 201 && response.status !== 409)
      throw new Error(`the emulated Cosmos DB answered ${response.status} to ${path}`)
  }
  await create('dbs', { id: DATABASE })
  await create(`dbs/${DATABASE}/colls`, { id: 'leases', partitionKey: { paths: ['/id'], kind: 'Hash' } })
  await create(`dbs/${DATABASE}/colls`, {
    id: 'state',
    partitionKey: { paths: ['/pk'], kind: 'Hash' },
    defaultTtl: -1,
  })
}
