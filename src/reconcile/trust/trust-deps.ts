import type { PodHandshakes } from '../../ports/handshake.ts'
import type { MetricsSources } from '../../ports/metrics.ts'
import type { Vaults } from '../../ports/vault.ts'
import type { ReconcileDeps } from '../deps.ts'

/** What a look at the trust of a cluster works with; the vaults are for what is brought to Linkerd before it. */
export interface TrustDeps extends Pick<ReconcileDeps, 'store' | 'clusters' | 'clock' | 'random'> {
  readonly metrics: MetricsSources
  readonly vaults: Vaults
  /** Address of the vault of CAs that name none. */
  readonly vaultUrl?: string
  readonly podHandshakes: PodHandshakes
}
