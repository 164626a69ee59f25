import { matchesLabels } from './active-freezes.ts'
import type { ClusterDocument } from './documents.ts'
import type { ClusterSelection } from './service.ts'

/** Names of the clusters that a selection means, in order: those it names, or those whose labels fit and that are not leaving. */
export function selectedClusters(
  selection: ClusterSelection,
  clusters: readonly Pick<ClusterDocument, 'name' | 'spec' | 'deletingAt'>[],
): readonly string[] {
  if (Array.isArray(selection)) return [...new Set(selection)].sort()
  const { matchLabels } = selection
  return clusters
    .filter((cluster) => cluster.deletingAt === undefined && matchesLabels(cluster.spec.labels, matchLabels))
    .map((cluster) => cluster.name)
    .sort()
}
