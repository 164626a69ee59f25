import type { PodHandshakes } from '../../ports/handshake.ts'
import type { MetricsSources } from '../../ports/metrics.ts'
import type { ReconcileDeps } from '../deps.ts'

/** What a look at the trust of a cluster works with. */
export interface TrustDeps extends Pick<ReconcileDeps, 'store' | 'clusters' | 'clock' | 'random'> {
  readonly metrics: MetricsSources
  readonly podHandshakes: PodHandshakes
}
