import type { HttpLibrary } from '@kubernetes/client-node'
import type { Clock } from '../../ports/clock.ts'
import type { ClusterApi, ClusterApis } from '../../ports/cluster-api.ts'
import { PortError } from '../../ports/port-error.ts'
import { type AksSettings, aksConnections } from './aks-connections.ts'
import type { KubeconfigSource } from './kubeconfig.ts'
import type { KeptAnswers } from './recent-answers.ts'

export interface KubernetesSettings {
  /** Absent: no cluster can be reached by context. */
  readonly kubeconfig?: KubeconfigSource
  /** Absent: no cluster can be reached by ARM id. */
  readonly aks?: AksSettings
  /** Carries the requests in place of sockets. */
  readonly http?: HttpLibrary
}

/**
 * The ways to registered clusters. Connections are kept, with their sockets and what discovery found. The Kubernetes
 * library is loaded at the first connect: it is the heaviest of all.
 */
export function kubernetesClusters(settings: KubernetesSettings, clock: Clock): ClusterApis {
  const connected = new Map<string, Promise<ClusterApi>>()
  const kept: KeptAnswers = new Set()
  const toAks = settings.aks && aksConnections(settings.aks, clock, kept, settings.http)
  return {
    async connect({ name, spec }) {
      const system = `Kubernetes ${name}`
      if (spec.resourceId !== undefined) {
        if (toAks) return toAks({ name, resourceId: spec.resourceId })
        throw new PortError('invalid', system, 'no access to Azure is set', { reason: 'Azure' })
      }
      const context = spec.kubeconfig?.context ?? ''
      const key = JSON.stringify([name, context])
      const known = connected.get(key)
      if (known) return known
      const connecting = connect(settings, context, system, { clock, kept }).catch((error: unknown) => {
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
  { clock, kept }: { readonly clock: Clock; readonly kept: KeptAnswers },
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
  return kubernetesApi(await connectTo(config, { system, clock, ...(http ? { http } : {}) }), clock, kept)
}
