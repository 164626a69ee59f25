import type { Json, JsonObject } from './json.ts'
import { copy, isObject } from './json.ts'

/**
 * How a value is merged and owned, the part of a type's schema that field ownership needs. Without anything said, a map
 * is a struct (every field is owned by its name) and a list is atomic (owned as one), as OpenAPI has it.
 */
export interface Shape {
  /** `atomic`: owned as one. `keys`: no struct, its keys are data. */
  readonly map?: 'atomic' | 'keys'
  /** `set`: items are owned by value. A list of names: items are owned by these fields. */
  readonly list?: 'set' | readonly string[]
  /** Fields of the struct about which there is something to say. */
  readonly fields?: Readonly<Record<string, Shape>>
  /** Items of the list, or values of a map with data keys. */
  readonly items?: Shape
  /** A string and nothing else; null counts as the empty one. */
  readonly text?: true
  /** Filled in when the field is absent. For a list's key field it also stands in for the absent key. */
  readonly default?: Json
}

/** A part with no schema at all (`x-kubernetes-preserve-unknown-fields`). */
export const free: Shape = {
  map: 'keys',
  get items() {
    return free
  },
}

/** Strings by keys that are data. */
export const texts: Shape = { map: 'keys', items: { text: true } }

/** `metadata` of every object. */
export const objectMeta: Shape = {
  fields: {
    labels: texts,
    annotations: texts,
    finalizers: { list: 'set' },
    ownerReferences: { list: ['uid'], items: { map: 'atomic' } },
  },
}

/** The shape below one path element (`f:name`, `k:{…}`, `v:…`). */
export function shapeBelow(shape: Shape, element: string): Shape {
  if (!element.startsWith('f:')) return shape.items ?? {}
  return fieldShape(shape, element.slice(2))
}

/** The shape of one field of a struct, or of one value of a map. */
export function fieldShape(shape: Shape, name: string): Shape {
  return shape.fields?.[name] ?? shape.items ?? {}
}

/** Whether the field belongs to a struct by its name, rather than being a key of a map. */
export function isNamedField(shape: Shape, name: string): boolean {
  return shape.map !== 'keys' || shape.fields?.[name] !== undefined
}

/** Fills in the shape's defaults, in place. */
export function fillDefaults(shape: Shape, value: Json | undefined): void {
  if (Array.isArray(value)) {
    if (shape.items) for (const item of value) fillDefaults(shape.items, item)
    return
  }
  if (!isObject(value)) return
  for (const [name, field] of Object.entries(shape.fields ?? {})) {
    if (value[name] === undefined && field.default !== undefined) value[name] = copy(field.default)
  }
  for (const [name, item] of Object.entries(value)) fillDefaults(fieldShape(shape, name), item)
}

/**
 * The shape that an `openAPIV3Schema` of a CustomResourceDefinition describes, defaults included.
 * Rules: list types, map types, `additionalProperties` and `x-kubernetes-preserve-unknown-fields`.
 */
export function shapeOfSchema(schema: Json | undefined): Shape {
  if (!isObject(schema)) return {}
  const properties = isObject(schema.properties) ? schema.properties : undefined
  const filled = schema.default === undefined ? {} : { default: schema.default }
  if (schema['x-kubernetes-map-type'] === 'atomic') return { ...filled, map: 'atomic', ...fieldsOf(properties) }
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return { ...filled, ...free, ...fieldsOf(properties) }
  if (schema.type === 'array') return { ...filled, ...listOf(schema), ...itemsOf(schema.items) }
  if (isObject(schema.additionalProperties)) {
    return { ...filled, map: 'keys', ...itemsOf(schema.additionalProperties) }
  }
  return { ...filled, ...fieldsOf(properties) }
}

function listOf(schema: JsonObject): Shape {
  if (schema['x-kubernetes-list-type'] === 'set') return { list: 'set' }
  const keys = schema['x-kubernetes-list-map-keys']
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(keys)) return {}
  return { list: keys.map(String) }
}

function itemsOf(schema: Json | undefined): Shape {
  const items = shapeOfSchema(schema)
  return Object.keys(items).length > 0 ? { items } : {}
}

function fieldsOf(properties: JsonObject | undefined): Shape {
  if (!properties) return {}
  const entries = Object.entries(properties).map(([name, property]) => [name, shapeOfSchema(property)] as const)
  return { fields: Object.fromEntries(entries) }
}
