import type { Provider } from '../../mesh/provider.ts'
import { describeRef, type KubeObject, type KubeRef, refOf } from '../../model/kube.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import type { Stop } from '../situation.ts'

/** A host lets go of a service within a pass or two. */
const AGAIN_MS = 2000

/**
 * What keeps a service's routes on a cluster for as long as a host there leads to them, whoever wrote it. Asks the cluster,
 * and only when such a route is to go. Throws PortError.
 */
export async function keepNamedRoutes(
  api: ClusterApi,
  { hosts }: Pick<Provider, 'hosts'>,
  doomed: readonly KubeRef[],
  now: number,
): Promise<(live: KubeObject) => Stop | undefined> {
  const routes = hosts ? doomed.filter((ref) => hosts.isRoute(ref)) : []
  if (!hosts?.namingKind || routes.length === 0) return () => undefined
  const naming = await api.list(hosts.namingKind)
  return (live) => {
    const by = naming.find((object) => hosts.names(object, refOf(live)))
    if (!by) return undefined
    const message = `${describeRef(refOf(by))} still leads requests to ${describeRef(refOf(live))}.`
    return { reason: 'StillExposed', message, again: now + AGAIN_MS }
  }
}
