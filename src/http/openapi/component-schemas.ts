import * as z from 'zod'
import { canonicalJson } from '../../model/digest.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

/** Collects the schemas of zod that have an id, as OpenAPI keeps them under `components`. */
export interface ComponentSchemas {
  /** The schema as JSON Schema 2020-12, which OpenAPI 3.1 speaks; named parts are references. `side`: what we take, or what we give. */
  add(schema: z.ZodType, side: 'input' | 'output'): JsonSchema
  /** Adds one that zod does not know. */
  put(name: string, schema: JsonSchema): JsonSchema
  readonly all: Readonly<Record<string, JsonSchema>>
}

const LOCAL = '#/$defs/'
const SHARED = '#/components/schemas/'

export function componentSchemas(): ComponentSchemas {
  const all: Record<string, JsonSchema> = {}
  const put = (name: string, schema: JsonSchema) => {
    const known = all[name]
    if (known && canonicalJson(known) !== canonicalJson(schema)) throw new Error(`two schemas have the id ${name}`)
    all[name] = schema
    return { $ref: SHARED + name }
  }
  return {
    all,
    put,
    add(schema, side) {
      const { $schema: _, $defs = {}, ...own } = z.toJSONSchema(schema, { io: side, override: tidy(side) })
      for (const [name, definition] of Object.entries($defs)) put(name, rewritten(definition) as JsonSchema)
      return rewritten(own) as JsonSchema
    },
  }
}

/** Answers may grow fields: their objects are not closed. Zod repeats the id as a field; OpenAPI does not know it. */
function tidy(side: 'input' | 'output') {
  return ({ jsonSchema }: { jsonSchema: Record<string, unknown> }) => {
    delete jsonSchema.id
    if (side === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
  }
}

function rewritten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewritten)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const refers = name === '$ref' && typeof inner === 'string' && inner.startsWith(LOCAL)
      return [name, refers ? SHARED + inner.slice(LOCAL.length) : rewritten(inner)]
    }),
  )
}
