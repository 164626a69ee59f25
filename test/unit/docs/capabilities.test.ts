import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { capabilitiesPage } from '../../../scripts/capability-table.ts'
import { CAPABILITIES } from '../../../src/mesh/capabilities.ts'
import { SEEN_ON_ISTIO } from '../../real/seen-in-traffic.ts'

it('docs/capabilities.md says what refusals say: node scripts/capability-table.ts writes it', () => {
  expect(readFileSync(join(import.meta.dirname, '../../../docs/capabilities.md'), 'utf8')).toBe(capabilitiesPage())
})

it('what is seen in real traffic is rendered, stands once, and has its test', () => {
  const seen = Object.values(SEEN_ON_ISTIO).flat()
  expect(seen.filter((feature, index) => seen.indexOf(feature) !== index)).toEqual([])
  expect(seen.filter((feature) => CAPABILITIES.istio[feature].support === 'refused')).toEqual([])
  const real = join(import.meta.dirname, '../../real')
  const lost = Object.keys(SEEN_ON_ISTIO).filter((test) => !existsSync(join(real, `${test}.test.ts`)))
  expect(lost).toEqual([])
})
