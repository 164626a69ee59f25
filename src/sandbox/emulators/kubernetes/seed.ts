import type { Cluster } from './cluster.ts'
import { newUid, writerOf } from './cluster.ts'
import { forget } from './delete.ts'
import { emptySet } from './field-set.ts'
import type { KubernetesObject, ObjectMeta } from './json.ts'
import { equal } from './json.ts'
import { ownByUpdate, readManaged, writeManaged } from './managed-fields.ts'
import { normalized, zeroObject } from './prepare.ts'
import type { ResourceType } from './resource-type.ts'

/** What a world hands in: an object of JSON with as much metadata as it cares for. */
export interface SeedObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name?: string; readonly namespace?: string; readonly [field: string]: unknown }
  readonly [part: string]: unknown
}

/**
 * Writes an object as controllers and kubelets would: status included, past all checks, its namespace made when it is
 * missing. An object that is there already takes on the given parts and keeps its identity; one that is the same is
 * not written. The owner of what changed is the manager `sandbox`.
 * @throws Error for a kind that the cluster does not serve.
 */
export function seedObject(cluster: Cluster, seed: SeedObject): KubernetesObject {
  const type = typeOf(cluster, seed.apiVersion, seed.kind)
  const namespace = type.namespaced ? (seed.metadata.namespace ?? 'default') : ''
  if (namespace) seedNamespace(cluster, namespace)
  const live = cluster.store.get(type, namespace, seed.metadata.name ?? '')
  const object = normalized(type, JSON.parse(JSON.stringify(seed)))
  object.metadata = { ...object.metadata, ...(namespace ? { namespace } : {}), ...identityOf(cluster, object, live) }
  if (type.initialStatus) object.status ??= live?.status ?? structuredClone(type.initialStatus)
  type.allocate?.(object, live, cluster.random)
  if (type.generationOf) object.metadata.generation = generationAfter(type, object, live)

  const { managedFields, ...metadata } = object.metadata
  const { managedFields: before, ...liveMetadata } = live?.metadata ?? {}
  const bare = { ...object, metadata }
  const old = live ? { ...live, metadata: liveMetadata } : zeroObject(type)
  if (live && equal(bare, old)) return live
  const writer = { ...writerOf(cluster, { type, subresource: '' }, 'sandbox'), resets: emptySet() }
  const entries = writeManaged(ownByUpdate(type.shape, old, bare, readManaged(live), writer))
  return cluster.store.put(type, { ...bare, metadata: { ...metadata, managedFields: entries } })
}

/** Takes an object away at once, finalizers or not; false when it was not there. */
export function removeSeeded(
  cluster: Cluster,
  apiVersion: string,
  kind: string,
  namespace: string,
  name: string,
): boolean {
  const type = typeOf(cluster, apiVersion, kind)
  const live = cluster.store.get(type, namespace, name)
  if (live) forget(cluster, type, live)
  return live !== undefined
}

/** @throws Error for a kind that the cluster does not serve. */
export function typeOf(cluster: Cluster, apiVersion: string, kind: string): ResourceType {
  const type = cluster.registry.ofKind(apiVersion, kind)
  if (!type) throw new Error(`the cluster does not serve ${kind} of ${apiVersion}`)
  return type
}

export function seedNamespace(cluster: Cluster, name: string): void {
  const namespaces = { group: '', plural: 'namespaces' }
  if (cluster.store.get(namespaces, '', name)) return
  seedObject(cluster, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
}

function identityOf(cluster: Cluster, object: KubernetesObject, live: KubernetesObject | undefined): ObjectMeta {
  const { uid, creationTimestamp, resourceVersion } = live?.metadata ?? {}
  return {
    uid: uid ?? object.metadata.uid ?? newUid(cluster.random),
    creationTimestamp: creationTimestamp ?? object.metadata.creationTimestamp ?? cluster.now(),
    ...(resourceVersion ? { resourceVersion } : {}),
  }
}

function generationAfter(type: ResourceType, object: KubernetesObject, live: KubernetesObject | undefined): number {
  const before = live?.metadata.generation
  if (!live || before === undefined) return 1
  return equal(type.generationOf?.(object), type.generationOf?.(live)) ? before : before + 1
}
