import { beforeEach, describe, expect, it } from 'vitest'
import type { PlacementDocument } from '../../../src/model/documents.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { preflightWarnings } from '../../../src/rollouts/preflight-warnings.ts'
import { aCluster, aPlacement, aService } from '../fakes/documents.ts'
import { FakeMetrics } from '../fakes/fake-metrics.ts'
import { aRollout, aTarget, SECOND, T0 } from './fixture.ts'

const rollout = aRollout('preflight', { targets: [aTarget('east', 0)] })
let metrics: FakeMetrics
beforeEach(() => {
  metrics = new FakeMetrics()
})

function warn(change: Partial<PlacementDocument> = {}, phase = rollout.phase): Promise<readonly string[]> {
  const parts = rollout.targets.map((target) => ({
    target,
    placement: aPlacement(target.cluster, change),
    cluster: aCluster(target.cluster),
  }))
  return preflightWarnings(metrics, aService(), { ...rollout, phase }, parts, T0)
}

/** Counts ten requests each 15 s since ten minutes ago until `untilMs` before T0, on connections with this policy. */
function requests(policy: string | undefined, each: number, untilMs = 0): void {
  const labels = {
    reporter: 'destination',
    destination_service_namespace: 'shop',
    destination_service_name: 'web',
    instance: policy ?? 'none given',
    ...(policy === undefined ? {} : { connection_security_policy: policy }),
  }
  const samples = Array.from({ length: 41 }, (_, index) => [T0 - 600 * SECOND + index * 15 * SECOND, index * each])
  const scraped = samples.filter(([at = 0]) => at <= T0 - untilMs) as [number, number][]
  metrics.put('east', 'istio_requests_total', labels, scraped)
}

describe('callers outside the mesh', () => {
  it('are told with their share of the last five minutes', async () => {
    requests('mutual_tls', 97)
    requests('none', 3)
    expect(await warn()).toEqual([
      'east: 3 % of the requests to shop/web in the last 5m came from outside the mesh; they reach the candidate at any weight',
    ])
  })

  it('may be few', async () => {
    requests('mutual_tls', 10_000)
    requests('none', 1)
    expect(await warn()).toEqual([expect.stringContaining('less than 0.1 % of the requests')])
  })

  it('may be all', async () => {
    requests('none', 5)
    expect(await warn()).toEqual([expect.stringContaining('100 % of the requests')])
  })

  it.each([
    ['all callers are in the mesh', () => requests('mutual_tls', 10)],
    ['they stopped calling before', () => requests('none', 10, 301 * SECOND)],
    ['the source does not keep the label', () => requests(undefined, 10)],
    ['there is no traffic', () => undefined],
    ['the cluster has no metrics source', () => void metrics.without.add('east')],
  ])('are not told of when %s', async (_, set) => {
    set()
    expect(await warn()).toEqual([])
  })

  it.each(['failure', 'refusal'] as const)('that cannot be counted (%s) are no stop', async (how) => {
    metrics[how] = new PortError('unavailable', 'Prometheus', 'no answer')
    expect(await warn()).toEqual(['east: whether callers outside the mesh reach the candidate is not known: no answer'])
  })
})

describe('warnings before the first step', () => {
  it('tell what reconcile saw, by cluster', async () => {
    expect(await warn({ preflight: { revision: 102, warnings: ['one budget for both'] } })).toEqual([
      'east: one budget for both',
    ])
  })

  it('wait until the cluster could take the step: route live, candidate ready', async () => {
    requests('none', 5)
    expect(await warn({ liveRevision: 101 })).toEqual([])
    expect(await warn({ versions: { v1: { ready: 2 }, v2: { ready: 0 } } })).toEqual([])
    expect(metrics.queries).toEqual([])
  })

  it.each(['progressing', 'paused', 'baking', 'rolling-back'] as const)('are not gathered in %s', async (phase) => {
    requests('none', 5)
    expect(await warn({}, phase)).toEqual([])
    expect(metrics.queries).toEqual([])
  })
})
