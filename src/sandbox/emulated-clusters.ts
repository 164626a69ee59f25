import { seedDemoWorld } from './demo-world.ts'
import {
  type EmulatedCluster,
  emulatedCluster,
  emulatedKubernetes,
  routeObjects,
  SANDBOX_CLUSTERS,
} from './emulated-cluster.ts'
import { AKS_SERVER_APP } from './emulators/arm/user-credential.ts'
import type { Emulator, EmulatorContext } from './emulators/emulator.ts'
import type { EntraEmulator } from './emulators/entra/entra.ts'
import { type IstiodEmulator, istiodEmulator } from './emulators/istiod/istiod.ts'
import { ConnectionError } from './transports/wire.ts'
import { istioRoutes } from './world/istio-routes.ts'
import { createWorld, type World } from './world/world.ts'
import { worldControl } from './world/world-control.ts'

/** The sandbox's clusters and the traffic on them. */
export interface EmulatedClusters {
  readonly world: World
  readonly clusters: ReadonlyMap<string, EmulatedCluster>
  /** istiod of each, as the CA of its mesh. */
  readonly istiods: ReadonlyMap<string, IstiodEmulator>
  /** How people play with the world. */
  readonly control: Emulator
}

/** All clusters of the sandbox, with the service of the demonstration and its traffic. */
export function emulateClusters(context: EmulatorContext, entra: EntraEmulator): EmulatedClusters {
  const istiods = new Map<string, IstiodEmulator>()
  const clusters = new Map<string, EmulatedCluster>()
  const world = createWorld({
    ...context,
    routes: istioRoutes(routeObjects(clusters)),
    moreMetrics: (name) => istiods.get(name)?.metrics,
  })
  for (const name of SANDBOX_CLUSTERS) {
    const kubernetes = emulatedKubernetes(context, name, (token) => entra.checkToken(token, AKS_SERVER_APP))
    clusters.set(name, emulatedCluster(world, name, kubernetes, context.now, refuse))
    istiods.set(name, istiodEmulator(context, { kubernetes, name }))
  }
  seedDemoWorld(world)
  return { world, clusters, istiods, control: worldControl(world, context.now) }
}

function refuse(): never {
  throw new ConnectionError('ECONNREFUSED')
}
