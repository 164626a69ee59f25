import { type EmulatedCluster, emulatedCluster, emulatedKubernetes } from './emulated-cluster.ts'
import type { EmulatorContext } from './emulators/emulator.ts'
import { gatewayApiDefinitions } from './emulators/kubernetes/gateway-api-definitions.ts'
import { linkerdDefinitions } from './emulators/kubernetes/linkerd-definitions.ts'
import type { SeedObject } from './emulators/kubernetes/seed.ts'
import { type LinkerdEmulator, linkerdEmulator } from './emulators/linkerd/linkerd.ts'
import { linkerdInjector } from './linkerd-injector.ts'
import type { World } from './world/world.ts'

/** The cluster of the sandbox that has Linkerd, when it is asked for. */
export const LINKERD_CLUSTER = 'north'
/** A kubelet takes a minute: nobody waits that long for a demonstration. */
const MOUNT_MS = 2000

export interface LinkerdClusterParts {
  readonly context: EmulatorContext
  readonly world: World
  /** Takes its emulator up. */
  readonly linkerds: Map<string, LinkerdEmulator>
  readonly isOurs: (token: string) => boolean | Promise<boolean>
  readonly refuse: () => never
}

/** A cluster with Linkerd's definitions, and nothing of Linkerd's running yet: `installLinkerd`. */
export function linkerdCluster(parts: LinkerdClusterParts): EmulatedCluster {
  const { context, world, linkerds, isOurs, refuse } = parts
  const definitions = [...gatewayApiDefinitions('v1.2.1'), ...linkerdDefinitions()] as readonly SeedObject[]
  const kubernetes = emulatedKubernetes(context, LINKERD_CLUSTER, isOurs, definitions)
  const linkerd = linkerdEmulator(context, { kubernetes, name: LINKERD_CLUSTER, mountMs: MOUNT_MS })
  linkerds.set(LINKERD_CLUSTER, linkerd)
  return emulatedCluster(
    world,
    LINKERD_CLUSTER,
    kubernetes,
    context.now,
    refuse,
    linkerdInjector(() => linkerd),
  )
}
