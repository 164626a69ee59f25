import { selectedClusters } from '../cluster-selection.ts'
import type { ClusterDocument, ServiceDocument } from '../documents.ts'
import type { ServiceSpec } from '../service.ts'
import { type EffectivePolicy, mergePolicies, ownLayers, type PolicyLayer } from './effective-policy.ts'
import { layersOn, type ServiceLayer } from './layers.ts'
import type { Policy } from './policy.ts'
import type { HeldWords } from './spread.ts'

/**
 * What decides about a service's policy: its own words, those that hold where a change of them has yet to come, the copies of shared
 * policies, and which overrides hold where.
 */
export type PolicyHolder = Pick<ServiceDocument, 'spec' | 'layers' | 'overridesOn' | 'spread'>

type Place = Pick<ClusterDocument, 'name' | 'spec'>

/** What a service asks of the mesh of one cluster: shared policies, over them its own words, over those its overrides. */
export function servicePolicy(service: PolicyHolder, cluster: Place): EffectivePolicy {
  return mergePolicies([...beneath(layersOn(service.layers, cluster.name)), ...layersOfOwn(service, cluster)])
}

function layersOfOwn(service: PolicyHolder, cluster: Place): readonly PolicyLayer[] {
  const newest = ownLayers(service.spec, service.overridesOn?.[cluster.name] ?? overridesFor(service.spec, cluster))
  const held = heldOn(service, cluster.name)
  return held ? [...held.words, ...partsOf(newest, 'at once')] : newest
}

/** What a service says of itself on a cluster, as far as a change of it goes from cluster to cluster. */
export function wordsOn(service: PolicyHolder, cluster: Place): readonly PolicyLayer[] {
  return partsOf(layersOfOwn(service, cluster), 'in waves')
}

/** The words that hold on a cluster in place of the newest; undefined where those do. */
export function heldOn({ spread }: Pick<PolicyHolder, 'spread'>, cluster: string): HeldWords | undefined {
  return spread?.held.find(({ clusters }) => clusters.includes(cluster))
}

/**
 * A service as it is to be on one cluster: where a change of its words has yet to come, it says in its spec what it said before. The
 * policy that holds there is the same.
 */
export function serviceOn<S extends PolicyHolder>(service: S, cluster: Place): S {
  if (!heldOn(service, cluster.name)) return service
  const { traffic: _t, security: _s, exposure: _e, egress: _g, telemetry: _m, overrides: _o, ...rest } = service.spec
  const { spread: _, overridesOn: _on, ...kept } = service
  return { ...kept, spec: { ...rest, ...mergePolicies(layersOfOwn(service, cluster)).policy } } as S
}

/**
 * Paths of hosts are held in documents that all clusters share, and weights are for rollouts and for people in haste: they reach all
 * clusters at once, what else is said goes in waves.
 */
function partsOf(layers: readonly PolicyLayer[], way: 'at once' | 'in waves'): readonly PolicyLayer[] {
  return layers.flatMap(({ policy: { traffic, security, egress, telemetry, exposure }, ...layer }) => {
    const { weights, ...others }: Partial<NonNullable<Policy['traffic']>> = traffic ?? {}
    const parts =
      way === 'at once'
        ? { exposure, traffic: weights && { weights } }
        : { traffic: others, security, egress, telemetry }
    const given = Object.entries(parts).filter(([, part]) => saysSomething(part))
    return given.length === 0 ? [] : [{ ...layer, policy: Object.fromEntries(given) }]
  })
}

/** A list says something also when it is empty: it replaces another. */
function saysSomething(part: object | undefined): boolean {
  return Array.isArray(part) || Object.values(part ?? {}).some((field) => field !== undefined)
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
