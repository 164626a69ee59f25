/** JSON as the emulator handles it. A property that is undefined counts as absent. */
export type Json = null | boolean | number | string | Json[] | JsonObject
export type JsonObject = { [key: string]: Json | undefined }

/** `metadata` of any object; fields the emulator never looks at are kept as they are. */
export type ObjectMeta = {
  name?: string
  namespace?: string
  generateName?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: { [key: string]: string }
  annotations?: { [key: string]: string }
  finalizers?: string[]
  managedFields?: ManagedFieldsEntry[]
  [field: string]: Json | undefined
}

/** One entry of `metadata.managedFields`, as on the wire. */
export type ManagedFieldsEntry = {
  manager?: string
  operation?: 'Apply' | 'Update'
  apiVersion?: string
  time?: string
  fieldsType?: string
  fieldsV1?: JsonObject
  subresource?: string
}

/** Any object of the Kubernetes API. */
export type KubernetesObject = {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  [part: string]: Json | undefined
}

/** Whether the value is a JSON object (no array, not null). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A deep copy; absent stays absent. */
export function copy<T extends Json | undefined>(value: T): T {
  return value === undefined ? value : structuredClone(value)
}

/** Whether both hold the same JSON; the order of keys does not count. */
export function equal(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true
  if (Array.isArray(left)) {
    return Array.isArray(right) && left.length === right.length && left.every((item, at) => equal(item, right[at]))
  }
  if (!isObject(left) || !isObject(right)) return false
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => equal(left[key], right[key]))
}

/** Absent, null, `{}` or `[]`. */
export function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null) return true
  if (Array.isArray(value)) return value.length === 0
  return isObject(value) && Object.values(value).every((item) => item === undefined)
}

/** What lies at a path of field names, for example `['status', 'phase']`; undefined when a step is missing. */
export function valueAt(value: Json | undefined, path: readonly string[]): Json | undefined {
  let at = value
  for (const step of path) at = isObject(at) ? at[step] : undefined
  return at
}

/** The value without properties that are null or absent, all the way down; nulls that are list items stay. */
export function withoutNulls<T extends Json | undefined>(value: T): T {
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item)) as T
  if (!isObject(value)) return value
  const kept = Object.entries(value).filter(([, item]) => item !== null && item !== undefined)
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutNulls(item)])) as T
}
