import type { ClusterDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import type { Store } from '../ports/store.ts'
import { lookAtMetrics, type MetricsFinding } from './look-at-metrics.ts'
import { scrapeSettings } from './scrape-settings.ts'
import { readServicesOn } from './services-on.ts'

export interface MetricsReport extends MetricsFinding {
  /** What would have the sidecars scraped; absent where nothing is missing or nothing is known to help. */
  readonly fix?: { readonly configMap: string }
}

/** Looks at a cluster's metrics now, and says what to apply where managed Prometheus does not scrape the mesh. */
export async function checkMetrics(
  deps: { readonly store: Store; readonly clock: Clock; readonly metrics: MetricsSources },
  name: string,
): Promise<Result<MetricsReport>> {
  const cluster = (await deps.store.read('cluster', name))?.value
  if (!cluster) return fail('NotFound', `There is no cluster ${name}.`)
  const finding = await lookAtMetrics(deps, cluster)
  const configMap = UNSCRAPED.includes(finding.reason) ? await settingsFor(deps.store, cluster) : undefined
  return succeed({ ...finding, ...(configMap === undefined ? {} : { fix: { configMap } }) })
}

const UNSCRAPED = ['NothingScraped', 'MeshNotScraped']

async function settingsFor(store: Store, { name, spec }: ClusterDocument): Promise<string | undefined> {
  const azureMonitor = spec.metrics?.azureMonitor
  const services = await readServicesOn(store, name)
  if (!azureMonitor || services.length === 0) return undefined
  const namespaces = [...new Set(services.map(({ namespace }) => namespace))].sort()
  return scrapeSettings(namespaces, azureMonitor.clusterLabel)
}
