import { meshOf } from '../mesh/mesh-of.ts'
import type { Barrier, Provider, RenderStep } from '../mesh/provider.ts'
import { providerFor, requireProvider } from '../mesh/registry.ts'
import { desiredTraffic } from '../model/desired-traffic.ts'
import type { ClusterDocument, FreezeDocument, HostDocument, PlacementDocument } from '../model/documents.ts'
import { gatewayOn } from '../model/gateway.ts'
import { isHostKey } from '../model/host.ts'
import { type KindRef, type KubeObject, refOf } from '../model/kube.ts'
import { serviceOn, servicePolicy } from '../model/policy/service-policy.ts'
import { serviceKey } from '../model/service.ts'
import type { ClusterApi, ReadOptions } from '../ports/cluster-api.ts'
import { isPortError } from '../ports/port-error.ts'
import type { Store, Stored } from '../ports/store.ts'
import { findRivals } from './conflict.ts'
import { contentHash, refKey } from './content.ts'
import { entryFor } from './drift.ts'
import { hostAsService, namespaceOf, type Owner } from './hosts/host-as-service.ts'
import { podSelector, readyByVersion, SERVICE_NAME, unboundVersions } from './readiness.ts'
import type { HostPart, Observed, PlannedService, Stop } from './situation.ts'

/** The documents that decide about one service on one cluster. */
export interface StoredState {
  /** A host takes the place of a service. */
  readonly service: Owner | undefined
  readonly host?: HostDocument
  readonly cluster: ClusterDocument | undefined
  readonly placement: Stored<PlacementDocument> | undefined
  readonly freezes: readonly FreezeDocument[]
}

/** Reads the documents. Throws PortError. */
export async function gatherStored(store: Store, key: string, cluster: string, session?: string): Promise<StoredState> {
  const [owner, clusterDocument, placement, freezes] = await Promise.all([
    isHostKey(key) ? store.read('host', key, session) : store.read('service', key, session),
    store.read('cluster', cluster),
    store.read('placement', `${key}/${cluster}`, session),
    store.all('freeze'),
  ])
  const found = clusterDocument?.value
  const rest = { cluster: found, placement, freezes }
  if (owner?.value.kind !== 'host')
    return { service: owner && found ? serviceOn(owner.value, found) : owner?.value, ...rest }
  const host = owner.value
  const place = found && gatewayOn(found, host.gateway)?.namespace
  return { service: hostAsService(host, place ?? placement?.value.objects[0]?.namespace), host, ...rest }
}

/** What a service asks of a cluster, rendered. */
export interface Prepared {
  readonly provider: Provider
  readonly weights: Readonly<Record<string, number>>
  readonly rendered: readonly RenderStep[]
  /** What must hold besides before it counts as live. */
  readonly live?: readonly Barrier[]
  readonly host?: HostPart
}

/** Renders a service for a cluster, or says why it cannot be. `again: 'poll'` where the cluster's probe may mend it. */
export function prepare(
  service: PlannedService,
  cluster: Pick<ClusterDocument, 'name' | 'spec' | 'mesh'>,
): { readonly ok: true; readonly value: Prepared } | { readonly ok: false; readonly stop: Stop } {
  const mesh = meshOf(cluster)
  if (!mesh) {
    const message = `The mesh of cluster ${cluster.name} is not known yet.`
    return { ok: false, stop: { reason: 'MeshUnknown', message, again: 'poll' } }
  }
  const provider = requireProvider(mesh.provider)
  if (!provider.ok) return { ok: false, stop: { reason: provider.failure.code, message: provider.failure.detail } }
  const { weights, candidate } = desiredTraffic(service, cluster.name) ?? { weights: {} }
  const rendered = provider.value.render({
    namespace: service.namespace,
    name: service.name,
    spec: service.spec,
    policy: servicePolicy(service, cluster).policy,
    mesh,
    gateways: cluster.spec.mesh?.gateways ?? {},
    renderRevision: service.renderRevision,
    weights,
    ...(candidate ? { candidate } : {}),
  })
  if (!rendered.ok) return { ok: false, stop: { reason: rendered.failure.code, message: rendered.failure.detail } }
  const { steps, live = [] } = rendered
  return { ok: true, value: { provider: provider.value, weights, rendered: steps, live } }
}

/** The provider that wrote an inventory; istio, the only one so far, when the mesh is no longer known. */
export function pruningProvider(cluster: Pick<ClusterDocument, 'spec' | 'mesh'>): Provider | undefined {
  return providerFor(meshOf(cluster)?.provider ?? 'istio')
}

/**
 * Objects that need no reading in a pass that has something new to write, once all objects were written: they carry no
 * weights and are to be what the inventory says we wrote. Drift in them is found by resync.
 */
export function unchangedObjects(
  prepared: Prepared,
  placement: PlacementDocument | undefined,
  renderRevision: number,
): readonly KubeObject[] {
  if (!placement || placement.appliedRevision === renderRevision) return []
  // Whether the mesh has taken them is told by their status.
  if (prepared.provider.acceptance) return []
  const complete = prepared.rendered.every(({ object }) => entryFor(placement.objects, refOf(object)) !== undefined)
  if (!complete) return []
  return prepared.rendered
    .map(({ object }) => object)
    .filter((object) => prepared.provider.liveWeights(object) === undefined)
    .filter((object) => entryFor(placement.objects, refOf(object))?.hash === contentHash(object))
}

const ENDPOINT_SLICE = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' }
const POD = { apiVersion: 'v1', kind: 'Pod' }

/** What others made may be so old when it is looked at; our own objects are always read anew. */
export const RECENT: ReadOptions = { maxAgeMs: 1000 }

/**
 * Looks at a cluster: namespace, our objects but those in `unread`, ready endpoints. `age` is for what others made. Throws
 * PortError.
 */
export async function gatherCluster(
  api: ClusterApi,
  service: PlannedService,
  prepared: Pick<Prepared, 'provider' | 'rendered' | 'host'>,
  unread: readonly KubeObject[],
  age: ReadOptions = {},
): Promise<Observed> {
  const known = new Map(unread.map((object) => [refKey(refOf(object)), object]))
  const asked = prepared.rendered.map(({ object }) => refOf(object)).filter((ref) => !known.has(refKey(ref)))
  const [space, endpoints, read] = await Promise.all([
    getNamespace(api, namespaceOf(service), age),
    prepared.host ? { versions: {} } : gatherEndpoints(api, service, prepared, age),
    Promise.all(asked.map(async (ref) => [refKey(ref), await api.get(ref)] as const)),
  ])
  const objects = new Map(known)
  for (const [key, object] of read) if (object) objects.set(key, object)
  return { namespace: space, objects, ...endpoints, rivals: undefined }
}

/** Ready endpoints by version. */
async function gatherEndpoints(
  api: ClusterApi,
  service: PlannedService,
  prepared: Pick<Prepared, 'provider'>,
  age: ReadOptions,
): Promise<Pick<Observed, 'versions' | 'amongAll' | 'unbound'>> {
  const { namespace, name, spec } = service
  const { provider } = prepared
  const services = provider.versionServices?.({ name, spec }) ?? {}
  const annotations = Object.fromEntries(
    Object.entries(spec.versions).map(([version, own]) => [version, provider.podAnnotations?.(own) ?? {}]),
  )
  const reached = [...new Set([name, ...Object.values(services)])].sort()
  const ofServices =
    reached.length === 1 ? `${SERVICE_NAME}=${reached[0]}` : `${SERVICE_NAME} in (${reached.join(',')})`
  const labelSelector = podSelector(spec.versions)
  const [slices, pods] = await Promise.all([
    api.list(ENDPOINT_SLICE, { namespace, labelSelector: ofServices, ...age }),
    api.listMetadata(POD, { namespace, ...(labelSelector === undefined ? {} : { labelSelector }), ...age }),
  ])
  const own = slices.filter(({ metadata }) => metadata.labels?.[SERVICE_NAME] === name)
  return {
    versions: readyByVersion(spec.versions, slices, pods, { services, annotations }),
    ...(spec.workload ? { unbound: unboundVersions(spec.versions, own, pods, spec.workload.labels) } : {}),
    ...(reached.length > 1 ? { amongAll: readyByVersion(spec.versions, own, pods, { annotations }) } : {}),
  }
}

/** The namespace of a service; undefined when it is not there. Throws PortError. */
export function getNamespace(api: ClusterApi, name: string, age: ReadOptions = {}): Promise<KubeObject | undefined> {
  return api.get({ apiVersion: 'v1', kind: 'Namespace', name }, age)
}

/** Looks through the whole cluster for objects of others that claim the service. Throws PortError. */
export async function gatherRivals(
  api: ClusterApi,
  service: PlannedService,
  prepared: Prepared,
  age: ReadOptions = {},
): Promise<readonly KubeObject[]> {
  const own = prepared.rendered.map(({ object }) => object)
  const { rareKinds = [], conflictKinds } = prepared.provider
  // Of what the service has none of, nothing of others can stand in its way.
  const sought = conflictKinds.filter((kind) => includesKind(own, kind) || !includesKind(rareKinds, kind))
  const lists = await Promise.all(sought.map((kind) => listKnown(api, kind, age)))
  return findRivals(lists.flat(), service, prepared.provider, own).toSorted((a, b) =>
    refKey(refOf(a)) < refKey(refOf(b)) ? -1 : 1,
  )
}

/** Is a kind among these kinds, or kinds of objects? */
export function includesKind(kinds: readonly KindRef[], { apiVersion, kind }: KindRef): boolean {
  return kinds.some((other) => other.kind === kind && other.apiVersion === apiVersion)
}

/** Objects of a kind; none when the server does not know it. */
async function listKnown(api: ClusterApi, kind: KindRef, age: ReadOptions): Promise<readonly KubeObject[]> {
  try {
    return await api.list(kind, age)
  } catch (error) {
    if (isPortError(error, 'not-found')) return []
    throw error
  }
}

/** `shop/web` of a service. */
export function keyOfService(service: Pick<PlannedService, 'namespace' | 'name'>): string {
  return serviceKey(service.namespace, service.name)
}
