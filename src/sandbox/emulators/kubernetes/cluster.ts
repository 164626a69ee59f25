import type { FieldSet } from './field-set.ts'
import { emptySet } from './field-set.ts'
import type { KubernetesObject } from './json.ts'
import type { Writer } from './managed-fields.ts'
import { setOf } from './managed-fields.ts'
import type { Registry } from './registry.ts'
import type { ResourceType } from './resource-type.ts'
import { apiVersionOf } from './resource-type.ts'
import type { ObjectStore } from './store.ts'

/** What reads and writes work on. */
export interface Cluster {
  readonly store: ObjectStore
  readonly registry: Registry
  /** RFC 3339 to the second. */
  readonly now: () => string
  /** A number in [0, 1). */
  readonly random: () => number
}

/** One object by its path. */
export interface Target {
  readonly type: ResourceType
  /** Empty for types without namespaces. */
  readonly namespace: string
  readonly name: string
  readonly subresource: '' | 'status'
}

/** How to write. */
export interface WriteOptions {
  readonly manager: string
  readonly dryRun: boolean
}

/** How to write what may have to be created. */
export interface CreatingOptions extends WriteOptions {
  /** Called before an object is created; throws when the user may only change it. */
  readonly mayCreate: () => void
}

export interface Written {
  readonly object: KubernetesObject
  readonly created: boolean
}

/** Fields that a write to the object, or to its status, leaves as they are. */
function resetsOf({ type, subresource }: Pick<Target, 'type' | 'subresource'>): FieldSet {
  if (subresource === 'status') return setOf(['f:metadata'], ['f:spec'])
  return type.status ? setOf(['f:status']) : emptySet()
}

/** The write as ownership sees it. */
export function writerOf(cluster: Cluster, target: Pick<Target, 'type' | 'subresource'>, manager: string): Writer {
  const { type, subresource } = target
  return { manager, apiVersion: apiVersionOf(type), subresource, resets: resetsOf(target), now: cluster.now() }
}

/** A new object's uid, in the form of a version 4 UUID. */
export function newUid(random: () => number): string {
  const hex = (length: number): string => Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('')
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`
}

/** Five letters and digits that spell no word, as the real server appends to `generateName`. */
export function nameSuffix(random: () => number): string {
  const letters = 'bcdfghjklmnpqrstvwxz2456789'
  return Array.from({ length: 5 }, () => letters[Math.floor(random() * letters.length)]).join('')
}
