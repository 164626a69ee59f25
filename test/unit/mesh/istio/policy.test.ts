import { describe, expect, it } from 'vitest'
import { CAPABILITIES } from '../../../../src/mesh/capabilities.ts'
import { FEATURES } from '../../../../src/mesh/features.ts'
import { istio } from '../../../../src/mesh/istio/istio.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import { EXPOSURE_ROWS } from './exposure-rows.ts'
import type { PolicyRow } from './policy-rows.ts'
import { RATE_ROWS } from './rate-rows.ts'
import { inputOf, specOf } from './specs.ts'
import { TRAFFIC_ROWS } from './traffic-rows.ts'
import { WORKLOAD_ROWS } from './workload-rows.ts'

const ROWS = { ...TRAFFIC_ROWS, ...RATE_ROWS, ...EXPOSURE_ROWS, ...WORKLOAD_ROWS }
const ALL = Object.entries(ROWS).flatMap(([feature, rows]) => rows.map((row, index) => ({ feature, row, index })))

/** Told by other tests: what every service has, and what rollouts ask. */
const ELSEWHERE =
  /^(versions|ports\.(http|http2|grpc)|hosts|traffic\.(weights|timeout|retries\.(attempts|perTryTimeout)))$|^(rollouts|gates)\./

function render({ change }: PolicyRow) {
  return istio.render(inputOf({ spec: specOf(change) }))
}

function find(objects: readonly KubeObject[], key: string): KubeObject | undefined {
  const [kind, name] = key.split(' ')
  return objects.find((object) => object.kind === kind && (name === undefined || object.metadata.name === name))
}

function field(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], value)
}

describe('the neutral policy on Istio', () => {
  it.each(ALL)('renders or refuses $feature ($index)', ({ row }) => {
    const result = render(row)
    if (row.refused !== undefined) {
      expect(result).toMatchObject({
        ok: false,
        failure: { errors: expect.arrayContaining([expect.objectContaining({ pointer: row.refused })]) },
      })
      return
    }
    if (!result.ok) throw new Error(result.failure.detail)
    const objects = result.steps.map(({ object }) => object)
    for (const [key, spec] of Object.entries(row.gives ?? {})) expect(find(objects, key)?.spec).toMatchObject(spec)
    for (const kind of row.without ?? []) expect(find(objects, kind)).toBeUndefined()
    const [first = ''] = Object.keys(row.gives ?? {})
    for (const path of row.lacks ?? []) expect(field(find(objects, first)?.spec, path)).toBeUndefined()
  })

  it('has a row for every feature that is rendered, and none that says otherwise than its capability', () => {
    for (const feature of FEATURES) {
      if (ELSEWHERE.test(feature)) continue
      const rows = (ROWS as Readonly<Record<string, readonly PolicyRow[]>>)[feature]
      const refused = CAPABILITIES.istio[feature].support === 'refused'
      expect({ feature, rendered: rows?.some(({ gives }) => gives) ?? false }).toEqual({ feature, rendered: !refused })
    }
  })
})
