import { COSMOS_KEY, DATABASE, QUEUE_ACCOUNT, QUEUE_KEY, SANDBOX_ISSUER } from '../../src/sandbox/azure-services.ts'
import {
  CLUSTER_TOKEN,
  type EmulatedCluster,
  emulatedCluster,
  emulatedKubernetes,
  routeObjects,
} from '../../src/sandbox/emulated-cluster.ts'
import { armEmulator } from '../../src/sandbox/emulators/arm/arm.ts'
import { newManagedCluster } from '../../src/sandbox/emulators/arm/managed-cluster.ts'
import { cosmosEmulator } from '../../src/sandbox/emulators/cosmos/cosmos.ts'
import type { Emulator, EmulatorContext, Storage } from '../../src/sandbox/emulators/emulator.ts'
import { type EntraEmulator, entraEmulator } from '../../src/sandbox/emulators/entra/entra.ts'
import type { SeedObject } from '../../src/sandbox/emulators/kubernetes/seed.ts'
import { storageQueueEmulator } from '../../src/sandbox/emulators/storage-queue/storage-queue.ts'
import { SANDBOX_AUDIENCE, SANDBOX_TENANT } from '../../src/sandbox/identities.ts'
import { SANDBOX_VAULT } from '../../src/sandbox/sandbox-vault.ts'
import { memoryStorage } from '../../src/sandbox/storage.ts'
import { ConnectionError } from '../../src/sandbox/transports/wire.ts'
import { istioRoutes } from '../../src/sandbox/world/istio-routes.ts'
import { createWorld, type World } from '../../src/sandbox/world/world.ts'
import type { Settings } from '../../src/settings.ts'
import { identityEndpoint, isToken, TOKEN_MARK } from './app-tokens.ts'
import { AZURE_SECRETS, AZURE_SETTINGS, type AzureSide, createAzureSide } from './azure-side.ts'
import { gatewayObjects } from './gateways.ts'
import { type MeshHabits, type MeshSide, meshSide } from './mesh-side.ts'
import { PERSONS, type Person } from './persons.ts'
import { loadLazyModules } from './steady-modules.ts'
import { createKeyRing, createVaultSide, type KeyRing, type VaultSide, WEBHOOK_KEY } from './vault-side.ts'
import { createReceivers, type Receivers, WEBHOOK_HOST } from './webhook-receivers.ts'

/** By which the host reads the change feed. */
const HOST_TOKEN = 'simulation-host'
/** 1 March 2026: when every run begins. */
export const START_MS = Date.UTC(2026, 2, 1)
const YEAR_S = 365 * 24 * 3600

/** Everything around the app: Azure's services, clusters and their traffic, emulated. */
export interface Surroundings {
  readonly storage: Storage
  readonly cosmos: Emulator
  readonly queues: Emulator
  readonly entra: Emulator
  readonly clusters: ReadonlyMap<string, EmulatedCluster>
  readonly world: World
  /** The mesh of each cluster with istiod as its CA; only in stories of mesh CAs. */
  readonly meshes?: ReadonlyMap<string, MeshSide>
  /** Clusters are registered by ARM id, and this is the Azure that knows them; absent: by kubeconfig. */
  readonly arm?: Emulator
  /** Gives the app's identity its tokens. */
  readonly identity: Emulator
  readonly vault: VaultSide
  /** What steps ask by webhooks. */
  readonly receivers: Receivers
  /** Certificates in the vault, and chats: only in stories of certificates. */
  readonly azure?: AzureSide
}

/** Keys and tokens of the tenant: made once a process, for making keys takes long and is never the same. */
export interface Tenant {
  readonly entra: EntraEmulator
  readonly tokens: Readonly<Record<Person, string>>
  readonly ring: KeyRing
}

/** What else a run has around it. */
export interface Parts {
  /** Clusters are registered by ARM id. */
  readonly byArmId?: boolean
  /** Every cluster has an istiod that takes its CA from the vault, with these habits. */
  readonly meshCa?: MeshHabits | undefined
  /** Issuers of the vault take so long; absent: there are no certificates, and no chat. */
  readonly issueMs?: number | undefined
}

export async function createTenant(): Promise<Tenant> {
  await loadLazyModules()
  const context = { now: () => START_MS, random: () => 0, storage: memoryStorage() }
  const options = { tenantId: SANDBOX_TENANT, issuer: SANDBOX_ISSUER, audience: SANDBOX_AUDIENCE, lifetimeS: YEAR_S }
  const entra = await entraEmulator(context, options)
  const people = Object.entries(PERSONS)
  const tokens = await Promise.all(people.map(async ([name, who]) => [name, await entra.issueToken(who)] as const))
  return { entra, tokens: Object.fromEntries(tokens) as Tenant['tokens'], ring: await createKeyRing() }
}

export async function createSurroundings(
  context: EmulatorContext,
  names: readonly string[],
  tenant: Tenant,
  { byArmId = false, issueMs, meshCa }: Parts,
): Promise<Surroundings> {
  const accepts = (audience: string) => (token: string) =>
    token === HOST_TOKEN || isToken(token, audience, context.now())
  const clusters = new Map<string, EmulatedCluster>()
  const meshes = new Map<string, MeshSide>()
  const world = createWorld({
    ...context,
    routes: istioRoutes(routeObjects(clusters)),
    scrapeIntervalMs: 2000,
    propagationMs: 300,
    retentionMs: 600_000,
    moreMetrics: (name) => (meshCa?.tells ? meshes.get(name)?.istiod.metrics : undefined),
  })
  for (const name of names) {
    const kubernetes = emulatedKubernetes(context, name, (token) => isToken(token, AKS, context.now()))
    if (issueMs !== undefined) kubernetes.seed(gatewayObjects(name) as readonly SeedObject[])
    if (meshCa) meshes.set(name, meshSide(context, kubernetes, name, meshCa))
    clusters.set(name, emulatedCluster(world, name, kubernetes, context.now, refuse))
  }
  const vault = await createVaultSide(context, tenant.ring, issueMs ?? 0)
  return {
    storage: context.storage,
    cosmos: cosmosEmulator(context, { key: COSMOS_KEY, acceptToken: accepts(COSMOS_URL) }),
    queues: storageQueueEmulator(context, { account: QUEUE_ACCOUNT, key: QUEUE_KEY, acceptToken: accepts(STORAGE) }),
    entra: tenant.entra.handle,
    clusters,
    world,
    ...(meshCa ? { meshes } : {}),
    identity: identityEndpoint(context.now),
    ...(byArmId ? { arm: armOf(context, names) } : {}),
    vault,
    receivers: createReceivers(context),
    ...(issueMs === undefined ? {} : { azure: await createAzureSide({ ...context, world }, vault) }),
  }
}

function armOf(context: EmulatorContext, names: readonly string[]): Emulator {
  const acceptToken = async (token: string) => isToken(token, 'https://management.azure.com', context.now())
  const arm = armEmulator(context, { tenantId: SANDBOX_TENANT, acceptToken })
  for (const name of names) {
    arm.put(newManagedCluster({ id: clusterId(name), server: `https://${kubernetesHost(name)}:443`, caData: 'QQ==' }))
  }
  return arm.handle
}

function refuse(): never {
  throw new ConnectionError('ECONNREFUSED')
}

export const COSMOS_URL = 'https://cosmos.test'
export const QUEUES_URL = `https://queues.test/${QUEUE_ACCOUNT}`

export function kubernetesHost(cluster: string): string {
  return `${cluster}.hcp.test.azmk8s.io`
}

/** Its ARM id. */
export function clusterId(cluster: string): string {
  return `/subscriptions/00000000-dddd-4000-8000-000000000001/resourceGroups/simulation/providers/Microsoft.ContainerService/managedClusters/${cluster}`
}

const STORAGE = 'https://storage.azure.com'

/** AKS's server application: for whom tokens of clusters are. */
const AKS = '6dae42f8-4368-4678-94ff-3960e28e3630'

/** Where a cluster's metrics are, as its registration names it. */
export function prometheusUrl(cluster: string): string {
  return `https://${cluster}.prometheus.test`
}

/** The settings of every instance. */
export function settingsFor(clusters: readonly string[], withAzure: boolean): Settings {
  return {
    // By the identity, as in Azure; signing each request with a key would be a tenth of a run.
    cosmos: { endpoint: COSMOS_URL, database: DATABASE },
    queues: { url: QUEUES_URL },
    createMissing: false,
    auth: {
      tenantId: SANDBOX_TENANT,
      audiences: [SANDBOX_AUDIENCE],
      issuers: [SANDBOX_ISSUER],
      jwksUri: 'https://entra.test/discovery/v2.0/keys',
    },
    kubeconfig: { text: kubeconfig(clusters), folder: '/' },
    outside: { hosts: [WEBHOOK_HOST], privateAddresses: true },
    caps: { perCluster: 10, inAll: 30 },
    settleMs: 5000,
    telemetry: false,
    hooks: { slack: [], teams: [], alerts: [], keyVault: [] },
    vaultUrl: SANDBOX_VAULT,
    ...(withAzure ? AZURE_SETTINGS : {}),
  }
}

function kubeconfig(names: readonly string[]): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: names.map((name) => ({ name, cluster: { server: `https://${kubernetesHost(name)}` } })),
    users: [{ name: 'meshwright', user: { token: CLUSTER_TOKEN } }],
    contexts: names.map((name) => ({ name, context: { cluster: name, user: 'meshwright' } })),
    'current-context': names[0],
  })
}

/** What must never be seen in a log, an event or a document. */
export function secretsOf(tenant: Tenant): readonly string[] {
  const keys = [COSMOS_KEY, QUEUE_KEY, CLUSTER_TOKEN, TOKEN_MARK, WEBHOOK_KEY]
  return [...keys, ...AZURE_SECRETS, ...Object.values(tenant.tokens)]
}

/** The database and container of documents, as the host's change feed names them. */
export const FEED_PATH = `${COSMOS_URL}/dbs/${DATABASE}/colls/state/docs`
export const HOST_AUTHORIZATION = {
  cosmos: encodeURIComponent(`type=aad&ver=1.0&sig=${HOST_TOKEN}`),
  queues: `Bearer ${HOST_TOKEN}`,
}
