import type { TokenCredential } from '@azure/core-auth'
import type { HttpClient } from '@azure/core-rest-pipeline'
import type { Container, ContainerRequest, CosmosClient, CosmosClientOptions } from '@azure/cosmos'

export interface CosmosSettings {
  /** `https://ACCOUNT.documents.azure.com/`. */
  readonly endpoint: string
  readonly database: string
  /** The account's key, or an Entra credential (managed identity). */
  readonly credential: { readonly key: string } | TokenCredential
  /** Carries the requests in place of sockets. */
  readonly httpClient?: HttpClient
  /** Creates database and containers at first use. In Azure the infrastructure does it: data-plane roles may not. */
  readonly createMissing?: boolean
}

export interface CosmosContainers {
  readonly state: Container
  readonly events: Container
  readonly audit: Container
}

const requestTimeoutMs = 5000
const eventsTtlSeconds = 90 * 24 * 3600
const auditTtlSeconds = 400 * 24 * 3600

const order = (path: string) => ({ path, order: 'ascending' as const })

/** The containers as infra/ creates them too. Reading a log in the order of arrival needs the composite index. */
export const CONTAINERS: readonly ContainerRequest[] = [
  // -1: only documents that say so themselves are forgotten.
  { id: 'state', partitionKey: { paths: ['/pk'] }, defaultTtl: -1 },
  {
    id: 'events',
    partitionKey: { paths: ['/pk'] },
    defaultTtl: eventsTtlSeconds,
    indexingPolicy: {
      includedPaths: [{ path: '/*' }],
      excludedPaths: [{ path: '/event/data/*' }],
      compositeIndexes: [[order('/_ts'), order('/id')]],
    },
  },
  {
    id: 'audit',
    partitionKey: { paths: ['/pk'] },
    defaultTtl: auditTtlSeconds,
    indexingPolicy: {
      includedPaths: [{ path: '/*' }],
      excludedPaths: [{ path: '/record/before/*' }, { path: '/record/after/*' }],
      compositeIndexes: [[order('/_ts'), order('/id')]],
    },
  },
]

/**
 * Opens the database. The SDK is loaded here and not before: a call that needs no state does not pay for it.
 * Endpoint discovery is off: there is one write region, each discovery costs a cold start one to three requests, and
 * with it the SDK repeats a read that times out up to 120 times.
 */
export async function openCosmos(settings: CosmosSettings): Promise<CosmosContainers> {
  const { CosmosClient } = await import('@azure/cosmos')
  const client = new CosmosClient(clientOptions(settings))
  if (settings.createMissing) await createContainers(client, settings.database)
  const database = client.database(settings.database)
  const [state, events, audit] = [
    database.container('state'),
    database.container('events'),
    database.container('audit'),
  ]
  return { state, events, audit }
}

export function clientOptions(settings: CosmosSettings): CosmosClientOptions {
  const { endpoint, credential, httpClient } = settings
  return {
    endpoint,
    ...('key' in credential ? { key: credential.key } : { aadCredentials: credential }),
    ...(httpClient === undefined ? {} : { httpClient }),
    consistencyLevel: 'Session',
    connectionPolicy: {
      requestTimeout: requestTimeoutMs,
      enableEndpointDiscovery: false,
      enableBackgroundEndpointRefreshing: false,
      useMultipleWriteLocations: false,
      retryOptions: { maxRetryAttemptCount: 3, maxWaitTimeInSeconds: 5, fixedRetryIntervalInMilliseconds: 0 },
    },
    userAgentSuffix: 'meshwright',
  }
}

async function createContainers(client: CosmosClient, name: string): Promise<void> {
  const { database } = await client.databases.createIfNotExists({ id: name })
  for (const container of CONTAINERS) await database.containers.createIfNotExists(container)
}
