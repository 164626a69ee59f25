import type { TokenCredential } from '@azure/core-auth'
import type { HttpClient } from '@azure/core-rest-pipeline'
import type { IHttpClient } from '@azure/storage-queue'
import type { HttpLibrary } from '@kubernetes/client-node'
import type { Azure } from './adapters/azure.ts'
import { emulatedFetch, emulatedHttpClient } from './adapters/azure-http.ts'
import { cosmosStore } from './adapters/cosmos/cosmos-store.ts'
import type { Fetch } from './adapters/http-answer.ts'
import type { LogSink } from './adapters/json-logger.ts'
import { kubernetesClusters } from './adapters/kubernetes/cluster-apis.ts'
import { managedIdentity } from './adapters/managed-identity.ts'
import type { MessengerSettings } from './adapters/messenger.ts'
import { once } from './adapters/once.ts'
import type { Lookup, OutsideAddresses } from './adapters/outside-address.ts'
import { relayingStore } from './adapters/relaying-store.ts'
import { sharingReads } from './adapters/shared-reads.ts'
import { storageWorkQueue } from './adapters/storage-work-queue.ts'
import { withTokenDeadline } from './adapters/token-deadline.ts'
import { tracedAzure, tracedFetch } from './adapters/traced-http.ts'
import { tracedQueue } from './adapters/traced-queue.ts'
import { logEvent } from './log/event-kept.ts'
import type { Witness } from './log/witness.ts'
import { optional } from './optional.ts'
import type { Clock } from './ports/clock.ts'
import type { ClusterApis } from './ports/cluster-api.ts'
import type { Directory } from './ports/directory.ts'
import type { Handshakes, PodHandshakes } from './ports/handshake.ts'
import type { ManagedClusters } from './ports/managed-clusters.ts'
import type { Messenger } from './ports/messenger.ts'
import { PortError } from './ports/port-error.ts'
import type { Random } from './ports/random.ts'
import type { Store } from './ports/store.ts'
import { NO_TELEMETRY, type Telemetry } from './ports/telemetry.ts'
import type { Vaults } from './ports/vault.ts'
import type { Webhooks } from './ports/webhooks.ts'
import type { WorkQueue } from './ports/work-queue.ts'
import type { Settings } from './settings.ts'

/** In place of the outside: transports without sockets, a virtual clock, seeded chance. */
export interface Overrides {
  readonly clock?: Clock
  readonly random?: Random
  readonly cosmosHttp?: HttpClient
  readonly queueHttp?: IHttpClient
  readonly kubernetesHttp?: HttpLibrary
  /** Carries the requests of the SDKs of ARM, Key Vault and Azure Monitor. */
  readonly azureHttp?: HttpClient
  readonly credential?: TokenCredential
  readonly fetch?: Fetch
  readonly lookup?: Lookup
  /** Looks at gateways from outside. */
  readonly handshakes?: Handshakes
  /** Looks at Pods from within their network. */
  readonly podHandshakes?: PodHandshakes
  readonly logSink?: LogSink
  /** Who is told of spans and metrics; nobody when left out. */
  readonly telemetry?: Telemetry
}

/** The ways to clusters, by context of the kubeconfig and by ARM id. */
export function openClusters(
  { kubeconfig, emulatedAzure }: Settings,
  { kubernetesHttp }: Overrides,
  { credential }: Azure,
  managed: ManagedClusters,
  clock: Clock,
): ClusterApis {
  return kubernetesClusters(
    {
      aks: { managed, credential, emulated: emulatedAzure !== undefined },
      ...optional('kubeconfig', kubeconfig),
      ...optional('http', kubernetesHttp),
    },
    clock,
  )
}

/** Who we are in Azure and what carries requests there; in the local host, to the emulators. */
export function openAzure(settings: Settings, overrides: Overrides, telemetry: Telemetry, clock: Clock): Azure {
  const { emulatedAzure, clientId } = settings
  const fetch = overrides.fetch ?? globalThis.fetch
  const httpClient =
    overrides.azureHttp ?? (emulatedAzure === undefined ? undefined : emulatedHttpClient(emulatedAzure))
  const azure = {
    credential: withTokenDeadline(overrides.credential ?? managedIdentity(clientId), clock),
    ...(httpClient ? { httpClient } : {}),
    fetch: emulatedAzure === undefined ? fetch : emulatedFetch(emulatedAzure, fetch),
  }
  return telemetry === NO_TELEMETRY ? azure : tracedAzure(azure, telemetry)
}

/** Who people in chat are; without our enterprise application in the settings, nobody is known. */
export function openDirectory({ servicePrincipalId }: Settings, azure: Azure, clock: Clock): Directory {
  if (servicePrincipalId === undefined) return { person: async () => undefined }
  const opened = once(async () => {
    const { graphDirectory } = await import('./adapters/graph/graph-directory.ts')
    return graphDirectory(azure, servicePrincipalId, clock)
  })
  return { person: async (objectId) => (await opened()).person(objectId) }
}

/** Documents and queues; what a write asks for is sent on by its writer. */
export function openState(
  settings: Settings,
  overrides: Overrides,
  { clock, identity, witness }: { clock: Clock; identity: TokenCredential; witness: Witness },
): { store: Store; queue: WorkQueue } {
  const { endpoint, database, key } = settings.cosmos
  const plain = cosmosStore(
    {
      endpoint,
      database,
      credential: key === undefined ? identity : { key },
      createMissing: settings.createMissing,
      ...(overrides.cosmosHttp ? { httpClient: overrides.cosmosHttp } : {}),
    },
    clock,
  )
  const { url, account, key: queueKey } = settings.queues
  const untraced = storageWorkQueue(
    {
      url,
      credential: account === undefined || queueKey === undefined ? identity : { account, key: queueKey },
      createMissing: settings.createMissing,
      ...(overrides.queueHttp ? { httpClient: overrides.queueHttp } : {}),
    },
    clock,
  )
  const queue = tracedQueue(untraced, witness.telemetry)
  const store = sharingReads(plain, clock)
  return { store: relayingStore(store, queue, clock, (event) => logEvent(witness, event)), queue }
}

/** What is sent to people; loaded at the first message. */
export function openMessenger(settings: MessengerSettings, clock: Clock): Messenger {
  const opened = once(async () => (await import('./adapters/messenger.ts')).messenger(settings, clock))
  return { send: async (message) => (await opened()).send(message) }
}

/** The call of webhooks by steps; loaded at the first. It checks what it connects to, for those who start rollouts name the addresses. */
export function openWebhooks(
  {
    addresses,
    secret,
    lookup,
  }: { addresses: OutsideAddresses; secret: (name: string) => Promise<string>; lookup: Lookup },
  { fetch }: Overrides,
  clock: Clock,
  telemetry: Telemetry,
): Webhooks {
  const opened = once(async () => {
    const [{ webhookCaller }, { guardedFetch }] = await Promise.all([
      import('./adapters/webhook-caller.ts'),
      import('./adapters/guarded-fetch.ts'),
    ])
    const carrier = fetch ?? guardedFetch(addresses, lookup)
    return webhookCaller({ fetch: tracedFetch(carrier, telemetry), addresses, secret }, clock)
  })
  return { call: async (request) => (await opened()).call(request) }
}

/** The secrets of the default vault: addresses of Teams webhooks, keys that sign calls. */
export function vaultSecrets(vaults: Vaults, vault: string | undefined): (name: string) => Promise<string> {
  return async (name) => {
    if (vault === undefined)
      throw new PortError('invalid', 'Key Vault', 'the settings name no vault (MESHWRIGHT_VAULT)', {
        reason: 'NoVault',
      })
    return (await vaults.open(vault).secret(name)).value
  }
}
