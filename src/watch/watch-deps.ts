import type { Clock } from '../ports/clock.ts'
import type { ClusterApis } from '../ports/cluster-api.ts'
import type { Random } from '../ports/random.ts'
import type { Store } from '../ports/store.ts'
import type { Vaults } from '../ports/vault.ts'
import type { WorkQueue } from '../ports/work-queue.ts'

/** What looks for certificates work with. */
export interface WatchDeps {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly clusters: ClusterApis
  readonly vaults: Vaults
  /** Address of the vault of certificates and CAs that name none. */
  readonly vaultUrl?: string
}

export type EnumerateDeps = Pick<WatchDeps, 'store'> & { readonly queue: WorkQueue }
