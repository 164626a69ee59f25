import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { metricsTiming } from '../../../src/adapters/metrics-timing.ts'
import { clusterSpec } from '../../../src/model/cluster.ts'
import { type GateSpec, gateKind, gateSpec } from '../../../src/model/gate.ts'
import { type GateProgress, rolloutRequest } from '../../../src/model/rollout.ts'
import type { CountAnswer, CountQuestion, CountSpan } from '../../../src/ports/metrics.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { type GateTimings, gateTimings, overallTiming } from '../../../src/rollouts/gate-timing.ts'
import { dueWindow, type LookInput, look } from '../../../src/rollouts/look.ts'
import { resolveStrategy } from '../../../src/rollouts/resolve-strategy.ts'
import { aCluster, aService, spec } from '../fakes/documents.ts'
import { FakeMetrics, putRequests } from '../fakes/fake-metrics.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { aRollout, aTarget, later, MINUTE, SECOND, T0 } from './fixture.ts'
import { startWorld } from './start-world.ts'

const LOGS: GateSpec = { kind: 'errors', from: 'logs', limitPercent: 1 }
const SLOW_LOGS: GateSpec = { kind: 'latency', from: 'logs', overMs: 333, limitPercent: 1 }
const PLATFORM: GateSpec = { kind: 'errors', from: 'platform', limitPercent: 1 }
const MESH: GateSpec = { kind: 'errors', limitPercent: 1 }
const LIVE = T0 + 5 * SECOND
const TIMINGS: GateTimings = {
  mesh: { delayMs: 10 * SECOND, everyMs: 5 * SECOND },
  logs: { delayMs: 5 * MINUTE, everyMs: 2 * MINUTE },
  platform: { delayMs: 2 * MINUTE, everyMs: MINUTE, grainMs: MINUTE },
}

const NONE = { good: 0, bad: 0 }
/** A gate that has not looked yet. */
const FRESH: GateProgress = {
  gate: 0,
  cluster: 'east',
  candidate: NONE,
  stable: NONE,
  stepCandidate: NONE,
  stepStable: NONE,
  maxE: 0,
}

let metrics: FakeMetrics
let asked: { question: CountQuestion; span: CountSpan }[]
beforeEach(() => {
  metrics = new FakeMetrics()
  asked = []
})

/** What the logs, or the platform metrics, of east answer. */
function answers(from: 'logs' | 'platform', give: (span: CountSpan) => CountAnswer | PortError): void {
  metrics.counting.set(`${from} east`, {
    async counts(question, span) {
      asked.push({ question, span })
      const answer = give(span)
      if (answer instanceof PortError) throw answer
      return answer
    },
  })
}

const counted =
  (good: number, bad: number) =>
  ({ nowMs }: CountSpan): CountAnswer => ({
    byVersion: { v1: { good: 900, bad: 0 }, v2: { good, bad } },
    newestMs: nowMs - SECOND,
  })

function input(now: number, gates: readonly GateSpec[], change: Partial<LookInput> = {}): LookInput {
  const rollout = aRollout('progressing', { gates })
  const [target = aTarget('east', 10)] = rollout.targets
  return {
    service: aService(),
    rollout,
    target,
    cluster: aCluster('east'),
    since: LIVE,
    now,
    timings: TIMINGS,
    ...change,
  }
}

describe('a gate on logs', () => {
  it('counts over there, in windows of its own source, and is judged as on the mesh', async () => {
    answers('logs', counted(60, 40))
    const outcome = await look(metrics, input(LIVE + 8 * MINUTE, [LOGS]))
    expect(outcome?.progress).toMatchObject([
      { cursorMs: LIVE + 3 * MINUTE, candidate: { good: 60, bad: 40 }, last: { verdict: 'harm' } },
    ])
    expect(outcome?.observedWeight).toBe(10)
    expect(asked).toEqual([
      {
        question: {
          service: { namespace: 'shop', name: 'web' },
          versions: { v1: 'v1', v2: 'v2' },
          bad: { kind: 'errors' },
        },
        span: expect.objectContaining({ fromMs: LIVE, toMs: LIVE + 3 * MINUTE, nowMs: LIVE + 8 * MINUTE }),
      },
    ])
  })

  it('on latency hands the very threshold over', async () => {
    answers('logs', counted(60, 40))
    await look(metrics, input(LIVE + 8 * MINUTE, [SLOW_LOGS]))
    expect(asked[0]?.question.bad).toEqual({ kind: 'latency', overMs: 333 })
  })

  it.each([
    ['a part', () => new PortError('unavailable', 'Logs east', 'in part', { reason: 'PartialFailure' }), 'QueryFailed'],
    ['throttled', () => new PortError('throttled', 'Logs east', 'answered 429'), 'QueryFailed'],
    ['nothing of these versions', () => ({ byVersion: {} }), 'NoData'],
    ['old news', ({ toMs }: CountSpan) => ({ byVersion: {}, newestMs: toMs - 2 * MINUTE - 1 }), 'DataLate'],
  ])('that gets %s is blind, and counts the same stretch again later', async (_, give, reason) => {
    answers('logs', give)
    const now = LIVE + 8 * MINUTE
    const [first] = (await look(metrics, input(now, [LOGS])))?.progress ?? []
    expect(first).toMatchObject({ last: { verdict: 'blind', reason }, candidate: { good: 0, bad: 0 } })
    expect(first?.cursorMs).toBeUndefined()
    answers('logs', counted(100, 0))
    const rollout = aRollout('progressing', { gates: [LOGS], progress: first ? [first] : [] })
    const [second] = (await look(metrics, input(now + 2 * MINUTE, [LOGS], { rollout })))?.progress ?? []
    expect(second).toMatchObject({ cursorMs: LIVE + 5 * MINUTE, candidate: { good: 100, bad: 0 } })
    expect(asked.at(-1)?.span.fromMs).toBe(LIVE)
  })

  it('is blind where nothing tells the versions apart, and where the cluster names no logs any more', async () => {
    const [gone] = (await look(metrics, input(LIVE + 8 * MINUTE, [LOGS])))?.progress ?? []
    expect(gone?.last).toMatchObject({ verdict: 'blind', explanation: expect.stringContaining('no metrics.logs') })
    answers('logs', counted(100, 0))
    const service = aService({ spec: spec({ versions: { v1: { labels: { a: 'b' } }, v2: { labels: { a: 'c' } } } }) })
    const [alike] = (await look(metrics, input(LIVE + 8 * MINUTE, [LOGS], { service })))?.progress ?? []
    expect(alike?.last).toMatchObject({
      verdict: 'blind',
      explanation: expect.stringContaining('tells the versions apart'),
    })
    expect(asked).toEqual([])
  })

  it('looks by its own clock beside a gate on the mesh', async () => {
    answers('logs', counted(100, 0))
    const span = { cluster: 'east', fromMs: T0 - MINUTE, toMs: T0 + 50 * MINUTE, everyMs: 5 * SECOND }
    putRequests(metrics, { ...span, version: 'v1', each: 90 })
    putRequests(metrics, { ...span, version: 'v2', each: 10 })
    const early = await look(metrics, input(LIVE + 30 * SECOND, [MESH, LOGS]))
    expect(early?.progress.map(({ cursorMs }) => cursorMs)).toEqual([LIVE + 20 * SECOND, undefined])
    const late = await look(metrics, input(LIVE + 8 * MINUTE, [MESH, LOGS]))
    expect(late?.progress.map(({ cursorMs }) => cursorMs)).toEqual([LIVE + 470 * SECOND, LIVE + 3 * MINUTE])
  })
})

describe('a gate on platform metrics', () => {
  it('counts whole minutes, none from before the weight was live, and none twice', () => {
    const grain = { delayMs: 2 * MINUTE, everyMs: MINUTE, grainMs: MINUTE }
    fc.assert(
      fc.property(
        fc.nat(120_000),
        fc.array(fc.integer({ min: 1, max: 200_000 }), { maxLength: 40 }),
        (offset, waits) => {
          const since = T0 + offset
          let now = since
          let progress = FRESH
          let counted: number | undefined
          for (const wait of waits) {
            now += wait
            const window = dueWindow({ ...input(now, [PLATFORM]), since, ...grain }, progress)
            if (!window) continue
            expect(window.fromMs % MINUTE).toBe(0)
            expect(window.toMs % MINUTE).toBe(0)
            expect(window.fromMs).toBeGreaterThanOrEqual(since)
            expect(window.toMs).toBeLessThanOrEqual(now - 2 * MINUTE)
            expect(window.fromMs).toBe(counted ?? Math.ceil(since / MINUTE) * MINUTE)
            counted = window.toMs
            progress = { ...progress, cursorMs: window.toMs, lookedAt: later(now - T0) }
          }
        },
      ),
    )
  })

  it('is due once a whole minute has surely come', () => {
    const timing = { delayMs: 2 * MINUTE, everyMs: MINUTE, grainMs: MINUTE }
    const due = (now: number) => dueWindow({ ...input(now, [PLATFORM]), ...timing }, FRESH)
    expect(due(T0 + 4 * MINUTE - 1)).toBeUndefined()
    expect(due(T0 + 4 * MINUTE)).toMatchObject({ fromMs: T0 + MINUTE, toMs: T0 + 2 * MINUTE })
  })
})

describe('the timing', () => {
  it('of a source is the cluster’s, or what is usual of its kind', () => {
    const of = (metrics: unknown) => clusterSpec.parse({ kubeconfig: { context: 'east' }, metrics })
    const logs = { workspaceId: crypto.randomUUID() }
    expect(metricsTiming(of({ logs }), 'logs')).toEqual({ delayMs: 5 * MINUTE, everyMs: 2 * MINUTE })
    expect(metricsTiming(of({ logs: { ...logs, delay: '3s', every: '4s' } }), 'logs')).toEqual({
      delayMs: 3000,
      everyMs: 4000,
    })
    expect(metricsTiming(of({}), 'platform')).toEqual({ delayMs: 2 * MINUTE, everyMs: MINUTE, grainMs: MINUTE })
  })

  it('of a rollout waits for the slowest source and looks as often as the fastest', () => {
    Object.assign(metrics.timings, TIMINGS)
    const clusters = [aCluster('east'), aCluster('west')]
    const of = (...gates: GateSpec[]) => overallTiming(gateTimings(metrics, gates, clusters), gates)
    expect(of()).toEqual({ delayMs: 10 * SECOND, everyMs: 5 * SECOND })
    expect(of(MESH, LOGS)).toEqual({ delayMs: 5 * MINUTE, everyMs: 5 * SECOND })
    expect(of(PLATFORM)).toEqual({ delayMs: 3 * MINUTE, everyMs: MINUTE })
  })
})

describe('a rollout with a gate on a source', () => {
  const { store, metrics: sources, start } = startWorld()
  const logs = { workspaceId: crypto.randomUUID() }
  const named = (name: string, of: object) =>
    store.change('cluster', name, (cluster) => ({
      ...cluster,
      spec: clusterSpec.parse({ kubeconfig: { context: name }, metrics: of }),
    }))

  it('that one of its clusters does not name is refused, with the field and the way out', async () => {
    named('east', { logs })
    expect(await start({ gates: [MESH, LOGS] })).toMatchObject({
      ok: false,
      failure: {
        code: 'InvalidCombination',
        errors: [{ pointer: '/gates/1/from', reason: 'cluster west has no metrics.logs' }],
        hint: expect.stringContaining('Name metrics.logs on cluster west'),
      },
    })
    expect(store.writes).toBe(0)
  })

  it('that all name starts, with a threshold that no histogram has, and is told of what is short', async () => {
    const platform = {
      resourceId: `/subscriptions/${crypto.randomUUID()}/resourceGroups/rg/providers/Microsoft.ServiceNetworking/trafficControllers/a`,
      namespace: 'Microsoft.ServiceNetworking/trafficControllers',
      region: 'westeurope',
      all: { metric: 'a' },
      bad: { metric: 'b' },
      versionDimension: 'V',
    }
    for (const name of ['east', 'west']) named(name, { logs, platform })
    Object.assign(sources.timings, TIMINGS, { platform: { delayMs: MINUTE, everyMs: 10 * SECOND, grainMs: MINUTE } })
    const steps = [{ weight: 10, for: '90s' }]
    const started = await start({ gates: [SLOW_LOGS, PLATFORM], steps, clusters: ['east'] })
    expect(started).toMatchObject({ ok: true, value: { gates: [SLOW_LOGS, PLATFORM] } })
    expect(started.ok && started.value.warnings).toEqual([
      'gate errors ≤ 1 %: weaker than in strategy default',
      'step 10 % for 90s is short for gates from logs on east (every 2m, 5m late)',
      'gates from platform on east look every 10s, 1m late, but its numbers come by the 1m: they look as often as these come',
      'step 10 % for 90s is short for gates from platform on east (every 10s, 1m late)',
    ])
  })
})

it('clusters that name the very same logs are told to count each its own', async () => {
  const { store, start } = startWorld()
  const workspaceId = crypto.randomUUID()
  const named = (name: string, where: object) =>
    store.change('cluster', name, (cluster) => ({
      ...cluster,
      spec: clusterSpec.parse({ kubeconfig: { context: name }, metrics: { logs: { workspaceId, where } } }),
    }))
  const gates = [MESH, LOGS]
  for (const name of ['east', 'west']) named(name, {})
  const same = 'gates from logs count the same requests for east and west: give each its own "where" in metrics.logs'
  expect(await start({ gates })).toMatchObject({ value: { warnings: [same] } })
})

describe('a gate’s source', () => {
  it('may be left out, and then the body stays as it was', () => {
    expect(gateSpec.parse({ kind: 'errors', limitPercent: 1 })).toEqual({ kind: 'errors', limitPercent: 1 })
    expect([MESH, LOGS, PLATFORM].map(gateKind)).toEqual(['errors', 'errors from logs', 'errors from platform'])
  })

  it('of a latency gate is no platform metric', () => {
    expect(gateSpec.safeParse({ ...SLOW_LOGS, from: 'platform' }).success).toBe(false)
  })

  it('does not stand in for that of the strategy', async () => {
    const resolved = await resolveStrategy(new MemoryStore(), rolloutRequest.parse({ candidate: 'v2', gates: [LOGS] }))
    expect(resolved).toMatchObject({ value: { warnings: ['gate errors ≤ 1 %: weaker than in strategy default'] } })
  })
})
