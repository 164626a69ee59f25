import { providerFor } from '../mesh/registry.ts'
import type { ClusterDocument } from '../model/documents.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSource, MetricsSources } from '../ports/metrics.ts'
import { isPortError } from '../ports/port-error.ts'

export interface MetricsFinding {
  readonly ready: boolean
  /** CamelCase: `Answers`, `NoSource`, `ManagedPrometheusOff`, `NothingScraped`, `MeshNotScraped`, or why the source does not answer. */
  readonly reason: string
  readonly message: string
}

const OFF =
  'Azure says that managed Prometheus is off on this cluster: az aks update --enable-azure-monitor-metrics turns it on.'
/** Ten scrapes at 30 s. */
const RECENT_MS = 300_000

/** Whether gates on the mesh would see anything on a cluster, and if not, what is missing. Failures are findings. */
export async function lookAtMetrics(
  { clock, metrics }: { readonly clock: Clock; readonly metrics: MetricsSources },
  cluster: ClusterDocument,
): Promise<MetricsFinding> {
  try {
    const source = await metrics.open(cluster)
    if (!source) return missing('NoSource', 'The cluster names no metrics: gates on it are blind.')
    const has = (selector: string) => hasSeries(source, selector, clock.now())
    if (!(await has('up'))) {
      if (isSwitchedOff(cluster)) return missing('ManagedPrometheusOff', OFF)
      return missing(
        'NothingScraped',
        `The metrics source answers but scrapes nothing ("up" is empty).${wayOut(cluster)}`,
      )
    }
    const any = providerFor(cluster.mesh?.provider ?? cluster.spec.mesh?.provider ?? 'istio')?.anyRequests
    if (any !== undefined && !(await has(any))) {
      const metric = any.split('{')[0]
      const message = `The metrics source has targets but no ${metric} from any: the sidecars are not scraped, or had no requests yet.${wayOut(cluster)}`
      return missing('MeshNotScraped', message)
    }
    return { ready: true, reason: 'Answers', message: 'The metrics source answers and has targets.' }
  } catch (error) {
    if (!isPortError(error)) throw error
    return missing(error.reason ?? 'NoAnswer', error.message)
  }
}

/** The metrics agent of AKS takes what is to be scraped from a ConfigMap. */
function wayOut({ name, spec }: ClusterDocument): string {
  return spec.metrics?.azureMonitor
    ? ` GET /clusters/${name}/metrics gives the ConfigMap to apply, once a service is on it.`
    : ''
}

function isSwitchedOff({ spec, aks }: ClusterDocument): boolean {
  return spec.metrics?.azureMonitor !== undefined && aks?.azureMonitorMetrics === false
}

async function hasSeries(source: MetricsSource, selector: string, now: number): Promise<boolean> {
  try {
    return (await source.samples(selector, now, RECENT_MS, 1)).length > 0
  } catch (error) {
    // A source that does not keep to one series has more of them than we read.
    if (isPortError(error) && error.reason === 'TooLarge') return true
    throw error
  }
}

function missing(reason: string, message: string): MetricsFinding {
  return { ready: false, reason, message }
}
