import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { MEASURES } from '../../../src/ports/measures.ts'

const page = readFileSync('docs/operations.md', 'utf8')

it.each(Object.entries(MEASURES))('docs/operations.md names the metric %s with its unit', (name, { unit }) => {
  expect(page).toContain(`| \`${name}\` | ${unit} |`)
})

it('docs/operations.md names every event of the logs', () => {
  const texts = globSync('src/**/*.ts').map((file) => readFileSync(file, 'utf8'))
  const calls = texts.flatMap((text) => [...text.matchAll(/logger\.log\([^\n]*/g)].map(([call]) => call))
  const events = calls.flatMap((call) => [...call.matchAll(/'([a-z-]+\.[a-z-]+)'/g)].map(([, event]) => event))
  expect(new Set(events).size).toBeGreaterThan(15)
  expect(events.filter((event) => !page.includes(`\`${event}\``))).toEqual([])
})

it('every metric that is told is one that is named, and the other way round', () => {
  const texts = globSync('src/**/*.ts').map((file) => [file, readFileSync(file, 'utf8')] as const)
  const told = texts
    .filter(([file]) => !file.endsWith('measures.ts'))
    .flatMap(([, text]) => [...text.matchAll(/'(meshwright\.[a-z_]+\.?[a-z_]*)'/g)].map(([, name]) => name))
    .filter((name) => name !== undefined && name in MEASURES)
  expect([...new Set(told)].sort()).toEqual(Object.keys(MEASURES).sort())
})
