import { type ClusterDocument, keyOf, type ServiceDocument } from '../../model/documents.ts'
import type { Rollout } from '../../model/rollout.ts'
import type { Clock } from '../../ports/clock.ts'
import type { MetricsSources } from '../../ports/metrics.ts'
import type { Store } from '../../ports/store.ts'
import { type Caps, hasFreePlace } from '../caps.ts'
import { gateTimings, overallTiming } from '../gate-timing.ts'
import { holdsOf } from './holds.ts'
import { measureTraffic } from './measure-traffic.ts'
import { predictTimeline } from './predict-timeline.ts'
import type { Timeline } from './timeline.ts'
import { timelineWarnings } from './timeline-warnings.ts'
import type { ServiceTraffic } from './traffic.ts'

export interface ForecastDeps {
  readonly store: Store
  readonly clock: Clock
  readonly metrics: MetricsSources
  readonly caps: Caps
}

/** What will become of a rollout, as far as can be told. Nothing is written for it. */
export interface Forecast {
  /** As it is, or as a start would write it. */
  readonly rollout: Rollout
  readonly traffic: ServiceTraffic
  readonly timeline: Timeline
  readonly warnings: readonly string[]
}

/** Measures what the service gets and predicts what is left of a rollout of it. `service` has the candidate among its versions. */
export async function forecast(deps: ForecastDeps, service: ServiceDocument, rollout: Rollout): Promise<Forecast> {
  const now = deps.clock.now()
  const clusters = await clustersOf(deps.store, rollout)
  const freezes = await deps.store.all('freeze')
  const traffic = await measureTraffic(deps.metrics, { service, rollout, clusters, now })
  const { delayMs } = overallTiming(gateTimings(deps.metrics, rollout.gates, clusters), rollout.gates)
  const holdAt = holdsOf(service, rollout, clusters, freezes)
  const timeline = predictTimeline({ now, rollout, traffic, delayMs, holdAt })
  const full = rollout.phase === 'pending' && !(await hasFreePlace(deps, rollout))
  const waits = full ? ['As many rollouts are live as the caps allow: it waits for a place first.'] : []
  const warnings = [
    ...rollout.warnings,
    ...waits,
    ...timelineWarnings({ rollout, traffic, timeline, service: keyOf(service) }),
  ]
  return { rollout, traffic, timeline, warnings: [...new Set(warnings)] }
}

async function clustersOf(store: Store, { targets }: Rollout): Promise<readonly ClusterDocument[]> {
  const found = await Promise.all(targets.map(({ cluster }) => store.read('cluster', cluster)))
  return found.flatMap((stored) => stored?.value ?? [])
}
