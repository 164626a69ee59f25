import { SANDBOX_CLUSTERS } from './emulated-cluster.ts'
import type { World } from './world/world.ts'

const WEB = { namespace: 'shop', service: 'web' }

/** Two clusters with the service shop/web in two versions and steady demand, unless it is there already. */
export function seedDemoWorld(world: World): void {
  for (const cluster of SANDBOX_CLUSTERS) {
    if (world.cluster(cluster)?.services['shop/web']) continue
    world.putService(
      { cluster, ...WEB },
      {
        port: 80,
        protocol: 'http',
        versions: { v1: version(), v2: version() },
        demand: {
          requestsPerSecond: 80,
          callers: [{ workload: 'frontend', namespace: 'shop', share: 1, meshed: true }],
        },
      },
    )
  }
}

function version() {
  return { pods: 2, errorPercent: 0.1, errorCode: 500, latencyMs: 20, silent: false, burst: null }
}
