import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decideSpread,
  MOST_IN_WAVE,
  type SpreadPlacement,
  waveSizes,
} from '../../../../src/model/policy/decide-spread.ts'
import { sharedPolicySpec } from '../../../../src/model/policy/shared-policy.ts'
import type { Spread } from '../../../../src/model/policy/spread.ts'

const NOW = Date.UTC(2026, 4, 1, 12)
const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1000).toISOString()

function placement(service: string, change: Partial<SpreadPlacement> = {}): SpreadPlacement {
  return { service, cluster: 'east', state: 'pending', live: true, ready: true, ...change }
}

function spreadOf(services: readonly string[], change: Partial<Spread> = {}): Spread {
  const released = services.map((service) => ({ service, cluster: 'east', awaited: true }))
  return { generation: 2, total: 20, wave: 1, released, waveAt: at(30), ...change }
}

function policyOf(spread?: Spread, waves?: object) {
  const spec = sharedPolicySpec.parse({ appliesTo: 'all', traffic: { timeout: '1s' }, ...(waves ? { waves } : {}) })
  return { generation: 2, spec, ...(spread ? { spread } : {}) }
}

const reached = { state: 'reached' } as const
const many = (count: number, change: Partial<SpreadPlacement> = {}) =>
  Array.from({ length: count }, (_, index) => placement(`shop/s${index}`, change))
const released = (decision: ReturnType<typeof decideSpread>) =>
  decision.kind === 'release' ? decision.spread.released.map(({ service }) => service) : decision.kind

describe('the next step of a policy on its way', () => {
  it('lets one placement go first, one that is in order', () => {
    const seen = [placement('shop/a', { ready: false }), placement('shop/b'), placement('shop/c')]
    expect(decideSpread(policyOf(), seen, NOW)).toEqual({
      kind: 'release',
      spread: {
        generation: 2,
        total: 3,
        wave: 1,
        released: [{ service: 'shop/b', cluster: 'east', awaited: true }],
        waveAt: at(0),
      },
    })
  })

  it('writes what was let go and is not written yet, whatever else there is', () => {
    const seen = [placement('shop/s0'), ...many(20).slice(1)]
    expect(decideSpread(policyOf(spreadOf(['shop/s0'])), seen, NOW)).toMatchObject({
      kind: 'apply',
      placements: [{ service: 'shop/s0' }],
    })
  })

  it('waits until the wave is live', () => {
    const seen = [placement('shop/s0', { ...reached, live: false }), ...many(20).slice(1)]
    expect(decideSpread(policyOf(spreadOf(['shop/s0'])), seen, NOW)).toEqual({
      kind: 'wait',
      reason: 'Progressing',
      message: 'Wave 1 waits for shop/s0 on east.',
      lookAt: NOW + 7500,
    })
  })

  it('says what a wave is stuck on, and looks less often', () => {
    const stuck = { ...reached, live: false, trouble: 'VirtualService web is of Flagger.' }
    const seen = [placement('shop/s0', stuck), ...many(20).slice(1)]
    expect(decideSpread(policyOf(spreadOf(['shop/s0'], { waveAt: at(600) })), seen, NOW)).toEqual({
      kind: 'wait',
      reason: 'Stuck',
      message: 'Wave 1 waits for shop/s0 on east (VirtualService web is of Flagger).',
      lookAt: NOW + 60_000,
    })
  })

  it('then lets a tenth go, and the rest', () => {
    const first = [placement('shop/s0', reached), ...many(20).slice(1)]
    expect(released(decideSpread(policyOf(spreadOf(['shop/s0'])), first, NOW))).toEqual(['shop/s1'])
    const second = [...many(2, reached), ...many(20).slice(2)]
    expect(released(decideSpread(policyOf(spreadOf(['shop/s1'])), second, NOW))).toHaveLength(18)
  })

  it('does not wait for what was out of order before', () => {
    const spread = { ...spreadOf([]), released: [{ service: 'shop/s0', cluster: 'east', awaited: false }] }
    const seen = [placement('shop/s0', { ...reached, live: false }), ...many(20).slice(1)]
    expect(released(decideSpread(policyOf(spread), seen, NOW))).toEqual(['shop/s1'])
  })

  it('bakes between waves, from when the wave is live, and not after the last', () => {
    const policy = policyOf(spreadOf(['shop/s0']), { bake: '1m' })
    const live = placement('shop/s0', { ...reached, liveAt: NOW - 20_000 })
    expect(decideSpread(policy, [live, ...many(20).slice(1)], NOW)).toMatchObject({
      reason: 'Baking',
      lookAt: NOW + 40_000,
    })
    expect(released(decideSpread(policy, [live, ...many(20).slice(1)], NOW + 40_000))).toEqual(['shop/s1'])
    expect(decideSpread(policy, [live], NOW)).toEqual({ kind: 'done', refused: [] })
  })

  it('begins anew for a newer change, with what the older one left in trouble', () => {
    const older = spreadOf(['shop/s7'], { generation: 1 })
    const seen = many(20).map((one) => (one.service === 'shop/s7' ? { ...one, live: false, ready: false } : one))
    const decision = decideSpread(policyOf(older), seen, NOW)
    expect(decision).toMatchObject({ spread: { wave: 1, released: [{ service: 'shop/s7', awaited: true }] } })
  })

  it('goes on without those that cannot carry it, and names them in the end', () => {
    const refused = placement('shop/a', { state: 'refused', trouble: 'The mesh has no means for it.' })
    expect(released(decideSpread(policyOf(), [refused, placement('shop/b')], NOW))).toEqual(['shop/b'])
    expect(decideSpread(policyOf(), [refused, placement('shop/b', reached)], NOW)).toEqual({
      kind: 'done',
      refused: [refused],
    })
  })

  it.each([
    [0, undefined, []],
    [1, undefined, [1]],
    [3, undefined, [1, 2]],
    [20, undefined, [1, 1, 18]],
    [500, undefined, [1, 49, 200, 200, 50]],
    [100, [5, 50], [1, 4, 45, 50]],
    [10, [], [1, 9]],
  ])('%i placements with percents %j go in waves of %j', (total, percents, sizes) => {
    expect(waveSizes(total, percents)).toEqual(sizes)
  })
})

describe('any fleet', () => {
  const fleets = fc.array(
    fc.record({ ready: fc.boolean(), refused: fc.boolean(), slow: fc.integer({ min: 0, max: 4 }) }),
    { maxLength: 60 },
  )

  it('gets a policy whole, never more than a wave at a time, and none while one that was in order is not live', () => {
    fc.assert(
      fc.property(fleets, fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 3 }), (fleet, percents) => {
        const policy = policyOf(undefined, { percents: percents.sort((a, b) => a - b) })
        let spread: Spread | undefined
        let seen: readonly SpreadPlacement[] = fleet.map(({ ready, refused }, index) =>
          placement(`shop/s${index}`, { ready, state: refused ? 'refused' : 'pending' }),
        )
        const left = fleet.map(({ slow }) => slow)
        for (let turn = 0; turn < 1000; turn += 1) {
          const decision = decideSpread({ ...policy, ...(spread ? { spread } : {}) }, seen, NOW)
          if (decision.kind === 'done') {
            expect(seen.filter(({ state }) => state === 'pending')).toEqual([])
            return
          }
          if (decision.kind === 'release') {
            for (const { service, awaited } of spread?.released ?? [])
              expect(awaited && seen.find((one) => one.service === service)?.live === false).toBe(false)
            expect(decision.spread.released.length).toBeLessThanOrEqual(MOST_IN_WAVE)
            if (!spread) expect(decision.spread.released).toHaveLength(1)
            spread = decision.spread
          }
          const names = decision.kind === 'apply' ? decision.placements.map(({ service }) => service) : []
          seen = seen.map((one, index) => {
            if (names.includes(one.service)) return { ...one, state: 'reached', live: (left[index] ?? 0) === 0 }
            if (decision.kind !== 'wait' || one.live) return one
            left[index] = (left[index] ?? 0) - 1
            return { ...one, live: (left[index] ?? 0) <= 0 }
          })
        }
        expect.fail('it never ends')
      }),
    )
  })
})
