import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { withExamples } from '../../../scripts/policy-examples.ts'
import { FEATURES } from '../../../src/mesh/features.ts'
import { istio } from '../../../src/mesh/istio/istio.ts'
import { serviceSpec } from '../../../src/model/service.ts'
import { inputOf, specOf } from '../mesh/istio/specs.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/policy.md'), 'utf8')

/** Each body of the page, with the Istio objects that stand below it. */
const examples = [...page.matchAll(/```json\n(.*?)```\n+```yaml\n(kind: .*?)```/gs)].map(
  ([, json = '', yaml = '']) => ({
    change: JSON.parse(json) as Readonly<Record<string, unknown>>,
    objects: parseAllDocuments(yaml).map(
      (document) => document.toJS() as { kind: string; metadata?: { name: string }; spec: object },
    ),
  }),
)

it('docs/policy.md shows what Istio gets for its bodies', () => {
  expect(examples.length).toBeGreaterThanOrEqual(6)
  for (const { change, objects } of examples) {
    const result = istio.render(inputOf({ spec: specOf(change) }))
    if (!result.ok) throw new Error(result.failure.detail)
    const steps = result.steps.map(({ object }) => object)
    for (const { kind, metadata, spec } of objects) {
      const found = steps.find((one) => one.kind === kind && (!metadata || one.metadata.name === metadata.name))
      expect(found?.spec, kind).toMatchObject(spec)
    }
  }
})

it('and what each mesh gets: node scripts/policy-examples.ts writes it', () => {
  expect(withExamples(page)).toBe(page)
})

it('its bodies are taken as they stand', () => {
  for (const [, json = ''] of page.matchAll(/```json\n(.*?)```/gs)) {
    expect(serviceSpec.safeParse({ ...specOf(), ...(JSON.parse(json) as object) }).error?.issues).toBeUndefined()
  }
})

it('it names every field of a policy, or the field that holds it', () => {
  const named = new Set(
    [...page.matchAll(/`((?:traffic|security|egress|telemetry)\.[\w.]+)`/g)].map(([, path]) => path),
  )
  const holders = (feature: string) => {
    const parts = feature.split('.')
    return parts.map((_, index) => parts.slice(0, index + 1).join('.')).filter((path) => path.includes('.'))
  }
  const fields = FEATURES.filter((feature) => /^(traffic|security|egress|telemetry)\./.test(feature))
  expect(fields.filter((feature) => !holders(feature).some((path) => named.has(path)))).toEqual([])
})
