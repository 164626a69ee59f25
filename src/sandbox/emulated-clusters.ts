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
import type { LinkerdEmulator } from './emulators/linkerd/linkerd.ts'
import { LINKERD_CLUSTER, linkerdCluster } from './linkerd-cluster.ts'
import { linkerdControl } from './linkerd-control.ts'
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
  /** Linkerd of those that have it. */
  readonly linkerds: ReadonlyMap<string, LinkerdEmulator>
  /** How people see who trusts whom there. */
  readonly linkerd: Emulator
  /** How people play with the world. */
  readonly control: Emulator
}

/**
 * All clusters of the sandbox, with the service of the demonstration and its traffic; and one with Linkerd, if it is wanted,
 * which `installLinkerd` completes.
 */
export function emulateClusters(
  context: EmulatorContext,
  entra: EntraEmulator,
  wanted: { readonly linkerd: boolean } = { linkerd: false },
): EmulatedClusters {
  const linkerds = new Map<string, LinkerdEmulator>()
  const istiods = new Map<string, IstiodEmulator>()
  const clusters = new Map<string, EmulatedCluster>()
  const world = createWorld({
    ...context,
    routes: istioRoutes(routeObjects(clusters)),
    moreMetrics: (name) => (istiods.get(name) ?? linkerds.get(name))?.metrics,
  })
  for (const name of SANDBOX_CLUSTERS) {
    const kubernetes = emulatedKubernetes(context, name, (token) => entra.checkToken(token, AKS_SERVER_APP))
    clusters.set(name, emulatedCluster(world, name, kubernetes, context.now, refuse))
    istiods.set(name, istiodEmulator(context, { kubernetes, name }))
  }
  seedDemoWorld(world)
  const parts = { context, world, linkerds, isOurs: (token: string) => entra.checkToken(token, AKS_SERVER_APP), refuse }
  if (wanted.linkerd) clusters.set(LINKERD_CLUSTER, linkerdCluster(parts))
  // What a start with it has left behind.
  else world.deleteCluster(LINKERD_CLUSTER)
  return {
    world,
    clusters,
    istiods,
    linkerds,
    linkerd: linkerdControl(linkerds),
    control: worldControl(world, context.now),
  }
}

function refuse(): never {
  throw new ConnectionError('ECONNREFUSED')
}
