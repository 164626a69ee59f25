import { describe, expect, it } from 'vitest'
import { rolloutRequest } from '../../../src/model/rollout.ts'
import { strategySpec } from '../../../src/model/strategy.ts'
import { resolveStrategy } from '../../../src/rollouts/resolve-strategy.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { later } from './fixture.ts'

const GUARDED = strategySpec.parse({
  steps: [
    { weight: 25, for: '10m' },
    { weight: 50, for: '10m', approval: { quorum: 2 } },
    { weight: 75, for: '10m' },
  ],
  minEvents: 100,
  waves: [{ clusters: ['east'] }, {}],
  windows: [{ cron: '0 9 * * 1-5', for: '8h', timeZone: 'Europe/Berlin' }],
  gates: [{ kind: 'errors', limitPercent: 1 }],
  guardRails: {
    gates: true,
    waves: true,
    windows: true,
    approval: true,
    mostRise: 25,
    leastFor: '5m',
    leastBake: '30m',
  },
})

function resolve(body: Readonly<Record<string, unknown>>) {
  const store = new MemoryStore()
  const base = { schema: 1, outbox: [], createdAt: later(0), updatedAt: later(0), generation: 1, idempotency: [] }
  store.put({ ...base, kind: 'strategy', name: 'guarded', spec: GUARDED })
  return resolveStrategy(store, rolloutRequest.parse({ candidate: 'v2', strategy: 'guarded', ...body }))
}

const approved = { weight: 50, for: '10m', approval: { quorum: 2 } }
const last = { weight: 75, for: '10m' }

describe('the guard rails of a strategy', () => {
  it('let a rollout be as it is, and stricter', async () => {
    expect((await resolve({})).ok).toBe(true)
    const steps = [{ weight: 5, for: '1h' }, { weight: 25, for: '10m' }, approved, last]
    const gates = [{ kind: 'errors', limitPercent: 0.5 }]
    expect((await resolve({ steps, bake: '2h', gates, minEvents: 500 })).ok).toBe(true)
  })

  it.each([
    ['a weaker gate', { gates: [{ kind: 'errors', limitPercent: 2 }] }, '/gates'],
    ['no gates', { gates: [] }, '/gates'],
    ['other waves', { waves: [{}] }, '/waves'],
    ['other windows', { windows: [] }, '/windows'],
    ['a shorter bake', { bake: '29m' }, '/bake'],
    ['no approval', { steps: [{ weight: 25, for: '10m' }, { weight: 50, for: '10m' }, last] }, '/steps'],
    ['fewer approvers', { steps: [{ weight: 25, for: '10m' }, { ...approved, approval: true }, last] }, '/steps'],
    [
      'an approval that it goes on without',
      { steps: [{ weight: 25, for: '10m' }, { ...approved, timeout: '1s', onTimeout: 'proceed' }, last] },
      '/steps',
    ],
    ['a large first step', { steps: [{ weight: 26, for: '10m' }, approved, last] }, '/steps/0/weight'],
    ['a large rise', { steps: [{ weight: 24, for: '10m' }, approved, last] }, '/steps/1/weight'],
    ['a large promotion', { steps: [{ weight: 25, for: '10m' }, approved] }, '/steps'],
    ['a short step', { steps: [{ weight: 25, for: '4m' }, approved, last] }, '/steps/0/for'],
    ['fewer requests', { minEvents: 1 }, '/minEvents'],
    ['less done about harm', { onHarm: 'freeze' }, '/onHarm'],
    ['less done about blindness', { onBlind: 'hold' }, '/onBlind'],
  ])('refuse %s', async (_, body, pointer) => {
    expect(await resolve(body)).toMatchObject({ ok: false, failure: { code: 'GuardRail', errors: [{ pointer }] } })
  })
})

describe('change windows of a rollout', () => {
  it.each([
    ['a cron that is none', { cron: 'at nine o’clock', for: '1h' }, '/windows/0/cron'],
    ['a time zone that is none', { cron: '0 9 * * *', for: '1h', timeZone: 'Mars/Olympus' }, '/windows/0/timeZone'],
  ])('are refused with %s', async (_, window, pointer) => {
    expect(await resolve({ strategy: 'default', windows: [window] })).toMatchObject({
      failure: { code: 'InvalidCombination', errors: [{ pointer }] },
    })
  })
})
