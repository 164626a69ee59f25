import type { HttpLibrary } from '@kubernetes/client-node'
import type { Clock } from '../../ports/clock.ts'
import type { ClusterApi, ClusterApis } from '../../ports/cluster-api.ts'
import { PortError } from '../../ports/port-error.ts'
import type { KubeconfigSource } from './kubeconfig.ts'

export interface KubernetesSettings {
  /** Absent: no cluster can be reached by context. */
  readonly kubeconfig?: KubeconfigSource
  /** Carries the requests in place of sockets. */
  readonly http?: HttpLibrary
}

/**
 * The ways to registered clusters. Connections are kept, with their sockets and what discovery found. The Kubernetes
 * library is loaded at the first connect: it is the heaviest of all.
 */
export function kubernetesClusters(settings: KubernetesSettings, clock: Clock): ClusterApis {
  const connected = new Map<string, Promise<ClusterApi>>()
  return {
    async connect({ name, spec }) {
      const system = `Kubernetes ${name}`
      const context = spec.kubeconfig?.context
      if (context === undefined) {
        const message = 'clusters by ARM id cannot be reached yet; register a kubeconfig context'
        throw new PortError('invalid', system, message, { reason: 'NotBuilt' })
      }
      const key = JSON.stringify([name, context])
      const known = connected.get(key)
      if (known) return known
      const connecting = connect(settings, context, system, clock).catch((error: unknown) => {
        connected.delete(key)
        throw error
      })
      connected.set(key, connecting)
      return connecting
    },
  }
}

async function connect(
  { kubeconfig, http }: KubernetesSettings,
  context: string,
  system: string,
  clock: Clock,
): Promise<ClusterApi> {
  if (kubeconfig === undefined) {
    throw new PortError('invalid', system, 'no kubeconfig is set', { reason: 'Kubeconfig' })
  }
  const [{ loadContext }, { connectTo }, { kubernetesApi }] = await Promise.all([
    import('./kubeconfig.ts'),
    import('./connection.ts'),
    import('./kubernetes-api.ts'),
  ])
  const config = await loadContext(kubeconfig, context, system)
  return kubernetesApi(await connectTo(config, system, clock, http))
}
