import { selectedClusters } from '../cluster-selection.ts'
import type { ClusterDocument, ServiceDocument } from '../documents.ts'
import type { ServiceSpec } from '../service.ts'
import { type EffectivePolicy, effectivePolicy, type PolicyLayer } from './effective-policy.ts'
import { layersOn, type ServiceLayer } from './layers.ts'

/** What decides about a service's policy: its own words, the copies of shared policies, and which overrides hold where. */
export type PolicyHolder = Pick<ServiceDocument, 'spec' | 'layers' | 'overridesOn'>

/** What a service asks of the mesh of one cluster: shared policies, over them its own words, over those its overrides. */
export function servicePolicy(service: PolicyHolder, cluster: Pick<ClusterDocument, 'name' | 'spec'>): EffectivePolicy {
  const chosen = service.overridesOn?.[cluster.name] ?? overridesFor(service.spec, cluster)
  return effectivePolicy(service.spec, chosen, beneath(layersOn(service.layers, cluster.name)))
}

function beneath(layers: readonly ServiceLayer[]): readonly PolicyLayer[] {
  return layers.map(({ name, policy }) => ({ from: `policy ${name}`, isShared: true, policy }))
}

/** Indexes of the overrides that mean a cluster, in order. */
export function overridesFor(
  spec: Pick<ServiceSpec, 'overrides'>,
  cluster: Pick<ClusterDocument, 'name' | 'spec'>,
): readonly number[] {
  return (spec.overrides ?? []).flatMap(({ clusters }, index) =>
    selectedClusters(clusters, [cluster]).includes(cluster.name) ? [index] : [],
  )
}

/**
 * Which overrides hold on each cluster, as the document keeps it where any is chosen by label: so that a change of a cluster's labels is
 * a change of the document, with a render revision of its own. Undefined: none is.
 */
export function overridesOn(
  spec: Pick<ServiceSpec, 'overrides'>,
  clusters: readonly Pick<ClusterDocument, 'name' | 'spec'>[],
): Readonly<Record<string, readonly number[]>> | undefined {
  if (!(spec.overrides ?? []).some(({ clusters }) => !Array.isArray(clusters))) return undefined
  return Object.fromEntries(clusters.map((cluster) => [cluster.name, overridesFor(spec, cluster)]))
}
