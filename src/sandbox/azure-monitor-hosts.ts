import type { CheckToken, MonitorFaults } from './emulators/azure-monitor/access.ts'
import { logsEmulator } from './emulators/azure-monitor/logs.ts'
import { managedPrometheusEmulator } from './emulators/azure-monitor/managed-prometheus.ts'
import { metricsBatchEmulator } from './emulators/azure-monitor/metrics-batch.ts'
import type { Emulator } from './emulators/emulator.ts'
import { allClusters } from './world/all-clusters.ts'
import { gatewayMetrics } from './world/gateway-metrics.ts'
import { requestRows } from './world/request-logs.ts'
import type { World } from './world/world.ts'

/** The one workspace of the sandbox: all its clusters write there. */
export const SANDBOX_PROMETHEUS = 'sandbox.westeurope.prometheus.monitor.azure.com'
export const SANDBOX_WORKSPACE = '00000000-0000-4000-8000-0000000010a5'
const SANDBOX_COMPONENT =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/microsoft\.(insights\/components|operationalinsights\/workspaces)\/sandbox$/i

export interface MonitorWorld {
  readonly world: World
  readonly now: () => number
  readonly checkToken: CheckToken
  readonly faults?: MonitorFaults
}

/**
 * Azure Monitor of the sandbox, by host: managed Prometheus, logs (workspace SANDBOX_WORKSPACE, or any component or
 * workspace of the name `sandbox`) and platform metrics, all from the world's traffic.
 */
export function azureMonitorHosts({ world, ...common }: MonitorWorld): Readonly<Record<string, Emulator>> {
  const source = allClusters(world)
  const logs = logsEmulator({
    ...common,
    logs: {
      rows: (place, fromMs, toMs) =>
        place === SANDBOX_WORKSPACE || SANDBOX_COMPONENT.test(place) ? requestRows(source, fromMs, toMs) : undefined,
    },
  })
  return {
    [SANDBOX_PROMETHEUS]: managedPrometheusEmulator({ ...common, source }),
    'api.loganalytics.io': logs,
    'api.loganalytics.azure.com': logs,
    'westeurope.metrics.monitor.azure.com': metricsBatchEmulator({
      ...common,
      metrics: gatewayMetrics(source, () => world.clusters()),
    }),
  }
}
