import type { Json } from './json.ts'
import { isObject } from './json.ts'
import type { Shape } from './shape.ts'
import { fieldShape } from './shape.ts'

/** A value that stands where only a string may. */
export interface WrongText {
  /** Names of the fields on the way to it. */
  readonly path: readonly string[]
  readonly value: Json
}

/** The first value that is no string where the shape wants one, or no map where it wants a map of strings. */
export function findWrongText(
  shape: Shape,
  value: Json | undefined,
  path: readonly string[] = [],
): WrongText | undefined {
  if (value === undefined || value === null) return undefined
  if (shape.text) return typeof value === 'string' ? undefined : { path, value }
  if (!isObject(value)) return shape.items?.text ? { path, value } : undefined
  for (const [name, item] of Object.entries(value)) {
    const found = findWrongText(fieldShape(shape, name), item, [...path, name])
    if (found) return found
  }
  return undefined
}

/** Makes the empty string of every null where the shape wants a string, in place. */
export function emptyNullTexts(shape: Shape, value: Json | undefined): void {
  if (!isObject(value)) return
  for (const [name, item] of Object.entries(value)) {
    const inner = fieldShape(shape, name)
    if (item === null && inner.text) value[name] = ''
    else emptyNullTexts(inner, item)
  }
}

/** What Go's JSON decoder says of such a value, for example `cannot unmarshal number into … of type string`. */
export function wrongTextMessage(kind: string, custom: boolean, { path, value }: WrongText): string {
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  const [part = '', field = ''] = path
  const owner = part !== 'metadata' ? `${kind}.${part}` : `ObjectMeta.${custom ? '' : 'metadata.'}${field}`
  const wanted = path.length > (part === 'metadata' ? 2 : 1) ? 'string' : 'map[string]string'
  return `json: cannot unmarshal ${found} into Go struct field ${owner} of type ${wanted}`
}
