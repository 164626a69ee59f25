import { describe, expect, it } from 'vitest'
import { desiredTraffic } from '../../../src/model/desired-traffic.ts'
import type { Rollout, RolloutPhase } from '../../../src/model/rollout.ts'
import type { CandidateTraffic } from '../../../src/model/step.ts'
import { rollout, serviceDocument } from '../reconcile/world.ts'

const match = [{ headers: { 'x-preview': { exact: 'yes' } } }]
const STICKY = { cookie: 'c', maxAgeMs: 60_000 }

function asked(phase: RolloutPhase, traffic: CandidateTraffic, affinity?: Rollout['affinity']) {
  const base = rollout(phase, traffic.weight, 1)
  const targets = base.targets.map((target) => ({ ...target, ...traffic }))
  const live = { ...base, targets, ...(affinity ? { affinity } : {}) }
  return desiredTraffic(serviceDocument({ rollouts: [live] }), 'east')
}

describe('the traffic that a service asks for on a cluster', () => {
  it('is weights alone without a rollout, and none where the service is not to be', () => {
    expect(desiredTraffic(serviceDocument(), 'east')).toEqual({ weights: { v1: 100 } })
    expect(desiredTraffic(serviceDocument(), 'west')).toBeUndefined()
  })

  it('is what a step asks for the candidate besides its weight', () => {
    expect(asked('progressing', { weight: 10 })).toEqual({ weights: { v1: 90, v2: 10 } })
    expect(asked('progressing', { weight: 0, match })).toEqual({
      weights: { v1: 100, v2: 0 },
      candidate: { version: 'v2', match },
    })
    expect(asked('paused', { weight: 0, mirror: 5 })?.candidate).toEqual({ version: 'v2', mirror: 5 })
  })

  it.each([
    [0, false],
    [1, true],
    [99, true],
    [100, false],
  ])('remembers at %i per cent who got the candidate: %s', (weight, remembers) => {
    const affinity = { cookie: 'c', value: 'shop.web.k3', maxAgeMs: 60_000 }
    const candidate = remembers ? { version: 'v2', affinity } : undefined
    expect(asked('progressing', { weight }, STICKY)?.candidate).toEqual(candidate)
  })

  it('is nothing for the candidate on the way back, nor on another cluster', () => {
    expect(asked('rolling-back', { weight: 10, match, mirror: 5 }, STICKY)).toEqual({ weights: { v1: 100, v2: 0 } })
    const live = { ...rollout('progressing', 10, 1), affinity: STICKY }
    const targets = { east: { stable: 'v1' }, west: { stable: 'v1' } }
    expect(desiredTraffic(serviceDocument({ rollouts: [live], targets }), 'west')).toEqual({ weights: { v1: 100 } })
  })
})
