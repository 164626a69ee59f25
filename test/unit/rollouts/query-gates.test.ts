import { beforeEach, describe, expect, it } from 'vitest'
import { type GateSpec, gateSpec } from '../../../src/model/gate.ts'
import type { GateProgress, Rollout } from '../../../src/model/rollout.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { decide } from '../../../src/rollouts/decide.ts'
import { isAsStrict } from '../../../src/rollouts/gate-strictness.ts'
import { gateTimings, overallTiming } from '../../../src/rollouts/gate-timing.ts'
import { dueWindow, type LookInput, look } from '../../../src/rollouts/look.ts'
import { askTraffic } from '../../../src/rollouts/transition.ts'
import { aCluster, aService } from '../fakes/documents.ts'
import { FakeMetrics } from '../fakes/fake-metrics.ts'
import { aRollout, aTarget, MINUTE, SECOND, seen, T0 } from './fixture.ts'

const LIVE = T0 + 5 * SECOND
const ORDERS = gateSpec.parse({
  kind: 'counts',
  name: 'orders',
  all: 'sum(increase(orders_total{shop="{{service}}.{{namespace}}",cluster="{{cluster}}",v="{{version}}"}[{{window}}]))',
  bad: 'sum(increase(orders_failed_total{v="{{version}}"}[{{window}}])) or vector(0)',
  limitPercent: 1,
})
const P99 = gateSpec.parse({
  kind: 'value',
  name: 'p99',
  query: 'max(p99{v="{{version}}",of="{{stable}}"})',
  max: 800,
  looks: 2,
})

let metrics: FakeMetrics
let asked: { query: string; fromMs: number; toMs: number }[]
let give: (query: string) => readonly number[]

beforeEach(() => {
  metrics = new FakeMetrics()
  metrics.delayMs = 30 * SECOND
  metrics.everyMs = 10 * SECOND
  asked = []
  give = () => []
  metrics.valued.set('mesh east', {
    async values(query, { fromMs, toMs }) {
      asked.push({ query, fromMs, toMs })
      return give(query)
    },
  })
})

function input(now: number, gates: readonly GateSpec[], rollout: Partial<Rollout> = {}): LookInput {
  const whole = aRollout('progressing', { gates, ...rollout })
  const clusters = [aCluster('east')]
  return {
    service: aService(),
    rollout: whole,
    target: whole.targets[0] ?? aTarget('east', 10),
    cluster: aCluster('east'),
    since: LIVE,
    now,
    timings: gateTimings(metrics, gates, clusters),
  }
}

/** What the gate knows after a look at `now`. */
async function lookAt(now: number, gate: GateSpec, known: readonly GateProgress[] = []): Promise<GateProgress> {
  const [progress] = (await look(metrics, input(now, [gate], { progress: known })))?.progress ?? []
  if (!progress) throw new Error('no look')
  return progress
}

/** Answers by what stands in the query. */
function answer(values: Readonly<Record<string, number | readonly number[]>>): void {
  give = (query) => {
    const found = Object.entries(values).find(([part]) => part.split(' ').every((word) => query.includes(word)))
    return found === undefined ? [] : [found[1]].flat()
  }
}

const HEALTHY = { 'orders_total v="v1"': 900, 'orders_total v="v2"': 100, failed: 0 }

describe('a gate that counts by queries', () => {
  it('asks for both versions, with its names in the strings, at the end of its window', async () => {
    answer(HEALTHY)
    await lookAt(LIVE + 95 * SECOND, ORDERS)
    expect(asked.map(({ query }) => query)).toEqual(
      ['v1', 'v2'].flatMap((version) => [
        `sum(increase(orders_total{shop="web.shop",cluster="east",v="${version}"}[65s]))`,
        `sum(increase(orders_failed_total{v="${version}"}[65s])) or vector(0)`,
      ]),
    )
    expect(asked.every(({ fromMs, toMs }) => fromMs === LIVE && toMs === LIVE + 65 * SECOND)).toBe(true)
  })

  it('is judged as any gate that counts', async () => {
    answer({ 'failed v="v2"': 40, ...HEALTHY })
    const harm = await lookAt(LIVE + 95 * SECOND, ORDERS)
    expect(harm).toMatchObject({
      cursorMs: LIVE + 65 * SECOND,
      candidate: { good: 60, bad: 40 },
      stable: { good: 900, bad: 0 },
      last: {
        verdict: 'harm',
        reason: 'LimitExceeded',
        explanation: expect.stringContaining('40 of 100 requests were bad'),
      },
    })
    answer({ ...HEALTHY, 'orders_total v="v2"': 5000 })
    expect((await lookAt(LIVE + 95 * SECOND, ORDERS)).last).toMatchObject({ verdict: 'safe' })
  })

  it('tells nothing of weights: it may count anything', async () => {
    answer(HEALTHY)
    expect((await look(metrics, input(LIVE + 95 * SECOND, [ORDERS])))?.observedWeight).toBeNull()
  })

  it('takes good of all, or good and bad, as well', async () => {
    const parts = {
      all: 'a{v="{{version}}"}[{{window}}]',
      good: 'g{v="{{version}}"}[{{window}}]',
      bad: 'b{v="{{version}}"}[{{window}}]',
    }
    const gate = (...fields: (keyof typeof parts)[]) =>
      gateSpec.parse({
        kind: 'counts',
        name: 'x',
        limitPercent: 1,
        ...Object.fromEntries(fields.map((field) => [field, parts[field]])),
      })
    answer({ 'a{': 100, 'g{': 97, 'b{': 3 })
    for (const each of [gate('all', 'good'), gate('all', 'bad'), gate('good', 'bad')]) {
      expect((await lookAt(LIVE + 95 * SECOND, each)).candidate).toEqual({ good: 97, bad: 3 })
    }
    // What floats lose is no contradiction.
    answer({ 'a{': 100, 'g{': 100.00000001 })
    expect((await lookAt(LIVE + 95 * SECOND, gate('all', 'good'))).candidate).toEqual({ good: 100.00000001, bad: 0 })
  })

  it('counts nothing of a version that has no series yet, where the other one has', async () => {
    answer({ 'orders_total v="v1"': 20, failed: 0 })
    expect(await lookAt(LIVE + 95 * SECOND, ORDERS)).toMatchObject({
      candidate: { good: 0, bad: 0 },
      stable: { good: 20, bad: 0 },
      last: { verdict: 'undecided' },
    })
  })

  it.each([
    ['nothing at all', {}, 'NoData', 'nothing tells silence from lost data'],
    ['nothing of either version', { orders_total: 0, failed: 0 }, 'NoData', 'count nothing of v1 and v2'],
    [
      'all but not bad',
      { orders_total: 100 },
      'NoData',
      'bad gives nothing where all gives 100: where that is right it must give 0',
    ],
    ['bad but not all', { failed: 3 }, 'NoData', 'all gives nothing where bad gives 3'],
    ['more bad than all', { orders_total: 100, failed: 101 }, 'NoData', 'bad gives 101, which is more than all (100)'],
    ['less than nothing', { orders_total: 100, failed: -1 }, 'NoData', 'bad gives -1'],
    ['what is no number', { orders_total: 100, failed: Number.NaN }, 'NotANumber', 'bad for v1: it gives NaN'],
    ['no end', { orders_total: Number.POSITIVE_INFINITY }, 'NotANumber', 'all for v1: it gives Infinity'],
    ['several numbers', { orders_total: [1, 2] }, 'QueryFailed', 'all for v1: it gives several values'],
  ] as const)('is blind when the queries give %s', async (_, values, reason, why) => {
    answer(values)
    const { last, ...rest } = await lookAt(LIVE + 95 * SECOND, ORDERS)
    expect(last).toMatchObject({ verdict: 'blind', reason })
    expect(last?.explanation).toContain(why)
    expect(rest.cursorMs).toBeUndefined()
  })

  it('is blind when the source fails, is not named, or may not be opened', async () => {
    give = () => {
      throw new PortError('unavailable', 'Prometheus east', 'Prometheus east answered 503')
    }
    expect((await lookAt(LIVE + 95 * SECOND, ORDERS)).last).toMatchObject({ verdict: 'blind', reason: 'QueryFailed' })
    metrics.valued.clear()
    expect((await lookAt(LIVE + 95 * SECOND, ORDERS)).last?.explanation).toContain('names no metrics source')
    metrics.refusal = new PortError('denied', 'Prometheus east', 'its address is not called')
    expect((await lookAt(LIVE + 95 * SECOND, ORDERS)).last?.explanation).toContain('its address is not called')
  })
})

describe('when a gate with queries looks', () => {
  it('its windows join, and are a minute long at least, or what it says', async () => {
    answer(HEALTHY)
    expect(await look(metrics, input(LIVE + 89 * SECOND, [ORDERS]))).toBeUndefined()
    const first = await lookAt(LIVE + 95 * SECOND, ORDERS)
    expect(await look(metrics, input(LIVE + 154 * SECOND, [ORDERS], { progress: [first] }))).toBeUndefined()
    const second = await lookAt(LIVE + 160 * SECOND, ORDERS, [first])
    expect(second).toMatchObject({ cursorMs: LIVE + 130 * SECOND, candidate: { good: 200, bad: 0 } })
    expect(await look(metrics, input(LIVE + 50 * SECOND, [{ ...ORDERS, every: '20s' } as GateSpec]))).toBeDefined()
  })

  it('the end of a step is no reason for a window that is too short to count', () => {
    const gates = [ORDERS]
    const timings = gateTimings(metrics, gates, [aCluster('east')])
    const end = LIVE + MINUTE + 30 * SECOND
    const known = { ...NOTHING, cursorMs: end - 40 * SECOND, lookedAt: new Date(end - 5 * SECOND).toISOString() }
    const due = { ...input(end, gates), ...timings.mesh, delayMs: 30 * SECOND, everyMs: MINUTE }
    expect(dueWindow({ ...due, leastMs: MINUTE }, known)).toBeUndefined()
    expect(dueWindow(due, known)).toBeDefined()
  })

  it('a rollout looks as often as its gates do, no oftener', () => {
    const of = (...gates: GateSpec[]) => overallTiming(gateTimings(metrics, gates, [aCluster('east')]), gates)
    expect(of(ORDERS)).toEqual({ delayMs: 30 * SECOND, everyMs: MINUTE })
    expect(of(ORDERS, { kind: 'errors', limitPercent: 1 })).toEqual({ delayMs: 30 * SECOND, everyMs: 10 * SECOND })
    expect(of({ ...P99, every: '10s' } as GateSpec)).toEqual({ delayMs: 30 * SECOND, everyMs: 10 * SECOND })
  })
})

const NOTHING: GateProgress = {
  gate: 0,
  cluster: 'east',
  candidate: { good: 0, bad: 0 },
  stable: { good: 0, bad: 0 },
  stepCandidate: { good: 0, bad: 0 },
  stepStable: { good: 0, bad: 0 },
  maxE: 0,
}

describe('a gate on a value', () => {
  const LOOK = LIVE + 95 * SECOND

  it('asks about the candidate, and about stable only when that is out of bounds', async () => {
    answer({ 'v="v2"': 640 })
    expect((await lookAt(LOOK, P99)).last).toMatchObject({ verdict: 'safe', value: { candidate: 640, max: 800 } })
    expect(asked.map(({ query }) => query)).toEqual(['max(p99{v="v2",of="v1"})'])
    answer({ 'v="v2"': 900, 'v="v1"': 700 })
    expect((await lookAt(LOOK, P99)).last).toMatchObject({ value: { candidate: 900, stable: 700 } })
    expect(asked.at(-1)?.query).toBe('max(p99{v="v1",of="v1"})')
  })

  it('is harm after so many looks in a row, blind ones left out', async () => {
    answer({ 'v="v2"': 900, 'v="v1"': 700 })
    const first = await lookAt(LOOK, P99)
    expect(first).toMatchObject({ breaches: 1, last: { verdict: 'undecided' } })
    give = () => []
    const blind = await lookAt(LOOK + MINUTE, P99, [first])
    expect(blind).toMatchObject({ breaches: 1, cursorMs: first.cursorMs, last: { verdict: 'blind', reason: 'NoData' } })
    answer({ 'v="v2"': 900, 'v="v1"': 700 })
    expect(await lookAt(LOOK + 2 * MINUTE, P99, [blind])).toMatchObject({ breaches: 2, last: { verdict: 'harm' } })
    answer({ 'v="v2"': 1 })
    expect(await lookAt(LOOK + 2 * MINUTE, P99, [blind])).not.toHaveProperty('breaches')
  })

  it('has stable excuse it only with a value of its own', async () => {
    answer({ 'v="v2"': 900, 'v="v1"': 900 })
    expect((await lookAt(LOOK, P99)).last).toMatchObject({ reason: 'StableBreaksLimitToo' })
    answer({ 'v="v2"': 900, 'v="v1"': Number.NaN })
    expect((await lookAt(LOOK, P99)).last).toMatchObject({ reason: 'OutOfBoundsNow' })
  })

  it.each([
    [[], 'NoData'],
    [[Number.NaN], 'NotANumber'],
    [[1, 2], 'QueryFailed'],
  ] as const)('is blind when it is given %j', async (values, reason) => {
    give = () => values
    expect((await lookAt(LOOK, P99)).last).toMatchObject({ verdict: 'blind', reason })
  })

  it('begins anew with other traffic', () => {
    const rollout = aRollout('progressing', { gates: [P99], progress: [{ ...NOTHING, breaches: 1 }] })
    expect(askTraffic(rollout, { weight: 50 }, T0).progress).toEqual([NOTHING])
  })

  it('spends none of alpha', async () => {
    answer(HEALTHY)
    const alphaOf = async (...gates: GateSpec[]) =>
      (await look(metrics, input(LOOK, gates)))?.progress[0]?.last?.alpha ?? Number.NaN
    expect(await alphaOf(ORDERS, P99)).toBe(await alphaOf(ORDERS))
    expect(await alphaOf(ORDERS, ORDERS)).toBe((await alphaOf(ORDERS)) / 2)
  })
})

describe('a step with a gate on a value', () => {
  const END = LIVE + MINUTE + 30 * SECOND
  const last = {
    candidate: NOTHING.candidate,
    stable: NOTHING.stable,
    eValue: 0,
    pValue: 1,
    interval: [0, 1],
    alpha: 0,
  } as const
  const afterLook = (verdict: 'safe' | 'undecided', reason: string, lookedAt = LIVE + 30 * SECOND) => {
    const look = { ...last, verdict, reason, explanation: 'the value is 900' }
    const at = new Date(lookedAt).toISOString()
    const progress = ['east', 'west'].map((cluster) => ({ ...NOTHING, cluster, lookedAt: at, last: look }))
    const rollout = aRollout('progressing', { gates: [P99], progress })
    return decide(rollout, seen(rollout, { now: END }))
  }

  it('passes when the last look in it kept the bounds', () => {
    expect(afterLook('safe', 'WithinBounds')).toMatchObject({ phase: 'progressing', step: 1 })
  })

  it('is extended while it is out of bounds, and until it has looked', () => {
    expect(afterLook('undecided', 'OutOfBoundsNow')).toMatchObject({ step: 0, reason: 'OutOfBoundsNow' })
    expect(afterLook('safe', 'WithinBounds', T0)).toMatchObject({ step: 0, reason: 'NotLookedYet' })
  })
})

describe('a gate is as strict as another', () => {
  it.each([
    ['the same', ORDERS, ORDERS, true],
    ['a lower limit', { ...ORDERS, limitPercent: 0.5 }, ORDERS, true],
    ['a higher limit', { ...ORDERS, limitPercent: 2 }, ORDERS, false],
    ['another query', { ...ORDERS, bad: 'vector(0)' }, ORDERS, false],
    ['another source', { ...ORDERS, from: 'logs' }, ORDERS, false],
    ['another kind', { kind: 'errors', limitPercent: 0.1 }, ORDERS, false],
    ['the same value', P99, P99, true],
    ['closer bounds and fewer looks', { ...P99, max: 700, min: 1, looks: 1 }, P99, true],
    ['wider bounds', { ...P99, max: 900 }, P99, false],
    ['more looks', { ...P99, looks: 3 }, P99, false],
    ['another query of a value', { ...P99, query: 'vector(0)' }, P99, false],
    ['without its least', { ...P99, max: 1 }, { ...P99, max: undefined, min: 1 }, false],
    ['a value for counts', P99, ORDERS, false],
  ] as const)('%s', (_, own, base, expected) => {
    expect(isAsStrict(own as GateSpec, base as GateSpec)).toBe(expected)
  })
})
