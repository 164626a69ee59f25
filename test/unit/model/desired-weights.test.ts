import { describe, expect, it } from 'vitest'
import { desiredWeights } from '../../../src/model/desired-weights.ts'
import type { RolloutPhase } from '../../../src/model/rollout.ts'
import { serviceSpec } from '../../../src/model/service.ts'
import { rollout, serviceDocument } from '../reconcile/world.ts'

describe('the weights that a service asks for on a cluster', () => {
  it('are all to stable', () => {
    expect(desiredWeights(serviceDocument(), 'east')).toEqual({ v1: 100 })
  })

  it('are none where it is not to be', () => {
    expect(desiredWeights(serviceDocument(), 'west')).toBeUndefined()
  })

  it('are the pinned ones', () => {
    const spec = serviceSpec.parse({ ...serviceDocument().spec, traffic: { weights: { v1: 30, v2: 70 } } })
    expect(desiredWeights(serviceDocument({ spec }), 'east')).toEqual({ v1: 30, v2: 70 })
  })

  it.each<[RolloutPhase, number, Record<string, number>]>([
    ['pending', 0, { v1: 100, v2: 0 }],
    ['preflight', 0, { v1: 100, v2: 0 }],
    ['progressing', 25, { v1: 75, v2: 25 }],
    ['paused', 25, { v1: 75, v2: 25 }],
    ['promoting', 100, { v1: 0, v2: 100 }],
    ['baking', 100, { v1: 0, v2: 100 }],
    ['rolling-back', 25, { v1: 100, v2: 0 }],
    ['succeeded', 100, { v1: 100 }],
  ])('in phase %s at %i are %j', (phase, weight, weights) => {
    expect(desiredWeights(serviceDocument({ rollouts: [rollout(phase, weight, 1)] }), 'east')).toEqual(weights)
  })

  it('go back to what was stable before, though the bake has moved stable', () => {
    const document = serviceDocument({
      rollouts: [rollout('rolling-back', 100, 1)],
      targets: { east: { stable: 'v2' } },
    })
    expect(desiredWeights(document, 'east')).toEqual({ v1: 100, v2: 0 })
  })

  it('of a rollout on other clusters do not count', () => {
    const document = serviceDocument({
      rollouts: [rollout('progressing', 25, 1)],
      targets: { east: { stable: 'v1' }, west: { stable: 'v2' } },
    })
    expect(desiredWeights(document, 'west')).toEqual({ v2: 100 })
  })
})
