import { selectedClusters } from '../model/cluster-selection.ts'
import type { ClusterDocument, ServiceDocument } from '../model/documents.ts'
import type { ServiceSpec } from '../model/service.ts'

/** Names of the clusters that a service is to be on: those it names, or those whose labels fit and that are not leaving. */
export function chooseClusters(
  spec: ServiceSpec,
  clusters: readonly Pick<ClusterDocument, 'name' | 'spec' | 'deletingAt'>[],
): readonly string[] {
  return selectedClusters(spec.clusters, clusters)
}

/**
 * Where the service is and what it has to leave. A cluster that stays keeps its stable version, a new one starts with
 * the initial version, or with what `stable` names for it; one that comes back is no longer left.
 */
export function retarget(
  before: Pick<ServiceDocument, 'targets' | 'leaving'> | undefined,
  chosen: readonly string[],
  initialVersion: string,
  stable: Readonly<Record<string, string>> = {},
): Pick<ServiceDocument, 'targets' | 'leaving'> {
  const old = before?.targets ?? {}
  const targets = Object.fromEntries(
    chosen.map((name) => [name, old[name] ?? { stable: stable[name] ?? initialVersion }]),
  )
  const leaving = [...Object.keys(old), ...(before?.leaving ?? [])].filter((name) => !Object.hasOwn(targets, name))
  return { targets, leaving: [...new Set(leaving)].sort() }
}
