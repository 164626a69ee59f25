import type { FieldPath, FieldSet } from './field-set.ts'
import { emptySet, insert, isEmptySet } from './field-set.ts'
import type { Json, JsonObject } from './json.ts'
import { equal, isEmpty, isObject } from './json.ts'
import type { Shape } from './shape.ts'
import { fieldShape, isNamedField, shapeBelow } from './shape.ts'

/** Which fields one object has more, different or less than another. */
export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

/** An applied object that does not fit its shape; `message` starts with the path. */
export class ShapeError extends Error {
  override name = 'ShapeError'
}

type Form = 'map' | 'list' | 'leaf'

/** How `next` differs from `live`. */
export function compare(shape: Shape, live: Json | undefined, next: Json | undefined): Comparison {
  const result = { added: emptySet(), modified: emptySet(), removed: emptySet() }
  compareAt(shape, live, next, [], result)
  return result
}

function compareAt(
  shape: Shape,
  live: Json | undefined,
  next: Json | undefined,
  path: FieldPath,
  into: Comparison,
): void {
  const form = commonForm(shape, live, next)
  if (form === 'leaf' || (isEmpty(live) && isEmpty(next))) {
    if (live === undefined) insert(into.added, path)
    else if (next === undefined) insert(into.removed, path)
    else if (!equal(live, next)) insert(into.modified, path)
    return
  }
  const [liveItems, nextItems] = [childrenOf(shape, form, live), childrenOf(shape, form, next)]
  for (const element of new Set([...liveItems.keys(), ...nextItems.keys()])) {
    compareChild(shape, element, liveItems.get(element) ?? [], nextItems.get(element) ?? [], path, into)
  }
  if (live === undefined) insert(into.added, path)
  else if (next === undefined) insert(into.removed, path)
}

/** Items that share a key (only a live list may hold such) count as one atomic item. */
function compareChild(
  shape: Shape,
  element: string,
  live: readonly Json[],
  next: readonly Json[],
  path: FieldPath,
  into: Comparison,
): void {
  const at = [...path, element]
  const inner = shapeBelow(shape, element)
  if (live.length < 2 && next.length < 2) {
    compareAt(inner, live[0], next[0], at, into)
    return
  }
  if (live.length >= 2 && next.length >= 2) {
    if (!equal([...live], [...next])) insert(into.modified, at)
    return
  }
  if (live.length >= 2) {
    if (next.length > 0) compareAt(inner, undefined, next[0], at, into)
    insert(into.removed, at)
    return
  }
  if (live.length > 0) compareAt(inner, live[0], undefined, at, into)
  insert(into.added, at)
}

/** The fields an object holds, as its applier would own them. */
export function fieldSetOf(shape: Shape, value: Json | undefined): FieldSet {
  const set = emptySet()
  collect(shape, value, [], set)
  return set
}

function collect(shape: Shape, value: Json | undefined, path: FieldPath, into: FieldSet): void {
  const form = formOf(shape, value)
  if (form === 'leaf') {
    insert(into, path)
    return
  }
  for (const [element, items] of childrenOf(shape, form, value)) {
    const at = [...path, element]
    const [item] = items
    if (items.length === 1) collect(shapeBelow(shape, element), item, at, into)
    if (form === 'list' || items.length > 1 || ownsItself(shape, element, item)) insert(into, at)
  }
}

function ownsItself(shape: Shape, element: string, value: Json | undefined): boolean {
  const emptyMap = isObject(value) && Object.keys(value).length === 0
  return value === null || emptyMap || !isNamedField(shape, element.slice(2))
}

/** The live value with the applied one merged into it: the applied one wins, what it does not name stays. */
export function merge(shape: Shape, live: Json | undefined, applied: Json | undefined): Json | undefined {
  if (applied === undefined) return live
  const form = commonForm(shape, live, applied)
  if (form === 'leaf' || live === undefined || (isEmpty(live) && isEmpty(applied))) return applied
  if (form === 'list') return mergeList(shape, asList(live), asList(applied))
  const merged: JsonObject = {}
  const [liveMap, appliedMap] = [asMap(live), asMap(applied)]
  for (const key of new Set([...Object.keys(liveMap), ...Object.keys(appliedMap)])) {
    merged[key] = merge(fieldShape(shape, key), liveMap[key], appliedMap[key])
  }
  return merged
}

/**
 * Applied items come in their own order. A live item that the applied list does not name stays before the next shared
 * item. (structured-merge-diff, `visitListItems` of typed/merge.go.)
 */
function mergeList(shape: Shape, live: readonly Json[], applied: readonly Json[]): Json[] {
  const liveKeys = live.map((item) => elementOf(shape, item))
  const appliedKeys = applied.map((item) => elementOf(shape, item))
  const sharedToCome = appliedKeys.filter((key) => liveKeys.includes(key))
  const taken = new Set<string>()
  const merged: Json[] = []
  let [l, a] = [0, 0]
  while (l < live.length || a < applied.length) {
    const [liveKey, appliedKey] = [liveKeys[l], appliedKeys[a]]
    const shared = liveKey !== undefined && appliedKeys.includes(liveKey)
    if (liveKey !== undefined && !shared) {
      merged.push(live[l++] ?? null)
      continue
    }
    const early = sharedToCome[0] !== undefined && sharedToCome[0] !== liveKey
    if (shared && appliedKey !== undefined && liveKey !== appliedKey && early) {
      l++
      continue
    }
    if (liveKey !== undefined && (liveKey === appliedKey || taken.has(liveKey))) l++
    if (appliedKey === undefined) continue
    merged.push(merge(shape.items ?? {}, live[liveKeys.indexOf(appliedKey)], applied[a++]) ?? null)
    taken.add(appliedKey)
    if (sharedToCome[0] === appliedKey) sharedToCome.shift()
  }
  return merged
}

/** The value without the fields of the set. A map or list that this empties becomes null, as the real server has it. */
export function removeFields(shape: Shape, value: Json | undefined, set: FieldSet): Json | undefined {
  const form = formOf(shape, value)
  if (form === 'leaf') return isObject(value) || Array.isArray(value) ? null : value
  const kept: [string, Json][] = []
  const entries =
    form === 'list' ? asList(value).map((item) => [elementOf(shape, item), item] as const) : fieldsIn(value)
  for (const [element, item] of entries) {
    const found = set.children.get(element)
    if (found?.member) continue
    const touched = found && !isEmptySet(found)
    kept.push([element, touched ? (removeFields(shapeBelow(shape, element), item, found) ?? null) : item])
  }
  if (kept.length === 0) return null
  if (form === 'list') return kept.map(([, item]) => item)
  return Object.fromEntries(kept.map(([element, item]) => [element.slice(2), item]))
}

/** The set together with the struct fields on the way to its paths, which no set names by itself. */
export function withNamedFields(shape: Shape, set: FieldSet): FieldSet {
  const result = emptySet()
  for (const [element, child] of set.children) {
    const inner = withNamedFields(shapeBelow(shape, element), child)
    const named = element.startsWith('f:') && !isEmptySet(child) && isNamedField(shape, element.slice(2))
    result.children.set(element, { member: child.member || named, children: inner.children })
  }
  return result
}

/**
 * Checks that an applied object fits its shape as far as merging goes: strings are strings, and the items of keyed lists
 * can be told apart.
 * @throws ShapeError for anything else where a string must be, an item without keys, or two items with the same.
 */
export function checkShape(shape: Shape, value: Json | undefined, path = ''): void {
  const form = formOf(shape, value)
  if (shape.text && value !== null && typeof value !== 'string') {
    throw new ShapeError(`${path}: expected string, got &value.valueUnstructured{Value:${JSON.stringify(value)}}`)
  }
  if (shape.items?.text && Array.isArray(value)) throw new ShapeError(`${path}: expected map, got &{[${value}]}`)
  if (form === 'map') {
    for (const [key, item] of Object.entries(asMap(value))) checkShape(fieldShape(shape, key), item, `${path}.${key}`)
  }
  if (form !== 'list') return
  const seen = new Set<string>()
  for (const [at, item] of asList(value).entries()) {
    const element = elementOf(shape, item)
    if (element === 'k:{}') {
      const keys = JSON.stringify(shape.list).replaceAll('","', '" "')
      const why = `omits all key fields ${keys} (and doesn't have default values for any key fields)`
      throw new ShapeError(`${path}: element ${at}: associative list with keys has an element that ${why}`)
    }
    if (seen.has(element)) throw new ShapeError(`${path}: duplicate entries for key ${keyText(element)}`)
    seen.add(element)
    checkShape(shape.items ?? {}, item, `${path}${keyText(element)}`)
  }
}

function keyText(element: string): string {
  const value = element.slice(2)
  if (element.startsWith('v:')) return `[=${value}]`
  const keys = Object.entries(JSON.parse(value)).map(([name, key]) => `${name}=${JSON.stringify(key)}`)
  return `[${keys.join(',')}]`
}

function formOf(shape: Shape, value: Json | undefined): Form {
  if (isObject(value) && shape.map !== 'atomic') return 'map'
  if (Array.isArray(value) && shape.list) return 'list'
  return 'leaf'
}

/** Null and absent take the form of the other side. Two forms that do not fit are compared as they stand. */
function commonForm(shape: Shape, left: Json | undefined, right: Json | undefined): Form {
  if (left === undefined || left === null) return formOf(shape, right)
  if (right === undefined || right === null) return formOf(shape, left)
  const [leftForm, rightForm] = [formOf(shape, left), formOf(shape, right)]
  return leftForm === rightForm ? leftForm : 'leaf'
}

/** Children by path element; more than one only for list items that share a key. */
function childrenOf(shape: Shape, form: Form, value: Json | undefined): Map<string, Json[]> {
  const children = new Map<string, Json[]>()
  const entries =
    form === 'list' ? asList(value).map((item) => [elementOf(shape, item), item] as const) : fieldsIn(value)
  for (const [element, item] of entries) children.set(element, [...(children.get(element) ?? []), item])
  return children
}

function fieldsIn(value: Json | undefined): (readonly [string, Json])[] {
  return Object.entries(asMap(value)).flatMap(([key, item]) =>
    item === undefined ? [] : [[`f:${key}`, item] as const],
  )
}

/** The path element of a list item: its keys in order of their names, or its value. */
function elementOf(shape: Shape, item: Json): string {
  if (shape.list === 'set') return `v:${JSON.stringify(item)}`
  const keys: JsonObject = {}
  for (const name of [...(shape.list ?? [])].sort()) {
    const value = (isObject(item) ? item[name] : undefined) ?? shape.items?.fields?.[name]?.default
    if (value !== undefined) keys[name] = value
  }
  return `k:${JSON.stringify(keys)}`
}

function asMap(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {}
}

function asList(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : []
}
