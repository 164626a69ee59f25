import type { Cluster, CreatingOptions, Target, WriteOptions, Written } from './cluster.ts'
import { writerOf } from './cluster.ts'
import { createObject } from './create.ts'
import { forget } from './delete.ts'
import type { Json, KubernetesObject, ManagedFieldsEntry } from './json.ts'
import { equal, isEmpty } from './json.ts'
import type { Managed } from './managed-fields.ts'
import { ownByUpdate, readManaged, writeManaged } from './managed-fields.ts'
import { nullErrors } from './null-fields.ts'
import { checkName, intoNamespace, normalized, readObject } from './prepare.ts'
import type { ResourceType } from './resource-type.ts'
import { apiVersionOf } from './resource-type.ts'
import { changedMeanwhile, conflict, invalid, notFound, quoted } from './status.ts'
import { metadataChangeErrors, metadataErrors } from './validate-metadata.ts'

/** The stored object as its version of the type shows it. Throws KubernetesError 404. */
export function readLive(cluster: Cluster, { type, namespace, name }: Omit<Target, 'subresource'>): KubernetesObject {
  const live = cluster.store.get(type, namespace, name)
  if (!live) throw notFound(type, name)
  return { ...live, apiVersion: apiVersionOf(type) }
}

/** A PUT: the body takes the place of the object; some types are created by it. Throws KubernetesError. */
export function replaceObject(cluster: Cluster, target: Target, body: Json, options: CreatingOptions): Written {
  const { type, namespace, name } = target
  const next = intoNamespace(type, readObject(type, body), namespace)
  checkName(next, name)
  if (type.putCreates && target.subresource === '' && !cluster.store.get(type, namespace, name)) {
    options.mayCreate()
    delete next.metadata.resourceVersion
    return { object: createObject(cluster, type, namespace, next, options), created: true }
  }
  const live = readLive(cluster, target)
  const { uid } = next.metadata
  if (uid && uid !== live.metadata.uid) throw conflict(type, name, uidMismatch(target, uid, live))
  return { object: updateObject(cluster, target, live, next, options), created: false }
}

/** A PATCH: what it made of the live object takes its place. Throws KubernetesError. */
export function patchObject(
  cluster: Cluster,
  target: Target,
  patch: (live: KubernetesObject) => Json,
  options: WriteOptions,
): KubernetesObject {
  const live = readLive(cluster, target)
  const patched = patch(live)
  const object = readObject(target.type, patched, (message) => badPatch(patched, message))
  const next = intoNamespace(target.type, object, target.namespace)
  checkName(next, target.name)
  return updateObject(cluster, target, live, next, options)
}

/** 422 for a patch that leaves no object of the type. */
function badPatch(patched: Json, why: string) {
  const message = `Invalid value: ${quoted(JSON.stringify(patched))}: ${why}`
  return invalid({ group: '', plural: '', kind: '' }, '', [{ field: 'patch', reason: 'FieldValueInvalid', message }])
}

function updateObject(
  cluster: Cluster,
  target: Target,
  live: KubernetesObject,
  next: KubernetesObject,
  options: WriteOptions,
): KubernetesObject {
  const managed = managedFrom(next, live)
  const bare = withoutOwners(normalized(target.type, next))
  const writer = writerOf(cluster, target, options.manager)
  // Who asked to forget all owners, or wrote before there were any, gets none.
  const owners =
    managed.size === 0 ? managed : ownByUpdate(target.type.shape, withoutOwners(live), bare, managed, writer)
  return storeChanged(cluster, target, live, bare, owners, options)
}

/** Stores what a write made of an object, unless nothing changed. Throws KubernetesError. */
export function storeChanged(
  cluster: Cluster,
  target: Target,
  live: KubernetesObject,
  changed: KubernetesObject,
  managed: Managed,
  { dryRun }: Pick<WriteOptions, 'dryRun'>,
): KubernetesObject {
  const { type, name } = target
  checkRevision(type, name, changed, live)
  const next = reset(target, changed, live)
  if (target.subresource === '') {
    type.allocate?.(next, live, cluster.random)
    const raises = type.generationOf && !equal(type.generationOf(next), type.generationOf(live))
    if (raises) next.metadata.generation = (live.metadata.generation ?? 0) + 1
  }
  const ofMetadata = [...metadataErrors(type, next), ...metadataChangeErrors(next, live)]
  const errors = [...ofMetadata, ...nullErrors(type, next, live), ...(type.validate?.(next, live) ?? [])]
  if (errors.length > 0) throw invalid(type, name, errors)
  const entries = keepTimes(next, live, writeManaged(managed))
  if (entries.length > 0) next.metadata.managedFields = entries
  if (equal(next, live)) return live
  if (next.metadata.deletionTimestamp && isEmpty(next.metadata.finalizers)) {
    return dryRun ? next : forget(cluster, type, next)
  }
  return dryRun ? next : cluster.store.put(type, next)
}

function checkRevision(type: ResourceType, name: string, next: KubernetesObject, live: KubernetesObject): void {
  const { resourceVersion } = next.metadata
  if (!resourceVersion && type.revisionRequired) {
    const message = 'Invalid value: 0: must be specified for an update'
    const field = 'metadata.resourceVersion'
    throw invalid({ ...type, kind: type.plural }, name, [{ field, reason: 'FieldValueInvalid', message }])
  }
  if (resourceVersion && resourceVersion !== live.metadata.resourceVersion) throw changedMeanwhile(type, name)
}

/** The changed object with everything put back that this kind of write may not change. */
function reset(target: Target, next: KubernetesObject, live: KubernetesObject): KubernetesObject {
  const { type, subresource } = target
  const { managedFields: _, ...liveMetadata } = live.metadata
  const status = subresource === 'status' || !type.status ? next.status : live.status
  const base: KubernetesObject = subresource === 'status' ? { ...live, metadata: liveMetadata } : next
  const { status: __, ...rest } = base
  const result = { ...rest, ...(status === undefined ? {} : { status }) } as KubernetesObject
  result.metadata = { ...result.metadata }
  const kept = ['resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds']
  for (const field of kept) {
    if (live.metadata[field] === undefined) delete result.metadata[field]
    else result.metadata[field] = live.metadata[field]
  }
  result.metadata.uid ??= live.metadata.uid ?? ''
  return result
}

/** Entries that differ from the live ones in nothing but times, on an object that is otherwise the same, keep the times. */
function keepTimes(
  next: KubernetesObject,
  live: KubernetesObject,
  entries: ManagedFieldsEntry[],
): ManagedFieldsEntry[] {
  const before = live.metadata.managedFields ?? []
  const timeless = (list: readonly ManagedFieldsEntry[]) => list.map(({ time, ...entry }) => entry)
  const same = equal(timeless(before), timeless(entries)) && equal(next, withoutOwners(live))
  return same ? before : entries
}

/** Owners as the request states them, else as they are. An empty list, or one empty entry, takes all owners away. */
function managedFrom(next: KubernetesObject, live: KubernetesObject): Managed {
  const { managedFields } = next.metadata
  if (!managedFields) return readManaged(live)
  const forgets = managedFields.length < 2 && managedFields.every((entry) => isEmpty(entry))
  return forgets ? new Map() : readManaged(next)
}

function withoutOwners(object: KubernetesObject): KubernetesObject {
  const { managedFields, ...metadata } = object.metadata
  return { ...object, metadata }
}

function uidMismatch({ type, namespace, name }: Target, uid: string, live: KubernetesObject): string {
  const key = ['/registry', type.custom ? type.group : '', type.plural, namespace, name].filter(Boolean).join('/')
  const found = `UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`
  return `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${found}`
}
