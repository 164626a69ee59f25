import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { LINT_RULES } from '../../../src/mesh/lint/codes.ts'

const text = readFileSync(join(import.meta.dirname, '../../../docs/lint.md'), 'utf8')

it('docs/lint.md holds every code with its severity, words and what it is called elsewhere', () => {
  const table = [...text.matchAll(/^\| `(\w+)` \| (\w+) \| (.*) \| (.*?) ?\|$/gm)].map(([, ...cells]) => cells)
  const rules = Object.entries(LINT_RULES).map(([code, { severity, words, same }]) => [
    code,
    severity,
    words,
    same.join(', '),
  ])
  expect(table).toEqual(rules)
})

it('docs/lint.md says of no code both that it is checked and that it is not', () => {
  const [, unchecked = ''] = text.split('## What is not checked')
  const same = Object.values(LINT_RULES).flatMap((rule): readonly string[] => rule.same)
  expect(same.filter((code) => unchecked.includes(code))).toEqual([])
})
