import type { FieldSet } from './field-set.ts'
import {
  difference,
  emptySet,
  fromFieldsV1,
  insert,
  intersection,
  isEmptySet,
  recursiveDifference,
  toFieldsV1,
  union,
} from './field-set.ts'
import type { KubernetesObject, ManagedFieldsEntry } from './json.ts'
import type { Shape } from './shape.ts'
import type { Comparison } from './typed-value.ts'
import { compare } from './typed-value.ts'

/** Who owns which fields of one object. Keyed by manager, operation, subresource and, for updates, API version. */
export type Managed = Map<string, ManagedFields>

export interface ManagedFields {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  /** RFC 3339 to the second. Absent for an applier that changed nothing when it came. */
  readonly time?: string
  readonly fields: FieldSet
}

/** A write as ownership sees it. */
export interface Writer {
  readonly manager: string
  readonly apiVersion: string
  /** Empty for the object itself. */
  readonly subresource: string
  /** Fields that this kind of write resets, so that nobody comes to own them by it. */
  readonly resets: FieldSet
  /** RFC 3339 to the second. */
  readonly now: string
}

/** Older update entries than this many are put together under `ancient-changes`. */
const mostUpdateManagers = 10

/** Fields that nobody ever owns. */
const unowned = setOf(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields'].map(
    (name) => ['f:metadata', `f:${name}`],
  ),
  ['f:metadata', 'f:resourceVersion'],
)

/** A set of the given paths. */
export function setOf(...paths: readonly (readonly string[])[]): FieldSet {
  const set = emptySet()
  for (const path of paths) insert(set, path)
  return set
}

export function readManaged(object: KubernetesObject | undefined): Managed {
  const managed: Managed = new Map()
  for (const entry of object?.metadata.managedFields ?? []) {
    const { manager = '', operation = 'Update', apiVersion = '', subresource = '', time } = entry
    const fields = fromFieldsV1(entry.fieldsV1)
    const known = { manager, operation, apiVersion, subresource, fields, ...(time ? { time } : {}) }
    managed.set(identity(known), known)
  }
  return managed
}

/** The entries as the wire has them, in the real server's order. */
export function writeManaged(managed: Managed): ManagedFieldsEntry[] {
  return [...managed.values()].sort(compareEntries).map((entry) => ({
    manager: entry.manager,
    operation: entry.operation,
    apiVersion: entry.apiVersion,
    ...(entry.time ? { time: entry.time } : {}),
    fieldsType: 'FieldsV1',
    fieldsV1: toFieldsV1(entry.fields),
    ...(entry.subresource ? { subresource: entry.subresource } : {}),
  }))
}

/** The key of an entry. An applier is the same one whatever version it applies. */
export function identity(entry: Pick<ManagedFields, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string {
  const version = entry.operation === 'Apply' ? '' : entry.apiVersion
  return JSON.stringify([entry.manager, entry.operation, version, entry.subresource])
}

/**
 * Ownership after a POST, PUT or PATCH that made `live` into `next`: the writer owns what it changed, others lose it.
 * (apimachinery `util/managedfields`, structured-merge-diff `Updater.Update`.)
 */
export function ownByUpdate(
  shape: Shape,
  live: KubernetesObject,
  next: KubernetesObject,
  managed: Managed,
  writer: Writer,
): Managed {
  const changes = changesBetween(shape, live, next, writer.resets)
  const after = withoutChanges(managed, changes)
  const fields = difference(union(changes.modified, changes.added), unowned)
  if (isEmptySet(fields)) return after
  const entry = { ...writer, operation: 'Update' as const, time: writer.now }
  const before = after.get(identity(entry))
  after.set(identity(entry), pick(entry, before ? union(before.fields, fields) : fields))
  return capped(after)
}

/** What differs between two objects, without the fields that the write resets. */
export function changesBetween(
  shape: Shape,
  live: KubernetesObject,
  next: KubernetesObject,
  resets: FieldSet,
): Comparison {
  const { added, modified, removed } = compare(shape, live, next)
  return {
    added: recursiveDifference(added, resets),
    modified: recursiveDifference(modified, resets),
    removed: recursiveDifference(removed, resets),
  }
}

/** The fields among `changes` that each of the managers owns: what a write would take from them. */
export function conflictsWith(managed: Managed, changes: Comparison): Managed {
  const conflicts: Managed = new Map()
  for (const [id, entry] of managed) {
    const fields = intersection(entry.fields, union(changes.modified, changes.added))
    if (!isEmptySet(fields)) conflicts.set(id, { ...entry, fields })
  }
  return conflicts
}

/** The managers without the fields that were changed or removed under them. */
export function withoutChanges(managed: Managed, changes: Comparison): Managed {
  const after: Managed = new Map()
  const gone = union(union(changes.modified, changes.added), changes.removed)
  for (const [id, entry] of managed) {
    const fields = difference(entry.fields, gone)
    if (!isEmptySet(fields)) after.set(id, { ...entry, fields })
  }
  return after
}

/** The entry of one manager with these fields, less those that nobody owns; none when nothing is left. */
export function withEntry(managed: Managed, entry: Omit<ManagedFields, 'fields'>, fields: FieldSet): Managed {
  const after = new Map(managed)
  const owned = difference(fields, unowned)
  if (isEmptySet(owned)) after.delete(identity(entry))
  else after.set(identity(entry), pick(entry, owned))
  return after
}

function pick(entry: Omit<ManagedFields, 'fields'>, fields: FieldSet): ManagedFields {
  const { manager, operation, apiVersion, subresource, time } = entry
  return { manager, operation, apiVersion, subresource, fields, ...(time ? { time } : {}) }
}

/** Puts the oldest update entries together, a bucket a version, until few enough are left. */
function capped(managed: Managed): Managed {
  const updates = [...managed].filter(([, entry]) => entry.operation === 'Update')
  let excess = updates.length - mostUpdateManagers
  if (excess <= 0) return managed
  updates.sort(([leftId, left], [rightId, right]) => order(seconds(left), seconds(right)) || order(leftId, rightId))
  const after = new Map(managed)
  const firstOf = new Map<string, string>()
  for (const [id, entry] of updates) {
    if (excess <= 0) break
    const first = firstOf.get(entry.apiVersion)
    if (first === undefined) {
      firstOf.set(entry.apiVersion, id)
      continue
    }
    const bucket = { ...entry, manager: 'ancient-changes', subresource: '' }
    const held = after.get(identity(bucket)) ?? after.get(first)
    if (!after.has(identity(bucket))) after.delete(first)
    after.delete(id)
    after.set(identity(bucket), pick(bucket, held ? union(held.fields, entry.fields) : entry.fields))
    excess--
  }
  return after
}

function compareEntries(left: ManagedFields, right: ManagedFields): number {
  return (
    order(left.operation, right.operation) ||
    order(seconds(left), seconds(right)) ||
    order(left.manager, right.manager) ||
    order(left.apiVersion, right.apiVersion) ||
    order(left.subresource, right.subresource)
  )
}

function seconds(entry: ManagedFields): string {
  return entry.time ?? ''
}

function order(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
