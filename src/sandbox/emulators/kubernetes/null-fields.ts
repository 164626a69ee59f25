import type { Json, KubernetesObject } from './json.ts'
import { isObject, valueAt } from './json.ts'
import type { ResourceType } from './resource-type.ts'
import type { Shape } from './shape.ts'
import { fieldShape } from './shape.ts'
import type { FieldError } from './status.ts'

/**
 * Nulls in a custom resource: the one rule of schemas that field ownership itself runs into. An apply that takes the
 * last field out of a struct which another manager owns as empty leaves null behind, and the server refuses that.
 */
export function nullErrors(type: ResourceType, object: KubernetesObject, live?: KubernetesObject): FieldError[] {
  if (!type.custom) return []
  const { metadata, ...rest } = object
  return nullsIn(type.shape, rest, []).map((path) => {
    const field = path.join('.')
    const expected = Array.isArray(valueAt(live, path)) ? 'array' : 'object'
    const message = `Invalid value: "null": ${field} in body must be of type ${expected}: "null"`
    return { field, reason: 'FieldValueTypeInvalid', message }
  })
}

/** Paths of nulls in structs; parts without schema may hold them. */
function nullsIn(shape: Shape, value: Json | undefined, path: readonly string[]): string[][] {
  if (value === null) return [[...path]]
  if (!isObject(value) || (shape.map === 'keys' && !shape.items)) return []
  if (shape.map === 'keys' && shape.items === shape.items?.items) return []
  return Object.entries(value).flatMap(([name, item]) => nullsIn(fieldShape(shape, name), item, [...path, name]))
}
