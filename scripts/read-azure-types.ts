import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseBicep } from './bicep/parse-bicep.ts'
import { resourceUses } from './bicep/resource-uses.ts'
import { readType, type TypeFile } from './bicep/type-files.ts'

/**
 * Writes infra/resource-types.json: for each resource type that infra/ uses, the properties that it sets, as the published
 * types of Azure (github.com/Azure/bicep-types-az, folder `generated`) have them. Fails on a property that they do not
 * have, or that cannot be set. The test of infra/ holds the files to this record, so that it needs no checkout.
 *
 * `node scripts/read-azure-types.ts CHECKOUT COMMIT`
 */
const [checkout = '', commit = ''] = process.argv.slice(2)

interface Recorded {
  /** Every property that is set; `values` where only some are taken. */
  readonly properties: Record<string, { readonly values?: readonly string[] }>
  /** By object: what it must hold. */
  readonly required: Record<string, readonly string[]>
}

const record: Record<string, Recorded> = {}
const wrong: string[] = []
for (const file of globSync('infra/**/*.bicep').sort()) {
  for (const statement of parseBicep(readFileSync(file, 'utf8'))) {
    if (statement.kind !== 'resource') continue
    const place = findType(statement.target)
    if (place === undefined) {
      wrong.push(`${file}:${statement.line} ${statement.target} is not among Azure's types`)
      continue
    }
    record[statement.target] ??= { properties: {}, required: {} }
    const entry = record[statement.target]
    for (const use of resourceUses(statement)) {
      const found = readType(place.types, place.position, use.path)
      if (found.problem !== undefined)
        wrong.push(`${file}:${statement.line} ${statement.target} ${use.path}: ${found.problem}`)
      else if (entry) {
        entry.properties[use.path] = found.values === undefined ? {} : { values: found.values }
        if (use.isObject && found.required.length > 0) entry.required[use.path] = found.required
      }
    }
  }
}
/** Where a resource type is: its file is found by namespace and version. */
function findType(target: string): { types: TypeFile; position: number } | undefined {
  const [type = '', version = ''] = target.toLowerCase().split('@')
  const pattern = join(checkout, 'generated', '*', type.split('/')[0] ?? '', version, 'types.json')
  for (const file of globSync(pattern)) {
    const types = JSON.parse(readFileSync(file, 'utf8')) as TypeFile
    const position = types.findIndex(
      ({ $type, name }) => $type === 'ResourceType' && name?.toLowerCase() === target.toLowerCase(),
    )
    if (position >= 0) return { types, position }
  }
  return undefined
}

if (wrong.length > 0) {
  console.error(wrong.join('\n'))
  process.exitCode = 1
} else {
  const sorted = Object.fromEntries(Object.entries(record).sort(([a], [b]) => a.localeCompare(b)))
  const source = `github.com/Azure/bicep-types-az at ${commit}`
  writeFileSync('infra/resource-types.json', `${JSON.stringify({ source, types: sorted }, null, 2)}\n`)
  console.log(`${Object.keys(sorted).length} resource types`)
}
