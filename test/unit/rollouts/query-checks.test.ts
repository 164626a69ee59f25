import { beforeEach, describe, expect, it } from 'vitest'
import { strategySpec } from '../../../src/model/strategy.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { later, SECOND, T0 } from './fixture.ts'
import { startWorld } from './start-world.ts'

let { store, metrics, start } = startWorld()
let asked: string[]
let give: (query: string) => readonly number[]
beforeEach(() => {
  ;({ store, metrics, start } = startWorld())
  asked = []
  give = () => [1]
  for (const cluster of ['mesh east', 'mesh west', 'logs east']) {
    metrics.valued.set(cluster, {
      async values(query, span) {
        asked.push(`${cluster} ${(span.toMs - T0) / SECOND} ${query}`)
        return give(query)
      },
    })
  }
})

const ALL = 'sum(increase(all{v="{{version}}"}[{{window}}]))'
const BAD = 'sum(increase(bad{v="{{version}}"}[{{window}}]))'
const counts = (more: object = {}) => ({ kind: 'counts', name: 'orders', all: ALL, bad: BAD, limitPercent: 1, ...more })
const value = (query: string) => ({ kind: 'value', name: 'p99', query, max: 1 })

async function refusal(gate: object, body: object = {}) {
  const result = await start({ gates: [{ kind: 'errors', limitPercent: 1 }, gate], clusters: ['east'], ...body })
  return result.ok ? undefined : result.failure
}

async function warnings(gate: object, body: object = {}): Promise<readonly string[]> {
  const result = await start({ gates: [{ kind: 'errors', limitPercent: 1 }, gate], ...body })
  if (!result.ok) throw new Error(result.failure.detail)
  return result.value.warnings
}

describe('a gate with queries is refused at the start', () => {
  it.each([
    [counts({ bad: 'x{v="{{versoin}}"}' }), 'bad', '1:6 {{versoin}} is no placeholder'],
    [counts({ all: 'x[{{window}}]' }), 'all', 'must hold {{version}}'],
    [counts({ bad: 'sum(x{v="{{version}}"})' }), 'bad', 'must hold {{window}}'],
    [value('sum(\n  x{v={{version}}})'), 'query', '2:7 {{version}} must stand inside of a string'],
  ])('for what its text tells: %j', async (gate, field, reason) => {
    expect(await refusal(gate)).toMatchObject({
      code: 'InvalidCombination',
      errors: [{ pointer: `/gates/1/${field}`, reason: expect.stringContaining(reason) }],
    })
    expect(asked).toEqual([])
    expect(store.writes).toBe(0)
  })

  it('where it does not parse, with the place in the query as it was sent', async () => {
    const query = 'max(p99{v="{{version}}"}[{{window}}] ! 2)'
    metrics.problems.set(query.replace('{{window}}', '000000001s'), { offset: 37, reason: 'does not parse at "! 2)"' })
    expect(await refusal(value(query))).toMatchObject({
      errors: [{ pointer: '/gates/1/query', reason: '1:38 does not parse at "! 2)"' }],
    })
  })

  it('when its source says that it is no good query', async () => {
    give = () => {
      throw new PortError('invalid', 'Prometheus east', 'Prometheus east answered 400: bad_data: parse error')
    }
    expect(await refusal(counts())).toMatchObject({
      errors: [{ pointer: '/gates/1/all', reason: expect.stringContaining('parse error') }],
    })
    give = () => {
      throw new PortError('invalid', 'Prometheus east', 'answered 404', { reason: 'NotPrometheus' })
    }
    expect(await refusal(counts())).toBeUndefined()
  })

  it('at the strategy, when it is the strategy’s', async () => {
    const base = { schema: 1, outbox: [], createdAt: later(0), updatedAt: later(0), generation: 1, idempotency: [] }
    const spec = strategySpec.parse({
      steps: [{ weight: 50, for: '1m' }],
      gates: [counts({ bad: ALL.replace('[{{window}}]', '') })],
    })
    store.put({ ...base, kind: 'strategy', name: 'ours', spec })
    expect(await start({ strategy: 'ours' })).toMatchObject({
      failure: {
        errors: [
          {
            pointer: '/strategy',
            reason: 'gate 0, bad: must hold {{window}}: it is to count what came since the last look',
          },
        ],
      },
    })
  })

  it('when it uses what is not there', async () => {
    expect(await refusal({ kind: 'counts', use: 'nothing', limitPercent: 1 })).toMatchObject({
      code: 'UnknownReference',
      errors: [{ pointer: '/gates/1/use', reason: expect.stringContaining('linkerd-errors') }],
    })
    expect(await refusal({ kind: 'counts', use: 'linkerd-latency', limitPercent: 1 })).toMatchObject({
      errors: [{ pointer: '/gates/1/overMs' }],
    })
  })

  it('when it asks logs that a cluster does not have', async () => {
    const kql = { all: 'T | where v == "{{version}}" | count', bad: 'T | where v == "{{version}}" and bad | count' }
    expect(await refusal(counts({ from: 'logs', ...kql }))).toMatchObject({ errors: [{ pointer: '/gates/1/from' }] })
  })
})

describe('a gate with queries is tried at the start', () => {
  it('on every cluster, for stable, over the last window', async () => {
    await warnings(counts({ every: '20s' }))
    expect(asked).toEqual(
      ['east', 'west'].flatMap((cluster) => [
        `mesh ${cluster} -10 sum(increase(all{v="v1"}[20s]))`,
        `mesh ${cluster} -10 sum(increase(bad{v="v1"}[20s]))`,
      ]),
    )
  })

  it.each([
    ['nothing', () => [], 'bad: the answer is empty'],
    ['no number', () => [Number.NaN], 'bad: it gives NaN'],
    ['several', () => [1, 2], 'bad: it gives several values, not one'],
  ])('and told when it sees %s now', async (_, answer, why) => {
    give = (query) => (query.includes('bad') ? answer() : [1])
    expect(await warnings(counts(), { clusters: ['east'] })).toEqual([`gate orders is blind on east now: ${why}`])
  })

  it('and told when its source does not answer', async () => {
    give = () => {
      throw new PortError('unavailable', 'Prometheus east', 'Prometheus east answered 503')
    }
    expect(await warnings(value('x'), { clusters: ['east'] })).toEqual([
      'gate p99 (at most 1) is blind on east now: query: Prometheus east answered 503',
    ])
  })

  it('not where the cluster names no source: that is told for all its gates', async () => {
    metrics.without.add('east')
    metrics.valued.clear()
    expect(await warnings(counts(), { clusters: ['east'] })).toEqual([
      'the gates on east are blind: the cluster names no metrics source',
    ])
  })

  it('and kept with the queries that it uses', async () => {
    const result = await start({ gates: [{ kind: 'counts', use: 'linkerd-errors', limitPercent: 1 }] })
    expect(result.ok && result.value.gates).toEqual([
      {
        kind: 'counts',
        name: 'linkerd-errors',
        limitPercent: 1,
        all: expect.stringContaining('response_total{'),
        good: expect.stringContaining('classification="success"'),
      },
    ])
  })
})

describe('a gate with queries has its caller warned', () => {
  it.each([
    [counts(), ['step 10 % for 30s is short for gate orders, which looks every 1m']],
    [counts({ every: '30s' }), []],
  ])('of steps that end before it looks: %j', async (gate, expected) => {
    expect(await warnings(gate, { steps: [{ weight: 10, for: '30s' }] })).toEqual(expected)
  })

  it.each([
    ['', ['gate orders from logs counts the same logs for east and west: have {{cluster}} in its queries']],
    [' and c == "{{cluster}}"', []],
  ])('of clusters whose logs it cannot tell apart: %s', async (which, expected) => {
    const workspaceId = '11111111-2222-4333-8444-555555555555'
    const logs = { workspaceId, table: 'AppRequests', roleName: '{name}', where: {} } as const
    for (const cluster of ['east', 'west']) {
      store.change('cluster', cluster, (found) => ({ ...found, spec: { ...found.spec, metrics: { logs } } }))
    }
    metrics.valued.set('logs west', { values: async () => [1] })
    const [all, bad] = ['count', 'and bad | count'].map((rest) => `T | where v == "{{version}}"${which} ${rest}`)
    expect(await warnings(counts({ from: 'logs', all, bad }))).toEqual(expected)
  })
})
