import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { IMPORT_RULES } from '../../../src/mesh/read/codes.ts'

const text = readFileSync(join(import.meta.dirname, '../../../docs/import.md'), 'utf8')

it('docs/import.md holds every code with its severity and words', () => {
  const table = [...text.matchAll(/^\| `(\w+)` \| (\w+) \| (.*) \|$/gm)].map(([, ...cells]) => cells)
  expect(table).toEqual(Object.entries(IMPORT_RULES).map(([code, { severity, words }]) => [code, severity, words]))
})
