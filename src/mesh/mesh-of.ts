import type { MeshFacts } from '../model/cluster.ts'
import type { ClusterDocument } from '../model/documents.ts'

/** The mesh that a cluster runs: what its owner says, else what the probe found. */
export function meshOf({ spec, mesh }: Pick<ClusterDocument, 'spec' | 'mesh'>): MeshFacts | undefined {
  const { provider, envoyFilters } = spec.mesh ?? {}
  const found = provider === undefined || provider === mesh?.provider ? mesh : { provider }
  return found && envoyFilters ? { ...found, envoyFilters } : found
}
