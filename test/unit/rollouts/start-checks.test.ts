import { beforeEach, describe, expect, it } from 'vitest'
import { strategySpec } from '../../../src/model/strategy.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { condition } from '../fakes/documents.ts'
import { putLatencies } from '../fakes/fake-metrics.ts'
import { later, MINUTE, SECOND, T0 } from './fixture.ts'
import { startWorld } from './start-world.ts'

let { store, metrics, start } = startWorld()
beforeEach(() => {
  ;({ store, metrics, start } = startWorld())
})

describe('a latency gate', () => {
  const latency = (overMs: number) => [
    { kind: 'errors', limitPercent: 1 },
    { kind: 'latency', overMs, limitPercent: 1 },
  ]
  const span = { cluster: 'east', version: 'v1', fromMs: T0 - MINUTE, toMs: T0, everyMs: 15 * SECOND, each: 10 }

  it('is taken at an edge of the mesh’s histogram, where the service has none yet', async () => {
    expect(await start({ gates: latency(500) })).toMatchObject({ ok: true })
    expect(metrics.queries.map(({ cluster, fromMs, toMs }) => [cluster, toMs - fromMs])).toEqual([
      ['east', 300_000],
      ['west', 300_000],
    ])
  })

  it('is refused between two edges, with both', async () => {
    expect(await start({ gates: latency(300) })).toMatchObject({
      ok: false,
      failure: {
        code: 'InvalidCombination',
        errors: [
          {
            pointer: '/gates/1/overMs',
            reason: '300 is no edge of the latency histogram on east; the nearest are 250 and 500',
          },
        ],
        hint: 'Use 250 or 500.',
      },
    })
    expect(store.writes).toBe(0)
  })

  it('goes by the edges that the service really has', async () => {
    putLatencies(metrics, span, { '300': 4, '700.0': 8 })
    putLatencies(metrics, { ...span, cluster: 'west' }, { '300': 4, '700': 8 })
    expect(await start({ gates: latency(500) })).toMatchObject({ failure: { hint: 'Use 300 or 700.' } })
    expect(await start({ gates: latency(700) })).toMatchObject({ ok: true })
  })

  it('must be an edge on every cluster', async () => {
    putLatencies(metrics, { ...span, cluster: 'west' }, { '300': 4, '700': 8 })
    expect(await start({ gates: latency(500) })).toMatchObject({ failure: { detail: expect.stringContaining('west') } })
  })

  it('of a strategy is refused at the strategy', async () => {
    const base = { schema: 1, outbox: [], createdAt: later(0), updatedAt: later(0), generation: 1, idempotency: [] }
    const careful = strategySpec.parse({ steps: [{ weight: 50, for: '1m' }], gates: latency(300) })
    store.put({ ...base, kind: 'strategy', name: 'careful', spec: careful })
    expect(await start({ strategy: 'careful' })).toMatchObject({ failure: { errors: [{ pointer: '/strategy' }] } })
  })

  it('is let through with a warning when the source does not answer', async () => {
    metrics.failure = new PortError('unavailable', 'Prometheus', 'Prometheus answered 503')
    const result = await start({ gates: latency(300), clusters: ['east'] })
    expect(result).toMatchObject({
      ok: true,
      value: { warnings: [expect.stringContaining('Prometheus answered 503')] },
    })
  })

  it('is not asked about without one', async () => {
    await start()
    expect(metrics.queries).toEqual([])
  })
})

describe('warnings at the start', () => {
  const warnings = async (body?: Readonly<Record<string, unknown>>) => {
    const result = await start({ clusters: ['east'], ...body })
    if (!result.ok) throw new Error(result.failure.detail)
    return result.value.warnings
  }

  it('tell of clusters that cannot be reached now', async () => {
    store.change('cluster', 'east', (east) => ({ ...east, conditions: [condition('Reachable', 'False', 'NoAnswer')] }))
    expect(await warnings()).toEqual(['cluster east cannot be reached now'])
  })

  it('tell of gates that will be blind', async () => {
    metrics.without.add('east')
    expect(await warnings()).toEqual(['the gates on east are blind: the cluster names no metrics source'])
  })

  it('tell of a source that may not be opened', async () => {
    metrics.refusal = new PortError('denied', 'Prometheus east', 'its address is not called')
    expect(await warnings()).toEqual(['the gates on east are blind: its address is not called'])
  })

  it('tell of steps too short for the source', async () => {
    expect(await warnings({ steps: [{ weight: 10, for: '4s' }] })).toEqual([
      'step 10 % for 4s is shorter than a look at the metrics of east (every 5s, 10s late)',
    ])
  })

  it('tell of gates weaker than those of the strategy', async () => {
    const weaker = 'gate errors ≤ 1 %: weaker than in strategy default'
    expect(await warnings({ gates: [{ kind: 'errors', limitPercent: 2 }] })).toEqual([weaker])
  })

  it('are none of metrics where there are no gates', async () => {
    metrics.without.add('east')
    expect(await warnings({ gates: [] })).toEqual(['gate errors ≤ 1 %: weaker than in strategy default'])
  })
})

describe('the traffic of the steps', () => {
  const steps = [
    { mirror: 100, for: '1m' },
    { weight: 50, for: '1m' },
  ]
  beforeEach(() => {
    store.change('cluster', 'west', (cluster) => ({ ...cluster, mesh: { provider: 'linkerd' } }))
  })

  it('is refused where the mesh of a cluster cannot carry it, with the field and what can be had', async () => {
    expect(await start({ steps, affinity: {} })).toMatchObject({
      ok: false,
      failure: {
        code: 'UnsupportedFeature',
        detail: expect.stringContaining('Cluster west: Linkerd'),
        errors: [{ pointer: '/steps/0/mirror' }, { pointer: '/affinity' }],
        hint: expect.stringContaining('small weight'),
      },
    })
    expect(store.writes).toBe(0)
  })

  it('is refused at the strategy that asks for it', async () => {
    const failure = { code: 'UnsupportedFeature', errors: [{ pointer: '/strategy' }] }
    expect(await start({ strategy: 'mirror' })).toMatchObject({ failure })
  })

  it('is taken where the mesh can, or is not known yet', async () => {
    expect(await start({ steps, affinity: {}, clusters: ['east'] })).toMatchObject({ ok: true })
    store.change('cluster', 'west', ({ mesh: _, ...cluster }) => cluster)
    expect(await start({ steps, clusters: ['west'] })).toMatchObject({ ok: true })
  })
})
