import { setTimeout } from 'node:timers/promises'
import type { Emulator, EmulatorContext } from './emulators/emulator.ts'
import type { User } from './emulators/kubernetes/access.ts'
import { istioDefinitions } from './emulators/kubernetes/istio-definitions.ts'
import { type KubernetesEmulator, kubernetesEmulator } from './emulators/kubernetes/kubernetes-emulator.ts'
import type { SeedObject } from './emulators/kubernetes/seed.ts'
import { SANDBOX_IDENTITY } from './identities.ts'
import { clusterPrometheus, connectCluster } from './world/connect-cluster.ts'
import { runDeployments } from './world/deployment-runner.ts'
import { type Injector, istioInjector } from './world/injector.ts'
import type { ObjectSource } from './world/istio-routes.ts'
import { runRestarts } from './world/restart-runner.ts'
import type { World } from './world/world.ts'

/** Clusters of the sandbox, in the order of waves. */
export const SANDBOX_CLUSTERS = ['east', 'west'] as const
/** The bearer token that the sandbox's kubeconfig holds for Meshwright. */
export const CLUSTER_TOKEN = 'sandbox-meshwright'
/** A token with the rights of an administrator, for people who play with an emulated cluster. */
export const CLUSTER_ADMIN_TOKEN = 'sandbox-admin'

/** An AKS cluster, emulated. */
export interface EmulatedCluster {
  readonly name: string
  readonly kubernetes: KubernetesEmulator
  /** The Kubernetes API as clients reach it: as far, and as fast, as the world lets it. */
  readonly api: Emulator
  readonly prometheus: Emulator
  /** Starts and stops Pods as far as it is time; every request of the Kubernetes API does so too. */
  advance(): void
}

/** The Kubernetes emulators of a sandbox, as the world reads routes from them. */
export function routeObjects(clusters: ReadonlyMap<string, EmulatedCluster>): ObjectSource {
  return { list: (cluster, apiVersion, kind) => clusters.get(cluster)?.kubernetes.list(apiVersion, kind) ?? [] }
}

/**
 * A cluster's API server, with the definitions and the control plane of a `mesh` on it. It takes tokens that `isOurs` accepts
 * too, and lets their holder do everything.
 */
export function emulatedKubernetes(
  context: EmulatorContext,
  name: string,
  isOurs?: (token: string) => boolean | Promise<boolean>,
  mesh: readonly SeedObject[] = istioAddOn(),
): KubernetesEmulator {
  const tokens = {
    [CLUSTER_TOKEN]: { user: 'meshwright', groups: [] },
    [CLUSTER_ADMIN_TOKEN]: { user: 'admin', groups: ['system:masters'] },
  }
  const kubernetes = kubernetesEmulator(context, {
    name: `kubernetes-${name}`,
    version: 'v1.34.2',
    tokens,
    ...(isOurs ? { signIn: (token) => holderOf(isOurs(token)) } : {}),
  })
  kubernetes.seed(mesh)
  return kubernetes
}

/** What AKS puts on a cluster with the Istio add-on. */
function istioAddOn(): readonly SeedObject[] {
  return [...(istioDefinitions() as readonly SeedObject[]), controlPlane(), GATEWAY_NAMESPACE]
}

/** The app's identity, when the token is its own. */
function holderOf(isOurs: boolean | Promise<boolean>): User | undefined | Promise<User | undefined> {
  if (typeof isOurs !== 'boolean') return isOurs.then(holderOf)
  return isOurs ? { user: SANDBOX_IDENTITY.objectId, groups: [] } : undefined
}

/** Ties a cluster's Kubernetes API, its Prometheus and its traffic together. */
export function emulatedCluster(
  world: World,
  name: string,
  kubernetes: KubernetesEmulator,
  now: () => number,
  refuse: () => never,
  injector: Injector = istioInjector,
): EmulatedCluster {
  if (world.cluster(name) === undefined) world.putCluster(name)
  connectCluster(world, name, kubernetes, injector)
  const runners = [
    runDeployments(world, name, kubernetes, now),
    runRestarts({ world, cluster: name, kubernetes, injector, now }),
  ]
  const advance = () => {
    for (const runner of runners) runner.advance()
  }
  return {
    name,
    kubernetes,
    async api(request) {
      const { reachable = true, answerMs = 0 } = world.cluster(name)?.spec ?? {}
      advance()
      if (!reachable) refuse()
      if (answerMs > 0) await setTimeout(answerMs)
      return kubernetes.handle(request)
    },
    prometheus: clusterPrometheus(world, name, now),
    advance,
  }
}

/** Where the AKS add-on keeps its ingress gateways, and their Secrets. */
const GATEWAY_NAMESPACE = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'aks-istio-ingress' } }

/** istiod as the AKS add-on installs it. */
function controlPlane() {
  const labels = { app: 'istiod', 'istio.io/rev': 'asm-1-30' }
  const containers = [{ name: 'discovery', image: 'mcr.microsoft.com/oss/istio/pilot:1.30.2' }]
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'istiod-asm-1-30', namespace: 'aks-istio-system', labels },
    spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  }
}
