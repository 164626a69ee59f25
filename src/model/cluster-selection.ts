import * as z from 'zod'
import { matchesLabels } from './active-freezes.ts'
import type { ClusterDocument } from './documents.ts'
import { dnsLabel, labelMap } from './names.ts'

/** Names of clusters, or labels that choose them. */
export const clusterSelection = z.union([
  z.array(dnsLabel).max(100),
  z.strictObject({
    matchLabels: labelMap.refine((labels) => Object.keys(labels).length > 0, 'must hold at least one label'),
  }),
])
export type ClusterSelection = z.infer<typeof clusterSelection>

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
