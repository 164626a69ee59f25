import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { withMachine } from '../../../scripts/rollout-table.ts'
import { rolloutRequest } from '../../../src/model/rollout.ts'
import { strategySpec } from '../../../src/model/strategy.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/rollouts.md'), 'utf8')

it('docs/rollouts.md draws the state machine that the code has: node scripts/rollout-table.ts writes it', () => {
  expect(page).toBe(withMachine(page))
})

/** Rollouts and strategies: other bodies on the page belong to the webhook's receiver. */
const bodies = [...page.matchAll(/```json\n(.*?)```/gs)]
  .map(([, json = '']) => JSON.parse(json) as object)
  .filter((body) => 'steps' in body || 'candidate' in body || 'waves' in body)

it('the bodies on the page are taken as they stand', () => {
  expect(bodies.length).toBeGreaterThanOrEqual(6)
  for (const body of bodies) {
    const isStrategy = 'guardRails' in body
    const filled = isStrategy ? body : { candidate: 'v2', ...body }
    const { error } = (isStrategy ? strategySpec : rolloutRequest).safeParse(filled)
    expect(error?.issues, JSON.stringify(body)).toBeUndefined()
  }
})
