import type { ServiceDocument } from '../model/documents.ts'
import type { Result } from '../model/failure.ts'
import type { RequestContext } from '../model/request.ts'
import type { AddressPolicy } from '../ports/address-policy.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClusterApis } from '../ports/cluster-api.ts'
import type { Directory } from '../ports/directory.ts'
import type { Logger } from '../ports/logger.ts'
import type { ManagedClusters } from '../ports/managed-clusters.ts'
import type { Messenger } from '../ports/messenger.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import type { Random } from '../ports/random.ts'
import type { Store } from '../ports/store.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import type { TokenKeys } from '../ports/token-keys.ts'
import type { Vaults } from '../ports/vault.ts'
import type { WorkQueue } from '../ports/work-queue.ts'
import type { Plan, PlanOptions } from '../reconcile/plan.ts'
import type { Caps } from '../rollouts/caps.ts'

/** Which tokens are taken. */
export interface AuthSettings {
  /** Exact `iss` values. */
  readonly issuers: readonly string[]
  /** Exact `aud` values: the app id URI and the client id of this API. */
  readonly audiences: readonly string[]
  /** The `tid` claim must be this. */
  readonly tenantId: string
}

/** By what callers of hooks prove themselves; several while one takes the place of another. None: nobody is let in. */
export interface HookSecrets {
  /** Signing secrets of Slack apps. */
  readonly slack: readonly string[]
  /** Security tokens of Teams' outgoing webhooks, as Teams gave them (base64). */
  readonly teams: readonly string[]
  /** Secrets that monitors send, or sign with (Grafana). */
  readonly alerts: readonly string[]
  /** Keys that subscriptions of Event Grid send along. */
  readonly keyVault: readonly string[]
}

/** What routes need of the app. */
export interface HttpDeps {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly clusters: ClusterApis
  readonly metrics: MetricsSources
  readonly managedClusters: ManagedClusters
  readonly addresses: AddressPolicy
  readonly tokenKeys: TokenKeys
  readonly auth: AuthSettings
  readonly caps: Caps
  readonly hooks: HookSecrets
  readonly directory: Directory
  readonly messenger: Messenger
  readonly queue: WorkQueue
  readonly vaults: Vaults
  /** Address of the vault of certificates that name none. */
  readonly vaultUrl?: string
  readonly logger: Logger
  readonly telemetry: Telemetry
  /** Carries a service out on one cluster now; never throws. */
  readonly carryOut: (service: string, cluster: string, session?: string) => Promise<void>
  /** Takes the next step of a service's rollouts now; never throws. */
  readonly advance: (service: string, session?: string) => Promise<void>
  /** Starts a rotation of a certificate, if the caller may; a sentence for people. */
  readonly rotate: (name: string, note: string, context: RequestContext) => Promise<Result<string>>
  /** What carrying a service out on one cluster would do: server dry run, nothing is kept. */
  readonly plan: (service: ServiceDocument, cluster: string, options?: PlanOptions) => Promise<Plan>
}
