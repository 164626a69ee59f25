import { describe, expect, it } from 'vitest'
import { deleteFreeze } from '../../../src/freezes/delete-freeze.ts'
import { putFreeze } from '../../../src/freezes/put-freeze.ts'
import { freezeSpec } from '../../../src/model/freeze.ts'
import type { GateSpec } from '../../../src/model/gate.ts'
import { DEFAULT_STRATEGY } from '../../../src/model/strategy.ts'
import { deleteStrategy } from '../../../src/strategies/delete-strategy.ts'
import { putStrategy } from '../../../src/strategies/put-strategy.ts'
import { AT, aCaller, aTeam, by } from '../fakes/documents.ts'
import { FakeMetrics } from '../fakes/fake-metrics.ts'
import { MemoryStore } from '../fakes/memory-store.ts'

const metrics = new FakeMetrics()
const clock = { now: () => Date.parse(AT), sleep: async () => undefined }

describe('a freeze', () => {
  const operator = by({ caller: aCaller({ roles: ['Mesh.Operator'], groups: [] }) })

  it('is put, changed and ended', async () => {
    const store = new MemoryStore()
    const spec = freezeSpec.parse({ reason: 'holidays' })
    expect(await putFreeze({ store, clock }, 'xmas', spec, operator)).toMatchObject({ value: { status: 'created' } })
    const longer = { ...spec, until: '2027-01-07T00:00:00Z' }
    expect(await putFreeze({ store, clock }, 'xmas', longer, operator)).toMatchObject({ value: { status: 'updated' } })
    expect(store.get('freeze', 'xmas')).toMatchObject({ generation: 2, spec: longer })
    expect(await deleteFreeze({ store, clock }, 'xmas', operator)).toMatchObject({ ok: true })
    expect(await deleteFreeze({ store, clock }, 'xmas', operator)).toMatchObject({ failure: { code: 'NotFound' } })
  })

  it.each([
    ['everything', {}, false],
    ['own namespaces', { namespaces: ['shop'] }, true],
    ['own services', { services: ['shop/web'] }, true],
    ['own services on some clusters', { services: ['shop/web'], clusters: ['east'] }, true],
    ['clusters', { clusters: ['east'] }, false],
    ['a namespace of others too', { namespaces: ['shop', 'bank'] }, false],
    ['services of others', { services: ['bank/web'] }, false],
    ['no namespace at all', { namespaces: [] }, false],
  ])('of %s may be put by an approver of team shop: %s', async (_, scope, may) => {
    const store = new MemoryStore()
    store.put(aTeam())
    const context = by({ caller: aCaller({ roles: ['Mesh.Approver'] }) })
    const spec = freezeSpec.parse({ reason: 'careful', scope })
    const result = await putFreeze({ store, clock }, 'own', spec, context)
    expect(result.ok).toBe(may)
    if (!result.ok) expect(result.failure).toMatchObject({ code: 'Forbidden', errors: [{ pointer: '/scope' }] })
    expect(store.writes).toBe(may ? 1 : 0)
  })

  it('of others is not an approver’s to narrow or to end', async () => {
    const store = new MemoryStore()
    store.put(aTeam())
    const context = by({ caller: aCaller({ roles: ['Mesh.Approver'] }) })
    await putFreeze({ store, clock }, 'all', freezeSpec.parse({ reason: 'x' }), operator)
    const own = freezeSpec.parse({ reason: 'x', scope: { namespaces: ['shop'] } })
    expect(await putFreeze({ store, clock }, 'all', own, context)).toMatchObject({ failure: { code: 'Forbidden' } })
    expect(await deleteFreeze({ store, clock }, 'all', context)).toMatchObject({ failure: { code: 'Forbidden' } })
  })
})

describe('a strategy', () => {
  it('is put, and goes: live rollouts keep what they have of it', async () => {
    const store = new MemoryStore()
    expect(await putStrategy({ store, clock, metrics }, 'default', DEFAULT_STRATEGY, by())).toMatchObject({
      value: { status: 'created', document: { kind: 'strategy', spec: DEFAULT_STRATEGY } },
    })
    expect(await deleteStrategy({ store, clock }, 'default', by())).toMatchObject({ ok: true })
  })

  it('is refused with a gate that no cluster could be asked', async () => {
    const [all, bad] = ['a{v="{{version}}"}[{{window}}]', 'b{v="{{verison}}"}[{{window}}]']
    const gates: GateSpec[] = [
      { kind: 'errors', limitPercent: 1 },
      { kind: 'counts', name: 'orders', all, bad, limitPercent: 1 },
      { kind: 'counts', use: 'linkerd-latency', limitPercent: 1 },
      { kind: 'counts', use: 'linkerd-errors', limitPercent: 1 },
    ]
    const store = new MemoryStore()
    expect(await putStrategy({ store, clock, metrics }, 'x', { ...DEFAULT_STRATEGY, gates }, by())).toMatchObject({
      failure: {
        code: 'InvalidCombination',
        errors: [
          { pointer: '/gates/2/overMs', reason: 'is required: slower is bad' },
          { pointer: '/gates/1/bad', reason: expect.stringContaining('{{verison}} is no placeholder') },
        ],
      },
    })
    expect(store.writes).toBe(0)
  })

  it('is refused with a change window that never opens', async () => {
    const windows = [{ cron: '0 9 31 2 *', for: '1h', timeZone: 'UTC' }]
    expect(
      await putStrategy({ store: new MemoryStore(), clock, metrics }, 'x', { ...DEFAULT_STRATEGY, windows }, by()),
    ).toMatchObject({
      failure: { code: 'InvalidCombination', errors: [{ pointer: '/windows/0/cron', reason: 'never comes' }] },
    })
  })
})
