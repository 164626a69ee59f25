import type { Clock } from '../ports/clock.ts'
import type { ClusterApis } from '../ports/cluster-api.ts'
import type { Random } from '../ports/random.ts'
import type { Store } from '../ports/store.ts'

/** What reconcile works with. */
export interface ReconcileDeps {
  readonly store: Store
  readonly clusters: ClusterApis
  readonly clock: Clock
  readonly random: Random
  /** How long after a write it counts as taken by the proxies; 5 s when left out. Also in place of barriers' times. */
  readonly settleMs?: number
}

export const SETTLE_MS = 5000
