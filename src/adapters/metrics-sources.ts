import { kqlProblem } from '../model/read-only-kql.ts'
import type { AddressPolicy } from '../ports/address-policy.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import type { Azure } from './azure.ts'
import { logsSource } from './azure-monitor/logs-source.ts'
import { type ManagedCluster, managedPrometheus } from './azure-monitor/managed-prometheus.ts'
import { platformSource } from './azure-monitor/platform-source.ts'
import { metricsTiming } from './metrics-timing.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { openPrometheus } from './prometheus-metrics.ts'
import { promqlProblem } from './promql.ts'

export interface MetricsSettings {
  readonly azure: Azure
  readonly addresses: AddressPolicy
  /** A Prometheus for clusters that name none. */
  readonly defaultUrl?: string
}

/** The metrics that clusters name: a Prometheus or managed Prometheus, logs, metrics of Azure resources. */
export function metricsSources({ azure, addresses, defaultUrl }: MetricsSettings, clock: Clock): MetricsSources {
  const turns = oneAtATime(clock)
  const managed = managedPrometheus(azure, clock, turns)
  const logs = logsSource(azure, clock, turns)
  const platform = platformSource(azure, clock, turns)
  const open = async ({ name, spec }: ManagedCluster) => {
    const { azureMonitor, prometheus } = spec.metrics ?? {}
    if (azureMonitor !== undefined) return managed.open({ name, spec }, azureMonitor.endpoint)
    const url = prometheus?.url ?? defaultUrl
    return url === undefined ? undefined : openPrometheus({ fetch: azure.fetch, addresses }, clock, { name, url })
  }
  return {
    open,
    async openValues({ name, spec }, from) {
      if (from === 'mesh') return open({ name, spec })
      return spec.metrics?.logs && logs.open(name, spec.metrics.logs)
    },
    queryProblem: async (from, query) => (from === 'mesh' ? promqlProblem(query) : kqlProblem(query)),
    async openCounts({ name, spec }, from) {
      const own = spec.metrics ?? {}
      if (from === 'logs') return own.logs && logs.open(name, own.logs)
      return own.platform && platform.open(name, own.platform)
    },
    timing: metricsTiming,
  }
}
