import { beforeEach, describe, expect, it } from 'vitest'
import { PortError } from '../../../../src/ports/port-error.ts'
import { measureTraffic } from '../../../../src/rollouts/plan/measure-traffic.ts'
import { aCluster, aService } from '../../fakes/documents.ts'
import { FakeMetrics, putRequests } from '../../fakes/fake-metrics.ts'
import { aRollout, aTarget, MINUTE, SECOND, T0 } from '../fixture.ts'

let metrics: FakeMetrics
beforeEach(() => {
  metrics = new FakeMetrics()
})

/** v1 gets `each` requests every 10 s, of which it fails one in a hundred, since some minutes. */
function traffic(minutes: number, each = 100): void {
  const span = { cluster: 'east', fromMs: T0 - minutes * MINUTE, toMs: T0, everyMs: 10 * SECOND, version: 'v1' }
  putRequests(metrics, { ...span, each: each * 0.99 })
  putRequests(metrics, { ...span, code: '503', each: each * 0.01 })
}

const measure = async (change: Parameters<typeof aRollout>[1] = {}) => {
  const rollout = aRollout('pending', { targets: [aTarget('east', 0)], ...change })
  const question = { service: aService(), rollout, clusters: [aCluster('east')], now: T0 }
  return (await measureTraffic(metrics, question)).east
}

describe('the traffic that a service has', () => {
  it('is what came in the last hour, with the share that each gate would call bad', async () => {
    traffic(120)
    const east = await measure()
    expect(east?.perMinute).toBeCloseTo(600, 0)
    expect(east?.gates[0]?.bad).toBeCloseTo(0.01)
    expect(metrics.queries.every(({ fromMs }) => fromMs > T0 - 65 * MINUTE)).toBe(true)
  })

  it('of a service that is younger is what came since', async () => {
    traffic(10)
    expect((await measure())?.perMinute).toBeCloseTo(600, 0)
  })

  it('is counted without gates, and with gates that count something else', async () => {
    traffic(120)
    expect((await measure({ gates: [] }))?.perMinute).toBeCloseTo(600, 0)
    const value = { kind: 'value', name: 'queue', query: 'up', max: 1 } as const
    expect((await measure({ gates: [value] }))?.perMinute).toBeCloseTo(600, 0)
  })

  it('is not known, with the reason, where the source does not answer or has nothing', async () => {
    metrics.failure = new PortError('unavailable', 'Prometheus', 'Prometheus east answered 503')
    expect(await measure()).toEqual({ gates: {}, why: expect.stringContaining('Prometheus east answered 503') })
    metrics.failure = undefined
    expect((await measure())?.why).toContain('no samples of the service')
    metrics.without.add('east')
    expect((await measure())?.why).toContain('names no metrics source')
  })

  it('of a cluster that is gone is not known', async () => {
    const rollout = aRollout('pending', { targets: [aTarget('north', 0)] })
    const measured = await measureTraffic(metrics, { service: aService(), rollout, clusters: [], now: T0 })
    expect(measured.north?.why).toBe('cluster north is not registered any more')
  })

  it('is none where requests have stopped', async () => {
    const span = { cluster: 'east', fromMs: T0 - 120 * MINUTE, toMs: T0, everyMs: 10 * SECOND, version: 'v1' }
    putRequests(metrics, { ...span, each: 0, base: 5000 })
    expect((await measure())?.perMinute).toBe(0)
  })
})
