import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { evaluateRequest } from '../../../src/judge/evaluate-request.ts'
import { gateSpec } from '../../../src/model/gate.ts'
import { judgeRequest } from '../../../src/model/judge.ts'

const text = readFileSync(join(import.meta.dirname, '../../../docs/judge.md'), 'utf8')
const blocks = [...text.matchAll(/```json\n(.*?)```/gs)].map(([, json = '']) => JSON.parse(json) as object)

it('the gate of docs/judge.md is one', () => {
  expect(gateSpec.safeParse(blocks[0]).error?.issues).toBeUndefined()
})

it('the bodies of docs/judge.md get the answers beside them, to three digits', () => {
  const bodies = blocks.filter((block) => 'test' in block)
  expect(bodies).toHaveLength(4)
  for (const body of bodies) {
    const expected = blocks[blocks.indexOf(body) + 1] ?? {}
    const answer = evaluateRequest(judgeRequest.parse(body))
    for (const [field, value] of Object.entries(expected)) {
      expect(rounded(Object.entries(answer).find(([name]) => name === field)?.[1]), field).toEqual(rounded(value))
    }
  }
})

function rounded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rounded)
  return typeof value === 'number' ? Number(value.toPrecision(3)) : value
}
