import type { ClusterSpec } from '../model/cluster.ts'
import type { GateSource } from '../model/metrics.ts'
import { durationMs } from '../model/names.ts'
import type { GateTiming } from '../ports/metrics.ts'

/** The least grain of metrics of Azure resources. */
export const PLATFORM_GRAIN_MS = 60_000

/**
 * How late a source's numbers come and how often to look: what the cluster says, else what is usual. Azure publishes a
 * few minutes for logs at most, less than one for platform metrics; managed Prometheus scrapes every 30 s and writes behind.
 */
export function metricsTiming({ metrics }: ClusterSpec, from: GateSource = 'mesh'): GateTiming {
  if (from === 'logs') return timing(metrics?.logs, '5m', '2m')
  if (from === 'platform') return { ...timing(metrics?.platform, '2m', '1m'), grainMs: PLATFORM_GRAIN_MS }
  return metrics?.azureMonitor === undefined ? timing(metrics, '30s', '10s') : timing(metrics, '2m', '1m')
}

function timing(
  own: { readonly delay?: string | undefined; readonly every?: string | undefined } | undefined,
  delay: string,
  every: string,
): GateTiming {
  return { delayMs: durationMs(own?.delay ?? delay), everyMs: durationMs(own?.every ?? every) }
}
