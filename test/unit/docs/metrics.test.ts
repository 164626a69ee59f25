import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { clusterSpec } from '../../../src/model/cluster.ts'
import { isManagedPrometheus } from '../../../src/model/metrics.ts'
import { rolloutRequest } from '../../../src/model/rollout.ts'

const text = readFileSync(join(import.meta.dirname, '../../../docs/metrics.md'), 'utf8')
const examples = [...text.matchAll(/```json\n(.*?)```/gs)].map(([, json = '']) => JSON.parse(json) as object)

it('the bodies of docs/metrics.md are taken as they stand', () => {
  expect(examples).toHaveLength(8)
  for (const example of examples) {
    const schema = 'candidate' in example ? rolloutRequest : clusterSpec
    expect(schema.safeParse(example).error?.issues, JSON.stringify(example)).toBeUndefined()
  }
  const endpoints = [...text.matchAll(/"endpoint": "([^"]+)"/g)].map(([, endpoint = '']) => endpoint)
  expect(endpoints.map(isManagedPrometheus)).toEqual([true])
})
