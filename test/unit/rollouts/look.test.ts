import { beforeEach, describe, expect, it } from 'vitest'
import type { GateSpec } from '../../../src/model/gate.ts'
import type { GateProgress, Rollout } from '../../../src/model/rollout.ts'
import type { GateTiming } from '../../../src/ports/metrics.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { dueWindow, type LookInput, look } from '../../../src/rollouts/look.ts'
import { aCluster, aService, spec } from '../fakes/documents.ts'
import { FakeMetrics, putLatencies, putRequests } from '../fakes/fake-metrics.ts'
import { aRollout, aTarget, later, MINUTE, SECOND, T0 } from './fixture.ts'

let metrics: FakeMetrics
beforeEach(() => {
  metrics = new FakeMetrics()
})

const LIVE = T0 + 5 * SECOND
const ERRORS: GateSpec = { kind: 'errors', limitPercent: 1 }
const SLOW: GateSpec = { kind: 'latency', overMs: 500, limitPercent: 1 }

type Input = LookInput & GateTiming

/** A look on east at `now`, at the rollout as it is. */
function input(now: number, rollout: Rollout = aRollout('progressing'), change: Partial<Input> = {}): Input {
  const [target = aTarget('east', 10)] = rollout.targets
  const timing = { delayMs: 10 * SECOND, everyMs: 5 * SECOND }
  const whole = { ...timing, ...change }
  const timings = { mesh: { delayMs: whole.delayMs, everyMs: whole.everyMs } }
  return { service: aService(), rollout, target, cluster: aCluster('east'), since: LIVE, now, timings, ...whole }
}

/** Looks every 5 s from `from` to `to`, as passes do: each on what the one before left. */
async function lookOn(rollout: Rollout, from: number, to: number): Promise<Rollout> {
  let current = rollout
  for (let now = from; now <= to; now += 5 * SECOND) {
    const outcome = await look(metrics, input(now, current))
    if (outcome) current = { ...current, progress: outcome.progress }
  }
  return current
}

function gateOf(rollout: { readonly progress: readonly GateProgress[] } | undefined, gate = 0): GateProgress {
  const found = rollout?.progress[gate]
  if (!found) throw new Error('the gate has not looked')
  return found
}

/** v1 gets 90 requests and v2 10 between two scrapes, from ten minutes before T0 for an hour; v2 fails `failing` of them. */
function steadyTraffic(failing = 0, everyMs = 5 * SECOND, cluster = 'east'): void {
  const span = { cluster, fromMs: T0 - 10 * MINUTE, toMs: T0 + 50 * MINUTE, everyMs }
  putRequests(metrics, { ...span, version: 'v1', each: 90 })
  putRequests(metrics, { ...span, version: 'v2', each: 10 - failing })
  if (failing > 0) putRequests(metrics, { ...span, version: 'v2', code: '503', each: failing })
}

describe('when a gate looks', () => {
  const none: GateProgress = {
    gate: 0,
    cluster: 'east',
    candidate: { good: 0, bad: 0 },
    stable: { good: 0, bad: 0 },
    stepCandidate: { good: 0, bad: 0 },
    stepStable: { good: 0, bad: 0 },
    maxE: 0,
  }
  const ms = (window: ReturnType<typeof dueWindow>) => window && [window.fromMs - T0, window.toMs - T0]

  it('the first window begins when the weight is live, and ends at what has surely arrived', () => {
    expect(ms(dueWindow(input(T0 + 30 * SECOND), none))).toEqual([5 * SECOND, 20 * SECOND])
  })

  it('there is none before anything can have arrived', () => {
    expect(dueWindow(input(LIVE + 10 * SECOND), none)).toBeUndefined()
    expect(ms(dueWindow(input(LIVE + 11 * SECOND), none))).toEqual([5 * SECOND, 6 * SECOND])
  })

  it('the next begins where the last one ended, once `every` is over', () => {
    const before = { ...none, cursorMs: T0 + 20 * SECOND, lookedAt: later(30 * SECOND) }
    expect(dueWindow(input(T0 + 35 * SECOND - 1), before)).toBeUndefined()
    expect(ms(dueWindow(input(T0 + 35 * SECOND), before))).toEqual([20 * SECOND, 25 * SECOND])
  })

  it('the step’s end is looked at though `every` is not over, and but once', () => {
    const end = LIVE + 60 * SECOND + 10 * SECOND
    const before = { ...none, cursorMs: end - 13 * SECOND, lookedAt: later(end - 3 * SECOND - T0) }
    expect(dueWindow(input(end - 1), before)).toBeUndefined()
    expect(ms(dueWindow(input(end), before))).toEqual([end - 13 * SECOND - T0, 65 * SECOND])
    const then = { ...none, cursorMs: end - 10 * SECOND, lookedAt: later(end - T0) }
    expect(dueWindow(input(end + 2 * SECOND), then)).toBeUndefined()
  })

  it('so is the end of the bake', () => {
    const rollout = aRollout('baking')
    const end = T0 + 605 * SECOND + 10 * SECOND
    const before = { ...none, cursorMs: end - 13 * SECOND, lookedAt: later(end - 3 * SECOND - T0) }
    expect(dueWindow(input(end - 1, rollout), before)).toBeUndefined()
    expect(dueWindow(input(end, rollout), before)).toBeDefined()
  })

  it('nothing from before the present weight is counted, whatever the cursor of the step before', () => {
    const before = { ...none, cursorMs: T0 - 20 * SECOND, lookedAt: later(0) }
    expect(ms(dueWindow(input(T0 + 30 * SECOND), before))).toEqual([5 * SECOND, 20 * SECOND])
  })

  it('a cluster that came late counts from when it has the weight', () => {
    expect(ms(dueWindow(input(T0 + 60 * SECOND, undefined, { since: T0 + 40 * SECOND }), none))).toEqual([
      40 * SECOND,
      50 * SECOND,
    ])
  })

  it('after a long pause or outage no more than an hour is asked for', () => {
    const before = { ...none, cursorMs: T0 + 20 * SECOND, lookedAt: later(30 * SECOND) }
    expect(ms(dueWindow(input(T0 + 300 * MINUTE), before))).toEqual([
      240 * MINUTE - 10 * SECOND,
      300 * MINUTE - 10 * SECOND,
    ])
  })
})

describe('what a gate counts', () => {
  it('windows are disjoint and add up to all there was', async () => {
    steadyTraffic(2)
    const rollout = await lookOn(aRollout('progressing', { alpha: 0.0001 }), T0 + 20 * SECOND, T0 + 65 * SECOND)
    // Scrapes at 10 s … 55 s after T0, ten in all.
    expect(gateOf(rollout)).toMatchObject({
      cursorMs: T0 + 55 * SECOND,
      stepCandidate: { good: 80, bad: 20 },
      stepStable: { good: 900, bad: 0 },
      candidate: { good: 80, bad: 20 },
      lookedAt: later(65 * SECOND),
    })
  })

  it('what came before the weight was live is not in it, though the counter has it', async () => {
    steadyTraffic()
    const outcome = await look(metrics, input(T0 + 30 * SECOND))
    // Scrapes at 10, 15 and 20 s after T0.
    expect(gateOf(outcome)).toMatchObject({ stepCandidate: { good: 30, bad: 0 }, stepStable: { good: 270, bad: 0 } })
    expect(outcome?.observedWeight).toBe(10)
  })

  it('what comes after the window’s end waits for the next', async () => {
    steadyTraffic()
    const first = await look(metrics, input(T0 + 30 * SECOND))
    const next = await look(
      metrics,
      input(T0 + 35 * SECOND, { ...aRollout('progressing'), progress: first?.progress ?? [] }),
    )
    expect(gateOf(next)).toMatchObject({ stepCandidate: { good: 40, bad: 0 }, cursorMs: T0 + 25 * SECOND })
  })

  it('a pod that comes in the middle counts from zero', async () => {
    steadyTraffic()
    const pod = { reporter: 'destination', destination_service_namespace: 'shop', destination_service_name: 'web' }
    const labels = { ...pod, destination_version: 'v2', response_code: '200', job: 'pods', instance: 'new' }
    metrics.put('east', 'up', { job: 'pods', instance: 'new' }, [
      [T0 + 8 * SECOND, 1],
      [T0 + 13 * SECOND, 1],
    ])
    metrics.put('east', 'istio_requests_total', labels, [
      [T0 + 13 * SECOND, 7],
      [T0 + 18 * SECOND, 9],
    ])
    expect(gateOf(await look(metrics, input(T0 + 30 * SECOND)))).toMatchObject({ stepCandidate: { good: 39, bad: 0 } })
    expect(metrics.queries.map(({ selector }) => selector.split('{')[0])).toEqual(['istio_requests_total', 'up'])
  })

  it('two gates on the same series ask once', async () => {
    steadyTraffic()
    const gates = [ERRORS, { ...ERRORS, limitPercent: 5 }]
    await look(metrics, input(T0 + 30 * SECOND, aRollout('progressing', { gates })))
    expect(metrics.queries).toHaveLength(1)
  })

  it('latency counts those over an edge', async () => {
    const span = { cluster: 'east', fromMs: T0 - 10 * MINUTE, toMs: T0 + 10 * MINUTE, everyMs: 5 * SECOND }
    putLatencies(metrics, { ...span, version: 'v1', each: 90 }, { '250': 60, '500': 90 })
    putLatencies(metrics, { ...span, version: 'v2', each: 10 }, { '250': 4, '500.0': 7 })
    const outcome = await look(metrics, input(T0 + 30 * SECOND, aRollout('progressing', { gates: [SLOW] })))
    expect(gateOf(outcome)).toMatchObject({ stepCandidate: { good: 21, bad: 9 }, stepStable: { good: 270, bad: 0 } })
  })

  it('gates keep cursors of their own: what one could not see, another does not count twice', async () => {
    steadyTraffic()
    const both = aRollout('progressing', { gates: [SLOW, ERRORS] })
    const rollout = await lookOn(both, T0 + 20 * SECOND, T0 + 65 * SECOND)
    expect(gateOf(rollout, 0)).toMatchObject({ last: { verdict: 'blind', reason: 'NoData' } })
    expect(gateOf(rollout, 0).cursorMs).toBeUndefined()
    expect(gateOf(rollout, 1)).toMatchObject({ stepCandidate: { good: 100, bad: 0 }, cursorMs: T0 + 55 * SECOND })
  })

  it('so do two gates on the same histogram, one of which asks for an edge that it has not', async () => {
    const span = { cluster: 'east', fromMs: T0 - 10 * MINUTE, toMs: T0 + 10 * MINUTE, everyMs: 5 * SECOND }
    for (const version of ['v1', 'v2']) putLatencies(metrics, { ...span, version, each: 10 }, { '500': 10 })
    const gates = [{ ...SLOW, overMs: 300 }, SLOW]
    const rollout = await lookOn(aRollout('progressing', { gates }), T0 + 20 * SECOND, T0 + 65 * SECOND)
    expect(gateOf(rollout, 0).last).toMatchObject({ verdict: 'blind' })
    expect(gateOf(rollout, 1)).toMatchObject({ stepCandidate: { good: 100, bad: 0 } })
  })
})

describe('what a gate says', () => {
  it('harm, when the candidate fails as soon as there are enough requests', async () => {
    steadyTraffic(3)
    const rollout = await lookOn(aRollout('progressing'), T0 + 20 * SECOND, T0 + 65 * SECOND)
    expect(gateOf(rollout).last).toMatchObject({
      verdict: 'harm',
      reason: 'LimitExceeded',
      stable: { good: 900, bad: 0 },
    })
    expect(gateOf(rollout).last?.explanation).toMatch(/^30 of 100 requests failed \(30.0 %\)/)
  })

  it('of this step alone: a good past does not thin a later harm', async () => {
    steadyTraffic(3)
    const past = { good: 100_000, bad: 0 }
    const [none] = [{ good: 0, bad: 0 }]
    const before: GateProgress = {
      gate: 0,
      cluster: 'east',
      candidate: past,
      stable: past,
      stepCandidate: none,
      stepStable: none,
      maxE: 0,
    }
    const rollout = await lookOn(aRollout('progressing', { progress: [before] }), T0 + 20 * SECOND, T0 + 65 * SECOND)
    expect(gateOf(rollout)).toMatchObject({
      last: { verdict: 'harm', candidate: { good: 70, bad: 30 } },
      candidate: { good: 100_070, bad: 30 },
    })
  })

  it('undecided, with too few', async () => {
    steadyTraffic()
    const outcome = await look(metrics, input(T0 + 30 * SECOND))
    expect(gateOf(outcome).last).toMatchObject({ verdict: 'undecided', reason: 'TooFewEvents' })
  })

  it('with a part of the rollout’s alpha: gates, clusters, and all clusters together share it', async () => {
    steadyTraffic()
    const gates = [ERRORS, { ...ERRORS, limitPercent: 5 }]
    const outcome = await look(metrics, input(T0 + 30 * SECOND, aRollout('progressing', { gates, alpha: 0.012 })))
    expect(gateOf(outcome).last?.alpha).toBeCloseTo(((0.012 / 2) * (2 / 3)) / 2, 12)
  })

  it('not the candidate’s harm, where stable breaks the limit too', async () => {
    const span = { cluster: 'east', fromMs: T0 - MINUTE, toMs: T0 + 10 * MINUTE, everyMs: 5 * SECOND }
    for (const [version, tens] of [
      ['v1', 9],
      ['v2', 1],
    ] as const) {
      putRequests(metrics, { ...span, version, each: 40 * tens })
      putRequests(metrics, { ...span, version, code: '500', each: 10 * tens })
    }
    const outcome = await look(metrics, input(T0 + 30 * SECOND))
    expect(gateOf(outcome).last).toMatchObject({ verdict: 'undecided', reason: 'StableBreaksLimitToo' })
  })
})

describe('a gate is blind', () => {
  const at = T0 + 60 * SECOND
  const blind = async (rollout?: Rollout, change?: Partial<LookInput>) =>
    gateOf(await look(metrics, input(at, rollout, change))).last

  it('without any sample of the service', async () => {
    expect(await blind()).toMatchObject({ verdict: 'blind', reason: 'NoData' })
  })

  it('when the samples stopped coming', async () => {
    putRequests(metrics, {
      cluster: 'east',
      version: 'v1',
      fromMs: T0 - MINUTE,
      toMs: T0 + 40 * SECOND,
      everyMs: 5 * SECOND,
      each: 9,
    })
    expect(await blind()).toMatchObject({
      reason: 'DataLate',
      explanation: expect.stringMatching(/newest sample is 20 s old and should be 15 s at most/),
    })
  })

  it('not while the newest sample is just as old as it may be', async () => {
    const until = { cluster: 'east', fromMs: T0 - MINUTE, toMs: T0 + 45 * SECOND, everyMs: 5 * SECOND }
    for (const version of ['v1', 'v2']) putRequests(metrics, { ...until, version, each: 9 })
    expect(await blind()).toMatchObject({ verdict: 'undecided' })
  })

  it('not when a source scrapes seldom, as long as its newest sample is within delay and look', async () => {
    const seldom = { cluster: 'east', fromMs: T0 - 4 * MINUTE, toMs: T0 + 10 * MINUTE, everyMs: 30 * SECOND }
    metrics.delayMs = 30 * SECOND
    for (const version of ['v1', 'v2']) putRequests(metrics, { ...seldom, version, each: 100 })
    const timing = { delayMs: 30 * SECOND, everyMs: 10 * SECOND }
    for (const seconds of [60, 65, 75, 85, 89.9]) {
      const outcome = await look(metrics, input(T0 + seconds * SECOND, undefined, timing))
      expect(gateOf(outcome).last?.verdict).not.toBe('blind')
    }
  })

  it('when samples are no numbers', async () => {
    steadyTraffic()
    const labels = { reporter: 'destination', destination_service_namespace: 'shop', destination_service_name: 'web' }
    metrics.put('east', 'istio_requests_total', labels, [[T0 + 20 * SECOND, Number.NaN]])
    expect(await blind()).toMatchObject({ reason: 'NotANumber' })
  })

  it('when the query fails, in the words of the source', async () => {
    metrics.failure = new PortError('unavailable', 'Prometheus east', 'Prometheus east answered 503')
    expect(await blind()).toMatchObject({
      reason: 'QueryFailed',
      explanation: expect.stringMatching(/^Prometheus east answered 503; before that: no requests yet/),
    })
  })

  it('when the source may not be opened', async () => {
    metrics.refusal = new PortError('denied', 'Prometheus east', 'its address is not called')
    expect(await blind()).toMatchObject({
      reason: 'QueryFailed',
      explanation: expect.stringMatching(/its address is not called/),
    })
  })

  it('when the cluster names no source', async () => {
    metrics.without.add('east')
    expect(await blind()).toMatchObject({
      reason: 'NoData',
      explanation: expect.stringMatching(/cluster east names no metrics source/),
    })
  })

  it('when nothing tells the versions apart', async () => {
    steadyTraffic()
    const versions = { v1: { labels: { app: 'a' } }, v2: { labels: { app: 'b' } } }
    expect(await blind(undefined, { service: aService({ spec: spec({ versions }) }) })).toMatchObject({
      reason: 'NoData',
    })
  })

  it('when the histogram has no such edge, with the nearest', async () => {
    const span = { cluster: 'east', fromMs: T0 - MINUTE, toMs: T0 + 10 * MINUTE, everyMs: 5 * SECOND }
    putLatencies(metrics, { ...span, version: 'v2', each: 10 }, { '250': 4, '1000': 7 })
    expect(await blind(aRollout('progressing', { gates: [SLOW] }))).toMatchObject({
      reason: 'NoData',
      explanation: expect.stringMatching(/no edge at 500 ms; the nearest are 250 and 1000 ms/),
    })
  })

  it('when stable answers so many that the candidate should have been seen, and it was not', async () => {
    putRequests(metrics, {
      cluster: 'east',
      version: 'v1',
      fromMs: T0 - MINUTE,
      toMs: T0 + 10 * MINUTE,
      everyMs: 5 * SECOND,
      each: 90,
    })
    expect(await blind()).toMatchObject({
      reason: 'NoData',
      explanation: expect.stringMatching(/stable answered 810 requests in this step, the candidate is not seen/),
    })
  })

  it('not for a silent candidate while few requests came at all', async () => {
    putRequests(metrics, {
      cluster: 'east',
      version: 'v1',
      fromMs: T0 - MINUTE,
      toMs: T0 + 10 * MINUTE,
      everyMs: 5 * SECOND,
      each: 9,
    })
    expect(await blind()).toMatchObject({ verdict: 'undecided', reason: 'TooFewEvents' })
  })

  it('and keeps evidence and cursor: what it missed is counted once it sees again', async () => {
    steadyTraffic()
    const before = await lookOn(aRollout('progressing'), T0 + 20 * SECOND, T0 + 30 * SECOND)
    metrics.failure = new PortError('unavailable', 'Prometheus east', 'Prometheus east answered 503')
    const outage = await lookOn(before, T0 + 35 * SECOND, T0 + 45 * SECOND)
    expect(gateOf(outage)).toMatchObject({ cursorMs: T0 + 20 * SECOND, stepCandidate: { good: 30, bad: 0 } })
    metrics.failure = undefined
    const again = await lookOn(outage, T0 + 50 * SECOND, T0 + 65 * SECOND)
    expect(gateOf(again)).toMatchObject({ cursorMs: T0 + 55 * SECOND, stepCandidate: { good: 100, bad: 0 } })
  })
})
