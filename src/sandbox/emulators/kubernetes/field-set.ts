import type { Json, JsonObject } from './json.ts'
import { isObject } from './json.ts'

/**
 * A set of field paths as a tree, as `fieldsV1` of managedFields writes it. Keys are path elements: `f:name` a field,
 * `k:{…}` an item of a list by its keys, `v:…` an item of a set. `member` tells whether the path that ends here is in
 * the set; for the root it has no meaning. (sigs.k8s.io/structured-merge-diff, package fieldpath.)
 */
export interface FieldSet {
  member: boolean
  readonly children: Map<string, FieldSet>
}

export type FieldPath = readonly string[]

export function emptySet(): FieldSet {
  return { member: false, children: new Map() }
}

/** Puts one path into the set; its parents are not put in with it. The empty path is nobody's and is ignored. */
export function insert(set: FieldSet, path: FieldPath): void {
  let at = set
  for (const element of path) {
    let next = at.children.get(element)
    if (!next) {
      next = emptySet()
      at.children.set(element, next)
    }
    at = next
  }
  if (path.length > 0) at.member = true
}

export function isEmptySet(set: FieldSet): boolean {
  return [...set.children.values()].every((child) => !child.member && isEmptySet(child))
}

export function union(left: FieldSet, right: FieldSet): FieldSet {
  return combine(left, right, (inLeft, inRight) => inLeft || inRight)
}

export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  return combine(left, right, (inLeft, inRight) => inLeft && inRight)
}

/** Paths of `left` that are not in `right`; a path below a path of `right` stays. */
export function difference(left: FieldSet, right: FieldSet): FieldSet {
  return combine(left, right, (inLeft, inRight) => inLeft && !inRight)
}

/** Paths of `set` that neither are in `without` nor lie below one that is. */
export function recursiveDifference(set: FieldSet, without: FieldSet): FieldSet {
  const result = emptySet()
  for (const [element, child] of set.children) {
    const gone = without.children.get(element)
    if (gone?.member) continue
    const kept = gone ? recursiveDifference(child, gone) : child
    if (child.member || !isEmptySet(kept)) result.children.set(element, { ...kept, member: child.member })
  }
  return result
}

/** What lies below one path element; empty when nothing does. */
export function below(set: FieldSet, element: string): FieldSet {
  return set.children.get(element) ?? emptySet()
}

/** Every path of the set: on each level first the members, then what lies below, each in order. */
export function* paths(set: FieldSet, prefix: FieldPath = []): Iterable<FieldPath> {
  const ordered = [...set.children].sort(([left], [right]) => compareElements(left, right))
  for (const [element, child] of ordered) if (child.member) yield [...prefix, element]
  for (const [element, child] of ordered) yield* paths(child, [...prefix, element])
}

/** The set as `fieldsV1`. */
export function toFieldsV1(set: FieldSet): JsonObject {
  const fields: JsonObject = {}
  for (const [element, child] of [...set.children].sort(([left], [right]) => compareElements(left, right))) {
    const inner = toFieldsV1(child)
    const hasInner = Object.keys(inner).length > 0
    if (child.member || hasInner) fields[element] = child.member && hasInner ? { '.': {}, ...inner } : inner
  }
  return fields
}

/** The set that `fieldsV1` writes. */
export function fromFieldsV1(fields: Json | undefined): FieldSet {
  const set = emptySet()
  if (!isObject(fields)) return set
  for (const [element, inner] of Object.entries(fields)) {
    if (element === '.' || !isObject(inner)) continue
    const child = fromFieldsV1(inner)
    child.member = child.children.size === 0 || '.' in inner
    set.children.set(element, child)
  }
  return set
}

/** A path as messages name it, for example `.spec.ports[port=80,protocol="TCP"].name`. */
export function pathText(path: FieldPath): string {
  return path.map(elementText).join('')
}

function elementText(element: string): string {
  const value = element.slice(2)
  if (element.startsWith('f:')) return `.${value}`
  if (element.startsWith('v:')) return `[=${value}]`
  const keys = Object.entries<Json>(JSON.parse(value))
  return `[${keys.map(([name, key]) => `${name}=${JSON.stringify(key)}`).join(',')}]`
}

function combine(left: FieldSet, right: FieldSet, keep: (inLeft: boolean, inRight: boolean) => boolean): FieldSet {
  const result = emptySet()
  for (const element of new Set([...left.children.keys(), ...right.children.keys()])) {
    const inLeft = left.children.get(element) ?? emptySet()
    const inRight = right.children.get(element) ?? emptySet()
    const child = combine(inLeft, inRight, keep)
    child.member = keep(inLeft.member, inRight.member)
    if (child.member || child.children.size > 0) result.children.set(element, child)
  }
  return result
}

/** Fields before keys before values; keys by their fields in turn, numbers as numbers. */
function compareElements(left: string, right: string): number {
  const [leftKind, rightKind] = [left.slice(0, 2), right.slice(0, 2)]
  if (leftKind !== rightKind || leftKind === 'f:') return compareText(left, right)
  return compareValues(JSON.parse(left.slice(2)), JSON.parse(right.slice(2)))
}

function compareValues(left: Json, right: Json): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  if (!isObject(left) || !isObject(right)) return compareText(String(left), String(right))
  const [leftFields, rightFields] = [Object.entries(left), Object.entries(right)]
  for (const [at, [name, value]] of leftFields.entries()) {
    const other = rightFields[at]
    if (!other) return 1
    const order = compareText(name, other[0]) || compareValues(value ?? null, other[1] ?? null)
    if (order !== 0) return order
  }
  return leftFields.length - rightFields.length
}

function compareText(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
