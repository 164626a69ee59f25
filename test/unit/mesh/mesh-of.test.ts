import { describe, expect, it } from 'vitest'
import { meshOf } from '../../../src/mesh/mesh-of.ts'
import { clusterSpec } from '../../../src/model/cluster.ts'

const specOf = (mesh: object) => clusterSpec.parse({ kubeconfig: { context: 'east' }, mesh })
const found = { provider: 'istio', version: '1.30.2' } as const

describe('the mesh of a cluster', () => {
  it('is the one that was found, unless its owner names another', () => {
    expect(meshOf({ spec: specOf({}), mesh: found })).toEqual(found)
    expect(meshOf({ spec: specOf({ provider: 'istio' }), mesh: found })).toEqual(found)
    expect(meshOf({ spec: specOf({ provider: 'linkerd' }), mesh: found })).toEqual({ provider: 'linkerd' })
    expect(meshOf({ spec: specOf({}) })).toBeUndefined()
  })

  it('takes EnvoyFilters where its owner says so, and nowhere else', () => {
    expect(meshOf({ spec: specOf({ envoyFilters: true }), mesh: found })).toEqual({ ...found, envoyFilters: true })
    expect(meshOf({ spec: specOf({ envoyFilters: false }), mesh: found })).toEqual(found)
    expect(meshOf({ spec: specOf({ envoyFilters: true }) })).toBeUndefined()
  })
})
