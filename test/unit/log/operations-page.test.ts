import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { MEASURES } from '../../../src/ports/measures.ts'

const page = readFileSync('docs/operations.md', 'utf8')

it.each(Object.entries(MEASURES))('docs/operations.md names the metric %s with its unit', (name, { unit }) => {
  expect(page).toContain(`| \`${name}\` | ${unit} |`)
})

it('docs/operations.md names every event of the business log', () => {
  const texts = globSync('src/log/*.ts').map((file) => readFileSync(file, 'utf8'))
  const events = texts.flatMap((text) => [
    ...text.matchAll(/logger\.log\([^']*?(?:'\w+', |\? '\w+' : '\w+', |level, |, )?'([a-z-]+\.[a-z-]+)'/g),
  ])
  const names = new Set(events.map(([, name]) => name))
  expect(names.size).toBeGreaterThan(8)
  for (const name of names) expect(page).toContain(`| \`${name}\``)
})

it('every metric that is told is one that is named, and the other way round', () => {
  const texts = globSync('src/**/*.ts').map((file) => [file, readFileSync(file, 'utf8')] as const)
  const told = texts
    .filter(([file]) => !file.endsWith('measures.ts'))
    .flatMap(([, text]) => [...text.matchAll(/'(meshwright\.[a-z_]+\.?[a-z_]*)'/g)].map(([, name]) => name))
    .filter((name) => name !== undefined && name in MEASURES)
  expect([...new Set(told)].sort()).toEqual(Object.keys(MEASURES).sort())
})
