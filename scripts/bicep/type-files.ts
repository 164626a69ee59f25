/** A `types.json` of Azure/bicep-types-az: types by position, which refer to each other as `#/POSITION`. */
export type TypeFile = readonly TypeEntry[]

interface Ref {
  readonly $ref: string
}

interface TypeEntry {
  readonly $type: string
  readonly name?: string
  readonly body?: Ref
  readonly properties?: Readonly<Record<string, Property>>
  readonly baseProperties?: Readonly<Record<string, Property>>
  readonly additionalProperties?: Ref
  readonly itemType?: Ref
  readonly value?: string
  readonly elements?: readonly Ref[] | Readonly<Record<string, Ref>>
}

interface Property {
  readonly type: Ref
  /** Bits: 1 required, 2 read-only, 4 write-only, 8 constant at deployment. */
  readonly flags?: number
}

/** What the published types say of one property. */
export interface FoundType {
  readonly problem?: string
  /** The only values that are taken. */
  readonly values?: readonly string[]
  /** What an object must hold there. */
  readonly required: readonly string[]
}

const REQUIRED = 1
const READ_ONLY = 2

/** Follows a path (`properties.sku.name`, `[]` for items) from a resource type; says what is wrong, or what is there. */
export function readType(types: TypeFile, resource: number, path: string): FoundType {
  const at = (ref: Ref | undefined): TypeEntry | undefined => types[Number(ref?.$ref.split('/').at(-1))]
  let here: readonly TypeEntry[] = [at(types[resource]?.body)].filter((entry) => entry !== undefined)
  for (const step of path.match(/\[\]|[^.[\]]+/g) ?? []) {
    const next = here.flatMap((entry) => follow(types, entry, step))
    const open = next.filter((property) => ((property.flags ?? 0) & READ_ONLY) === 0)
    if (next.length === 0) return { problem: `there is no ${step}`, required: [] }
    if (open.length === 0) return { problem: `${step} cannot be set`, required: [] }
    here = open.flatMap(({ type }) => alternatives(types, at(type)))
  }
  const values = here.map((entry) => entry.value)
  const closed = here.length > 0 && values.every((value) => value !== undefined)
  return {
    ...(closed ? { values: values.filter((value) => value !== undefined) } : {}),
    required: here.length === 1 && here[0] ? requiredOf(here[0]) : [],
  }
}

function follow(types: TypeFile, entry: TypeEntry, step: string): readonly Property[] {
  if (step === '[]') return entry.itemType ? [{ type: entry.itemType }] : []
  const own = { ...entry.baseProperties, ...entry.properties }[step]
  if (own) return [own]
  if (entry.$type === 'DiscriminatedObjectType') {
    return Object.values(entry.elements ?? {}).flatMap((ref: Ref) =>
      alternatives(types, types[Number(ref.$ref.split('/').at(-1))]).flatMap((one) => follow(types, one, step)),
    )
  }
  return entry.additionalProperties
    ? [{ type: entry.additionalProperties }]
    : entry.$type === 'AnyType'
      ? [{ type: { $ref: '#/-1' } }]
      : []
}

/** The members of a union; any other type is alone. */
function alternatives(types: TypeFile, entry: TypeEntry | undefined): readonly TypeEntry[] {
  if (!entry) return []
  if (entry.$type !== 'UnionType') return [entry]
  return Object.values(entry.elements ?? {}).flatMap((ref: Ref) =>
    alternatives(types, types[Number(ref.$ref.split('/').at(-1))]),
  )
}

function requiredOf({ baseProperties, properties }: TypeEntry): readonly string[] {
  return Object.entries({ ...baseProperties, ...properties })
    .filter(([, { flags = 0 }]) => (flags & REQUIRED) !== 0 && (flags & READ_ONLY) === 0)
    .map(([name]) => name)
    .sort()
}
