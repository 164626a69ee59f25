import type { Expression, Statement } from './parse-bicep.ts'

/** One property that a resource sets: `properties.sku.name`, with `[]` for the items of a list. */
export interface PropertyUse {
  readonly path: string
  /** The text, when it is written out and not computed. */
  readonly literal?: string
  /** The value is an object that is written out: it must hold what is required there. */
  readonly isObject: boolean
}

/** What belongs to Bicep itself and not to the resource. */
const LANGUAGE = ['scope', 'parent', 'dependsOn']

/** Every property that a resource declaration sets, in the order of writing; the first is the resource itself (path ''). */
export function resourceUses(statement: Extract<Statement, { kind: 'resource' | 'module' }>): readonly PropertyUse[] {
  return usesOf('', statement.value).filter(({ path }) => !LANGUAGE.includes(path.split(/[.[]/)[0] ?? ''))
}

function usesOf(path: string, value: Expression): readonly PropertyUse[] {
  switch (value.kind) {
    case 'object':
      return [
        { path, isObject: true },
        ...value.entries.flatMap(({ key, value: entry }) => usesOf(path === '' ? key : `${path}.${key}`, entry)),
      ]
    case 'array':
      return [{ path, isObject: false }, ...value.items.flatMap((item) => usesOf(`${path}[]`, item))]
    case 'choice':
      return [...usesOf(path, value.then), ...usesOf(path, value.else)]
    case 'loop':
    case 'condition':
      return usesOf(path, value.body)
    case 'string':
      return [{ path, isObject: false, ...(value.parts.length === 0 ? { literal: value.text } : {}) }]
    default:
      return [{ path, isObject: false }]
  }
}
