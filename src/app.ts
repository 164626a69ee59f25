import { armManagedClusters } from './adapters/arm/managed-clusters.ts'
import { countedMessenger } from './adapters/counted-messenger.ts'
import { entraKeys } from './adapters/entra-keys.ts'
import { jsonLogger } from './adapters/json-logger.ts'
import { keyVaults } from './adapters/key-vault/key-vaults.ts'
import { tracedClusters } from './adapters/kubernetes/traced-clusters.ts'
import { metricsSources } from './adapters/metrics-sources.ts'
import { outsideAddresses, podAddresses, systemLookup } from './adapters/outside-address.ts'
import { tlsPodHandshakes } from './adapters/pod-handshake.ts'
import { standardError } from './adapters/standard-error.ts'
import { systemClock } from './adapters/system-clock.ts'
import { systemRandom } from './adapters/system-random.ts'
import { tlsHandshakes } from './adapters/tls-handshake.ts'
import { carriers } from './carry-out.ts'
import type { WorkDeps } from './handle-work.ts'
import type { HttpDeps } from './http/http-deps.ts'
import type { HttpRequest, HttpResponse } from './http/message.ts'
import { logScan } from './log/scan-ended.ts'
import { logSweep } from './log/sweep-ended.ts'
import type { Witness } from './log/witness.ts'
import { observeWork } from './log/work-observed.ts'
import {
  type Overrides,
  openAzure,
  openClusters,
  openDirectory,
  openMessenger,
  openState,
  openWebhooks,
  vaultSecrets,
} from './open-ports.ts'
import { optional } from './optional.ts'
import type { Clock } from './ports/clock.ts'
import type { Store } from './ports/store.ts'
import { NO_TELEMETRY, type Telemetry } from './ports/telemetry.ts'
import type { WorkQueue } from './ports/work-queue.ts'
import { rolesOfProcess } from './roles.ts'
import { loadSettings, type Settings } from './settings.ts'

export type { Overrides } from './open-ports.ts'
export { loadSettings }

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
  /** Queues a look at every cluster for certificates, registered or not. */
  watch(): Promise<void>
  /** Compares the certificates of every vault with what is known of them, and records those that nobody registered. */
  scan(): Promise<void>
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
  const azure = openAzure(settings, overrides, telemetry, clock)
  const { fetch } = azure
  const { store, queue } = openState(settings, overrides, { clock, identity: azure.credential, witness })
  const lookup = overrides.lookup ?? systemLookup
  const addresses = outsideAddresses(
    { hosts: settings.outside.hosts, allowPrivate: settings.outside.privateAddresses },
    lookup,
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
  const podHandshakes = overrides.podHandshakes ?? tlsPodHandshakes(podAddresses())
  const certificates = { vaults, handshakes, podHandshakes, ...optional('vaultUrl', settings.vaultUrl) }
  const secret = vaultSecrets(vaults, settings.vaultUrl)
  const notify = {
    messenger: countedMessenger(
      openMessenger({ fetch, addresses, ...optional('slackToken', settings.slackToken) }, clock),
      telemetry,
    ),
    webhook: secret,
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
    webhooks: openWebhooks({ addresses, secret, lookup }, overrides, clock, telemetry),
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
      const [{ earlyBy, parseWorkMessage }, { handleWork }] = await Promise.all([
        import('./work-message.ts'),
        import('./handle-work.ts'),
      ])
      const parsed = parseWorkMessage(message)
      if (!parsed) return logger.log('error', 'work.unreadable', { message: String(message).slice(0, 200) })
      const waitMs = earlyBy(parsed, clock.now())
      if (waitMs > 0) await clock.sleep(waitMs)
      return observeWork({ logger, telemetry, clock }, parsed, () => handleWork(work, parsed))
    },
    async feed(documents) {
      const { relayFeed } = await import('./relay-feed.ts')
      return telemetry.span('feed', { 'meshwright.documents': documents.length }, () =>
        relayFeed({ store, clock }, documents),
      )
    },
    async sweep() {
      const { sweep } = await import('./sweep.ts')
      logSweep({ logger, telemetry }, await telemetry.span('sweep', {}, () => sweep({ store, queue, clock })))
    },
    async resync() {
      const { enumerateClusters } = await import('./sweep.ts')
      await telemetry.span('resync', {}, () => enumerateClusters({ store, queue, clock }))
    },
    async watch() {
      const { enumeratePlaces } = await import('./watch/enumerate-places.ts')
      await telemetry.span('watch', {}, () => enumeratePlaces({ store, queue }))
    },
    async scan() {
      const [{ scanCertificates }, { watchVaults }] = await Promise.all([
        import('./certificates/scan-certificates.ts'),
        import('./watch/watch-vaults.ts'),
      ])
      const { listed, ...found } = await telemetry.span('scan', {}, () => scanCertificates({ ...work, queue }))
      logScan({ logger, telemetry }, found, clock.now())
      await telemetry.span('watch vaults', {}, () => watchVaults(work, listed, found.failed))
    },
  }
}

/** For the lines of logs: the trace that they belong to, where there is one. */
function traceFields(telemetry: Telemetry): { readonly traceId?: string } {
  const traceId = telemetry.traceparent()?.split('-')[1]
  return traceId === undefined ? {} : { traceId }
}
