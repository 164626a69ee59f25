import type { TokenCredential } from '@azure/core-auth'
import type { HttpClient } from '@azure/core-rest-pipeline'
import type { IHttpClient } from '@azure/storage-queue'
import type { HttpLibrary } from '@kubernetes/client-node'
import { armManagedClusters } from './adapters/arm/managed-clusters.ts'
import type { Azure } from './adapters/azure.ts'
import { emulatedFetch, emulatedHttpClient } from './adapters/azure-http.ts'
import { cosmosStore } from './adapters/cosmos/cosmos-store.ts'
import { countedMessenger } from './adapters/counted-messenger.ts'
import { entraKeys } from './adapters/entra-keys.ts'
import type { Exporters } from './adapters/exporters.ts'
import type { Fetch } from './adapters/http-answer.ts'
import { jsonLogger, type LogSink } from './adapters/json-logger.ts'
import { keyVaults } from './adapters/key-vault/key-vaults.ts'
import { kubernetesClusters } from './adapters/kubernetes/cluster-apis.ts'
import { tracedClusters } from './adapters/kubernetes/traced-clusters.ts'
import { managedIdentity } from './adapters/managed-identity.ts'
import type { MessengerSettings } from './adapters/messenger.ts'
import { metricsSources } from './adapters/metrics-sources.ts'
import { type Lookup, outsideAddresses, systemLookup } from './adapters/outside-address.ts'
import { relayingStore } from './adapters/relaying-store.ts'
import { storageWorkQueue } from './adapters/storage-work-queue.ts'
import { systemClock } from './adapters/system-clock.ts'
import { systemRandom } from './adapters/system-random.ts'
import type { Flush } from './adapters/telemetry-export.ts'
import { tlsHandshakes } from './adapters/tls-handshake.ts'
import { tracedAzure } from './adapters/traced-http.ts'
import { tracedQueue } from './adapters/traced-queue.ts'
import type { NotifyDeps } from './chat/notify.ts'
import type { ClusterWorkDeps, WorkDeps } from './handle-work.ts'
import type { HttpDeps } from './http/http-deps.ts'
import type { HttpRequest, HttpResponse } from './http/message.ts'
import { logEvent } from './log/event-kept.ts'
import { logScan } from './log/scan-ended.ts'
import { logSweep } from './log/sweep-ended.ts'
import type { Witness } from './log/witness.ts'
import { observeWork } from './log/work-observed.ts'
import type { Clock } from './ports/clock.ts'
import type { ClusterApis } from './ports/cluster-api.ts'
import type { Directory } from './ports/directory.ts'
import type { Handshakes } from './ports/handshake.ts'
import type { Logger } from './ports/logger.ts'
import type { ManagedClusters } from './ports/managed-clusters.ts'
import type { Messenger } from './ports/messenger.ts'
import { PortError } from './ports/port-error.ts'
import type { Random } from './ports/random.ts'
import type { Store } from './ports/store.ts'
import { NO_TELEMETRY, type Telemetry } from './ports/telemetry.ts'
import type { Vaults } from './ports/vault.ts'
import type { WorkQueue } from './ports/work-queue.ts'
import { rolesOfProcess } from './roles.ts'
import { loadSettings, type Settings } from './settings.ts'

export { type Flush, loadSettings }

/** What triggers may ask of the product. Every one is safe to call again with the same input. */
export interface App {
  /** Answers an HTTP request; never throws. */
  http(request: HttpRequest): Promise<HttpResponse>
  /** Does what a queue message asks; throws when another try is wanted. */
  work(message: unknown): Promise<void>
  /** Relays what the change feed shows to be left in outboxes. */
  feed(documents: readonly unknown[]): Promise<void>
  /** Queues whatever is due. */
  sweep(): Promise<void>
  /** Queues a probe and a comparison of every cluster. */
  resync(): Promise<void>
  /** Compares the certificates of every vault with what is known of them. */
  scan(): Promise<void>
}

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
  readonly logSink?: LogSink
  /** Who is told of spans and metrics; nobody when left out. */
  readonly telemetry?: Telemetry
}

/** Everything of one process, wired once. Throws SettingsError. Rooms that a call does not need are not loaded. */
export function createApp(settings: Settings = loadSettings(), overrides: Overrides = {}): App {
  const clock = overrides.clock ?? systemClock()
  const random = overrides.random ?? systemRandom()
  const telemetry = overrides.telemetry ?? NO_TELEMETRY
  const logger = jsonLogger(overrides.logSink ?? standardError, clock, {
    ...optional('least', settings.logLevel),
    about: () => traceFields(telemetry),
  })
  const witness: Witness = { logger, telemetry }
  const azure = openAzure(settings, overrides, telemetry)
  const { fetch } = azure
  const { store, queue } = openState(settings, overrides, { clock, identity: azure.credential, witness })
  const addresses = outsideAddresses(
    { hosts: settings.outside.hosts, allowPrivate: settings.outside.privateAddresses },
    overrides.lookup ?? systemLookup,
  )
  const managedClusters = armManagedClusters(azure, clock)
  const clusters = tracedClusters(openClusters(settings, overrides, azure, managedClusters, clock), telemetry)
  const { prometheusUrl } = settings
  const metrics = metricsSources(
    { azure, addresses, ...(prometheusUrl === undefined ? {} : { defaultUrl: prometheusUrl }) },
    clock,
  )
  const vaults = keyVaults(azure, clock)
  const handshakes = overrides.handshakes ?? tlsHandshakes(addresses)
  const certificates = { vaults, handshakes, ...optional('vaultUrl', settings.vaultUrl) }
  const notify = {
    messenger: countedMessenger(
      openMessenger({ fetch, addresses, ...optional('slackToken', settings.slackToken) }, clock),
      telemetry,
    ),
    webhook: webhooks(vaults, settings.vaultUrl),
    ...optional('publicUrl', settings.publicUrl),
  }
  const { caps, settleMs } = settings
  const core = {
    ...{ store, clock, random, clusters, managedClusters, metrics, caps, settleMs },
    ...witness,
    ...notify,
    ...certificates,
  }
  const carried = carriers(core, logger, rolesOfProcess().includes('work'))
  const work: WorkDeps = {
    ...core,
    ...carried,
    directory: openDirectory(settings, azure, clock),
  }
  const [issuer = ''] = settings.auth.issuers
  const tokenKeys = entraKeys({ issuer, jwksUri: settings.auth.jwksUri, fetch }, clock)
  const http: HttpDeps = {
    ...work,
    addresses,
    tokenKeys,
    auth: settings.auth,
    logger,
    ...carried,
    hooks: settings.hooks,
    queue,
  }
  return triggers({ work, http, store, queue, clock, ...witness })
}

interface Parts extends Witness {
  readonly work: WorkDeps
  readonly http: HttpDeps
  readonly store: Store
  readonly queue: WorkQueue
  readonly clock: Clock
}

function triggers({ work, http, store, queue, clock, logger, telemetry }: Parts): App {
  return {
    async http(request) {
      const { handle } = await import('./http/handle.ts')
      return handle(http, request)
    },
    async work(message) {
      const [{ parseWorkMessage }, { handleWork }] = await Promise.all([
        import('./work-message.ts'),
        import('./handle-work.ts'),
      ])
      const parsed = parseWorkMessage(message)
      if (!parsed) return logger.log('error', 'work.unreadable', { message: String(message).slice(0, 200) })
      return observeWork({ logger, telemetry, clock }, parsed, () => handleWork(work, parsed))
    },
    async feed(documents) {
      const { relayFeed } = await import('./relay-feed.ts')
      return telemetry.span('feed', { 'meshwright.documents': documents.length }, () => relayFeed(store, documents))
    },
    async sweep() {
      const { sweep } = await import('./sweep.ts')
      logSweep({ logger, telemetry }, await telemetry.span('sweep', {}, () => sweep({ store, queue, clock })))
    },
    async resync() {
      const { enumerateClusters } = await import('./sweep.ts')
      await telemetry.span('resync', {}, () => enumerateClusters({ store, queue, clock }))
    },
    async scan() {
      const { scanCertificates } = await import('./certificates/scan-certificates.ts')
      const found = await telemetry.span('scan', {}, () => scanCertificates({ ...work, queue }))
      logScan({ logger, telemetry }, found, clock.now())
    },
  }
}

/** The ways to clusters, by context of the kubeconfig and by ARM id. */
function openClusters(
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
function openAzure(settings: Settings, overrides: Overrides, telemetry: Telemetry): Azure {
  const { emulatedAzure, clientId } = settings
  const fetch = overrides.fetch ?? globalThis.fetch
  const httpClient =
    overrides.azureHttp ?? (emulatedAzure === undefined ? undefined : emulatedHttpClient(emulatedAzure))
  const azure = {
    credential: overrides.credential ?? managedIdentity(clientId),
    ...(httpClient ? { httpClient } : {}),
    fetch: emulatedAzure === undefined ? fetch : emulatedFetch(emulatedAzure, fetch),
  }
  return telemetry === NO_TELEMETRY ? azure : tracedAzure(azure, telemetry)
}

/** Who people in chat are; without our enterprise application in the settings, nobody is known. */
function openDirectory({ servicePrincipalId }: Settings, azure: Azure, clock: Clock): Directory {
  let opened: Promise<Directory> | undefined
  return {
    async person(objectId) {
      if (servicePrincipalId === undefined) return undefined
      opened ??= import('./adapters/graph/graph-directory.ts').then(({ graphDirectory }) =>
        graphDirectory(azure, servicePrincipalId, clock),
      )
      return (await opened).person(objectId)
    },
  }
}

function openState(
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
  return { store: relayingStore(plain, queue, clock, (event) => logEvent(witness, event)), queue }
}

/**
 * What an HTTP call may have done on clusters at once. It never fails the call: the queue has the same work. An app
 * without the role `work` leaves it to the queue, for its identity may have no rights on clusters.
 */
function carriers(
  work: ClusterWorkDeps,
  logger: Logger,
  writesClusters: boolean,
): Pick<HttpDeps, 'carryOut' | 'advance' | 'plan' | 'rotate'> {
  return {
    async carryOut(service, cluster, session) {
      if (!writesClusters) return
      const { reconcileObserved } = await import('./reconcile-observed.ts')
      await reconcileObserved(work, { service, cluster, ...(session === undefined ? {} : { session }) }).catch(
        (error: unknown) => logger.log('warn', 'reconcile.in-call-failed', { service, cluster, error: String(error) }),
      )
    },
    async advance(service, session) {
      if (!writesClusters) return
      const { advanceRollouts } = await import('./rollouts/advance-rollouts.ts')
      await advanceRollouts(work, service, session).catch((error: unknown) =>
        logger.log('warn', 'advance.in-call-failed', { service, error: String(error) }),
      )
    },
    async plan(service, cluster) {
      const { planPlacement } = await import('./reconcile/plan.ts')
      return planPlacement(work, service, cluster)
    },
    async rotate(name, note, context) {
      const { rotateForPerson } = await import('./certificates/rotate-certificate.ts')
      return rotateForPerson(work, name, note, context)
    },
  }
}

/** What is sent to people; loaded at the first message. */
function openMessenger(settings: MessengerSettings, clock: Clock): Messenger {
  let opened: Promise<Messenger> | undefined
  return {
    async send(message) {
      opened ??= import('./adapters/messenger.ts').then(({ messenger }) => messenger(settings, clock))
      await (await opened).send(message)
    },
  }
}

/** Addresses of Teams webhooks are secrets of the default vault. */
function webhooks(vaults: Vaults, vault: string | undefined): NotifyDeps['webhook'] {
  return async (secret) => {
    if (vault === undefined)
      throw new PortError('invalid', 'Key Vault', 'the settings name no vault', { reason: 'NoVault' })
    return (await vaults.open(vault).secret(secret)).value
  }
}

function optional<K extends string, V>(name: K, value: V | undefined): { readonly [key in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in K]?: V }
}

/** For the lines of logs: the trace that they belong to, where there is one. */
function traceFields(telemetry: Telemetry): { readonly traceId?: string } {
  const traceId = telemetry.traceparent()?.split('-')[1]
  return traceId === undefined ? {} : { traceId }
}

/** The adapter of OpenTelemetry, for who has registered an SDK in this process. */
export async function loadTelemetry(): Promise<Telemetry> {
  const { openTelemetry } = await import('./adapters/open-telemetry.ts')
  return openTelemetry()
}

/** What startTelemetry has registered: how an app tells of itself, and how that is sent. */
export interface Telling {
  readonly overrides: Required<Pick<Overrides, 'telemetry' | 'logSink'>>
  readonly flush: Flush
}

/**
 * Registers OpenTelemetry in this process when the settings say where to export to; log lines are exported besides being
 * written. Undefined when there is nowhere: nothing of it is loaded then.
 */
export async function startTelemetry(
  settings: Settings,
  { azureHttp, credential }: Pick<Overrides, 'azureHttp' | 'credential'> = {},
): Promise<Telling | undefined> {
  if (!settings.telemetry) return undefined
  const { otlp, applicationInsights: insights } = settings.telemetry
  const exporters: Exporters[] = []
  const failed = firstTime((error) => {
    jsonLogger(standardError, systemClock()).log('warn', 'telemetry.not-exported', { error })
  })
  if (otlp) exporters.push((await import('./adapters/otlp-exporters.ts')).otlpExporters())
  if (insights) {
    const { applicationInsights } = await import('./adapters/application-insights.ts')
    const identity = insights.identity && (credential ?? managedIdentity(insights.identity.clientId))
    const { connectionString } = insights
    const options = { ...optional('credential', identity), ...optional('httpClient', azureHttp) }
    exporters.push(applicationInsights({ connectionString, failed, ...options }))
  }
  const { startExport } = await import('./adapters/telemetry-export.ts')
  const { flush, logSink } = startExport(exporters, failed)
  const both: LogSink = (level, line) => {
    standardError(level, line)
    logSink(level, line)
  }
  return { overrides: { telemetry: await loadTelemetry(), logSink: both }, flush }
}

function firstTime(tell: (error: unknown) => void): (error: unknown) => void {
  let told = false
  return (error) => {
    if (!told) tell(error)
    told = true
  }
}

function standardError(_level: string, line: string): void {
  process.stderr.write(`${line}\n`)
}
