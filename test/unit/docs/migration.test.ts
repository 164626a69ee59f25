import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { MIGRATION_RULES } from '../../../src/mesh/osm/migration/rules.ts'

it('docs/migration-osm.md holds every code with its severity, words and fix', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/migration-osm.md'), 'utf8')
  const table = [...text.matchAll(/^\| `([A-Z]\w+)` \| (error|warning|info) \| (.*) \| (.*) \|$/gm)].map(
    ([, ...cells]) => cells,
  )
  expect(table).toEqual(
    Object.entries(MIGRATION_RULES).map(([code, { severity, what, fix }]) => [code, severity, what, fix]),
  )
})
