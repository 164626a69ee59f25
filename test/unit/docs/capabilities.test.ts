import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { capabilitiesPage } from '../../../scripts/capability-table.ts'

it('docs/capabilities.md says what refusals say: node scripts/capability-table.ts writes it', () => {
  expect(readFileSync(join(import.meta.dirname, '../../../docs/capabilities.md'), 'utf8')).toBe(capabilitiesPage())
})
