import { describe, expect, it } from 'vitest'
import { rolloutRequest } from '../../../src/model/rollout.ts'
import { DEFAULT_STRATEGY, strategySpec } from '../../../src/model/strategy.ts'
import { resolveStrategy } from '../../../src/rollouts/resolve-strategy.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { later } from './fixture.ts'

const LATENCY = { kind: 'latency', overMs: 500, limitPercent: 5 } as const
const CAREFUL = strategySpec.parse({
  steps: [{ weight: 1, for: '1h' }],
  gates: [{ kind: 'errors', limitPercent: 0.1 }, LATENCY],
  alpha: 0.001,
})

function resolve(body: Readonly<Record<string, unknown>>, name = 'careful') {
  const store = new MemoryStore()
  const base = { schema: 1, outbox: [], createdAt: later(0), updatedAt: later(0), generation: 1, idempotency: [] }
  store.put({ ...base, kind: 'strategy', name, spec: CAREFUL })
  return resolveStrategy(store, rolloutRequest.parse({ candidate: 'v2', ...body }))
}

describe('the strategy of a rollout', () => {
  it('is the built-in default when it names none', async () => {
    expect(await resolve({})).toEqual({ ok: true, value: { name: 'default', spec: DEFAULT_STRATEGY, warnings: [] } })
  })

  it('is the administrator’s default where there is one', async () => {
    expect(await resolve({}, 'default')).toMatchObject({ value: { name: 'default', spec: CAREFUL } })
  })

  it('is the one that it names, with its own settings in place of the strategy’s', async () => {
    const own = { steps: [{ weight: 20, for: '2m' }], bake: '5m', minEvents: 500, patience: '1h', readyTimeout: '1m' }
    expect(await resolve({ strategy: 'careful', ...own, onBlind: 'hold' })).toEqual({
      ok: true,
      value: { name: 'careful', spec: { ...CAREFUL, ...own, onBlind: 'hold' }, warnings: [] },
    })
  })

  it('does not let it choose its own chance of a false alarm', () => {
    expect(() => rolloutRequest.parse({ candidate: 'v2', alpha: 0.2 })).toThrow('alpha')
  })

  it.each([
    ['none of its gates', [], ['errors', 'latency']],
    ['a higher limit', [{ kind: 'errors', limitPercent: 0.2 }, LATENCY], ['errors']],
    [
      'slower answers',
      [
        { kind: 'errors', limitPercent: 0.1 },
        { ...LATENCY, overMs: 1000 },
      ],
      ['latency'],
    ],
    [
      'stricter ones',
      [
        { kind: 'errors', limitPercent: 0.05 },
        { ...LATENCY, overMs: 250 },
      ],
      [],
    ],
    ['one more', [{ kind: 'errors', limitPercent: 0.1 }, LATENCY, { ...LATENCY, overMs: 1000 }], []],
  ])('warns of gates that are weaker: %s', async (_, gates, weaker) => {
    const result = await resolve({ strategy: 'careful', gates })
    const warnings = result.ok ? result.value.warnings : []
    expect(warnings).toHaveLength(weaker.length)
    for (const [index, kind] of weaker.entries()) {
      expect(warnings[index]).toContain(`gate ${kind}`)
      expect(warnings[index]).toContain('weaker than in strategy careful')
    }
  })

  it('must exist', async () => {
    expect(await resolve({ strategy: 'unknown' })).toMatchObject({
      ok: false,
      failure: { code: 'UnknownReference', errors: [{ pointer: '/strategy' }] },
    })
  })
})
