import { meshOf } from '../mesh/mesh-of.ts'
import { wayToRotate } from '../mesh/trust/way-to-rotate.ts'
import type { ProviderName } from '../model/cluster.ts'
import type { ClusterDocument } from '../model/documents.ts'
import { type Failure, fail } from '../model/failure.ts'
import type { MeshCaSpec } from '../model/mesh-ca.ts'

/** The mesh that each purpose is for, and what it is there. */
const MESHES = {
  'mesh-ca': { provider: 'istio', what: 'the plug-in CA of Istio' },
  'linkerd-identity': { provider: 'linkerd', what: 'trust anchor and issuer of Linkerd' },
} as const satisfies Readonly<Record<MeshCaSpec['purpose'], { readonly provider: ProviderName; readonly what: string }>>

/** Which purpose a mesh has instead. */
const NEAREST: Readonly<Partial<Record<ProviderName, MeshCaSpec['purpose']>>> = {
  istio: 'mesh-ca',
  linkerd: 'linkerd-identity',
}

/** Why the mesh of a cluster has no CA of this purpose; undefined where it has, or nothing is known of it yet. */
export function checkMesh({ purpose }: MeshCaSpec, cluster: ClusterDocument): Failure | undefined {
  const provider = meshOf(cluster)?.provider
  const { provider: wanted, what } = MESHES[purpose]
  if (provider === undefined || provider === wanted) return undefined
  const nearest = NEAREST[provider]
  if (nearest === undefined) {
    const errors = [{ pointer: '/cluster', reason: `runs ${provider}; purpose ${purpose} is ${what}` }]
    return fail(
      'UnsupportedFeature',
      `Cluster ${cluster.name} runs ${provider}. ${wayToRotate(provider, undefined).way}`,
      {
        errors,
      },
    ).failure
  }
  const errors = [
    { pointer: '/purpose', reason: `is ${what}; cluster ${cluster.name} runs ${provider}; nearest: ${nearest}` },
  ]
  return fail('UnsupportedFeature', `Cluster ${cluster.name} runs ${provider}, and purpose ${purpose} is ${what}.`, {
    errors,
    hint: `Give it "purpose": "${nearest}".`,
  }).failure
}
