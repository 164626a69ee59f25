import { selectedClusters } from '../cluster-selection.ts'
import { canonicalJson } from '../digest.ts'
import type { ClusterDocument, PolicyDocument, ServiceDocument } from '../documents.ts'
import type { ServiceSpec } from '../service.ts'
import { type SharedParts, type SharedPolicySpec, sharedParts } from './shared-policy.ts'

/** A shared policy as it reached a service: the copy that the service's document carries. */
export interface ServiceLayer {
  readonly name: string
  /** Of the policy, when it was copied. */
  readonly generation: number
  /** RFC 3339: when the policy came to say this. A copy is never replaced by an older one. */
  readonly saidAt: string
  /** 0: of a policy for all; 1: for a team; 2: for namespaces. The higher is the stronger. */
  readonly rank: number
  readonly policy: SharedParts
  /** Clusters of the service that it has reached. While it spreads an older copy holds on the others. */
  readonly clusters: readonly string[]
}

/** Who a service is, as far as policies ask. */
export interface PolicySubject {
  readonly namespace: string
  readonly name: string
  readonly spec: Pick<ServiceSpec, 'team'>
}

type Place = Pick<ClusterDocument, 'name' | 'spec'>

/** Does a policy hold for a service? One that is being deleted holds for none. */
export function holdsFor(policy: Pick<PolicyDocument, 'spec' | 'deletingAt'>, service: PolicySubject): boolean {
  const { appliesTo, except } = policy.spec
  if (policy.deletingAt !== undefined || except?.includes(`${service.namespace}/${service.name}`)) return false
  if (appliesTo === 'all') return true
  return 'team' in appliesTo ? appliesTo.team === service.spec.team : appliesTo.namespaces.includes(service.namespace)
}

/** Does a policy hold for a service on a cluster? */
export function holdsOn(
  policy: Pick<PolicyDocument, 'spec' | 'deletingAt'>,
  service: PolicySubject,
  cluster: Place,
): boolean {
  if (!holdsFor(policy, service)) return false
  const { clusters } = policy.spec
  return clusters === undefined || selectedClusters(clusters, [cluster]).includes(cluster.name)
}

function rankOf({ appliesTo }: SharedPolicySpec): number {
  if (appliesTo === 'all') return 0
  return 'team' in appliesTo ? 1 : 2
}

/** The copy of a policy that a service is to carry; undefined when the policy is only guard rails. */
function copyOf({ name, spec, generation, saidAt }: PolicyDocument): Omit<ServiceLayer, 'clusters'> | undefined {
  const policy = sharedParts(spec)
  if (Object.keys(policy).length === 0) return undefined
  return { name, generation, saidAt, rank: rankOf(spec), policy }
}

/** The layers that hold on a cluster, the weakest first. */
export function layersOn(layers: readonly ServiceLayer[] | undefined, cluster: string): readonly ServiceLayer[] {
  return (layers ?? []).filter(({ clusters }) => clusters.includes(cluster)).sort(byStrength)
}

/** Has the policy, as it is now, reached the service on the cluster? Words that are the same need no new copy. */
export function hasReached(
  layers: readonly ServiceLayer[] | undefined,
  policy: PolicyDocument,
  service: PolicySubject,
  cluster: Place,
): boolean {
  const wanted = holdsOn(policy, service, cluster) ? copyOf(policy) : undefined
  const held = layersOn(layers, cluster.name).find(({ name }) => name === policy.name)
  if (!wanted || !held) return !wanted && !held
  return content(wanted) === content(held)
}

/** `layers` with a policy as it is now on some clusters; those where a newer copy is stay as they are. */
export function withPolicy(
  layers: readonly ServiceLayer[] | undefined,
  policy: PolicyDocument,
  service: PolicySubject,
  clusters: readonly Place[],
): readonly ServiceLayer[] {
  const before = layers ?? []
  const open = clusters.filter(({ name }) => {
    const held = layersOn(before, name).find((layer) => layer.name === policy.name)
    return held === undefined || held.saidAt <= policy.saidAt
  })
  const cleared = withoutPolicy(before, policy.name, new Set(open.map(({ name }) => name)))
  const wanted = copyOf(policy)
  const on = open.filter((cluster) => holdsOn(policy, service, cluster)).map(({ name }) => name)
  if (!wanted || on.length === 0) return cleared
  const same = cleared.find((layer) => layer.name === wanted.name && content(layer) === content(wanted))
  const rest = cleared.filter((layer) => layer !== same)
  return [...rest, { ...wanted, clusters: [...new Set([...(same?.clusters ?? []), ...on])].sort() }].sort(byStrength)
}

function withoutPolicy(
  layers: readonly ServiceLayer[],
  policy: string,
  clusters: ReadonlySet<string>,
): readonly ServiceLayer[] {
  return layers.flatMap((layer) => {
    if (layer.name !== policy) return [layer]
    const left = layer.clusters.filter((cluster) => !clusters.has(cluster))
    return left.length === 0 ? [] : [{ ...layer, clusters: left }]
  })
}

/** `layers` on no other clusters than these. */
export function layersWithin(
  layers: readonly ServiceLayer[] | undefined,
  clusters: readonly string[],
): readonly ServiceLayer[] {
  return (layers ?? []).flatMap((layer) => {
    const left = layer.clusters.filter((cluster) => clusters.includes(cluster))
    return left.length === 0 ? [] : [{ ...layer, clusters: left }]
  })
}

/**
 * What a service carries of all policies after a change of its own: the newest of each that holds for it. A policy that
 * is spreading keeps its order: where the service was already, it brings its change itself.
 */
export function layersAfter(
  before: Pick<ServiceDocument, 'layers' | 'targets'> | undefined,
  service: PolicySubject,
  clusters: readonly Place[],
  policies: readonly PolicyDocument[],
): readonly ServiceLayer[] {
  const names = clusters.map(({ name }) => name)
  let layers = layersWithin(before?.layers, names)
  for (const policy of policies) {
    const open = policy.spread ? clusters.filter(({ name }) => !Object.hasOwn(before?.targets ?? {}, name)) : clusters
    layers = withPolicy(layers, policy, service, open)
  }
  const known = new Set(policies.map(({ name }) => name))
  for (const gone of new Set(layers.map(({ name }) => name).filter((name) => !known.has(name)))) {
    layers = withoutPolicy(layers, gone, new Set(names))
  }
  return layers
}

/** What a service carries once its clusters were chosen anew: on those that it is new to, the newest; on others what it did. */
export function layersOnNew(
  before: Pick<ServiceDocument, 'layers' | 'targets'>,
  service: PolicySubject,
  clusters: readonly Place[],
  policies: readonly PolicyDocument[],
): readonly ServiceLayer[] {
  const kept = layersWithin(
    before.layers,
    clusters.map(({ name }) => name),
  )
  const fresh = clusters.filter(({ name }) => !Object.hasOwn(before.targets, name))
  return policies.reduce((layers, policy) => withPolicy(layers, policy, service, fresh), kept)
}

/** Equal where the layers say the same on the same clusters. */
export function sameLayers(a: readonly ServiceLayer[] | undefined, b: readonly ServiceLayer[] | undefined): boolean {
  const text = (layers: readonly ServiceLayer[] | undefined) =>
    canonicalJson((layers ?? []).map(({ generation: _, saidAt: _s, ...layer }) => layer))
  return text(a) === text(b)
}

function content({ rank, policy }: Pick<ServiceLayer, 'rank' | 'policy'>): string {
  return canonicalJson([rank, policy])
}

function byStrength(a: ServiceLayer, b: ServiceLayer): number {
  return a.rank - b.rank || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.generation - b.generation)
}
