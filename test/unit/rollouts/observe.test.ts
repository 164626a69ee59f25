import { beforeEach, describe, expect, it } from 'vitest'
import type { FreezeSpec } from '../../../src/model/freeze.ts'
import { freezeSpec } from '../../../src/model/freeze.ts'
import type { Rollout } from '../../../src/model/rollout.ts'
import { observe } from '../../../src/rollouts/observe.ts'
import { aCluster, aPlacement, aService, condition } from '../fakes/documents.ts'
import { FakeMetrics, putRequests } from '../fakes/fake-metrics.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { aRollout, aTarget, later, MINUTE, PERSON, SECOND, T0 } from './fixture.ts'

const NOW = T0 + MINUTE
let store: MemoryStore
let metrics: FakeMetrics
beforeEach(() => {
  store = new MemoryStore()
  metrics = new FakeMetrics()
  for (const name of ['east', 'west']) {
    store.put(aCluster(name))
    store.put(aPlacement(name))
  }
})

function see(rollout: Rollout = aRollout('progressing'), now = NOW, change: Parameters<typeof aService>[0] = {}) {
  const clock = { now: () => now, sleep: async () => undefined }
  const deps = { store, metrics, clock, caps: { perCluster: 10, inAll: 30 } }
  return observe(deps, aService({ rollouts: [rollout], ...change }), rollout)
}

function freeze(spec: Partial<FreezeSpec>): void {
  const base = { schema: 1, outbox: [], createdAt: later(0), updatedAt: later(0), generation: 1, idempotency: [] }
  store.put({ ...base, kind: 'freeze', name: 'xmas', spec: freezeSpec.parse({ reason: 'holidays', ...spec }) })
}

describe('a cluster of a rollout', () => {
  it('is seen as its placement tells', async () => {
    store.change('placement', 'shop/web/west', (placement) => ({
      ...placement,
      liveRevision: 101,
      versions: { v1: { ready: 3 }, v2: { ready: 1 } },
      conditions: [condition('Reachable', 'False', 'NoAnswer')],
    }))
    expect((await see()).targets).toEqual({
      east: {
        liveRevision: 102,
        liveAt: T0 + 5 * SECOND,
        reachable: true,
        gone: false,
        stableReady: 2,
        candidateReady: 2,
        weightChanged: false,
      },
      west: expect.objectContaining({ liveRevision: 101, reachable: false, stableReady: 3, candidateReady: 1 }),
    })
  })

  it('is away before it was ever reached', async () => {
    store.drop('placement', 'shop/web/west')
    expect((await see()).targets.west).toMatchObject({
      reachable: false,
      gone: false,
      liveRevision: 0,
      candidateReady: 0,
    })
  })

  it('is gone when it is not registered any more, or the service has left it', async () => {
    store.drop('cluster', 'west')
    expect((await see()).targets.west).toMatchObject({ reachable: false, gone: true })
    const left = await see(undefined, undefined, { targets: { west: { stable: 'v1' } } })
    expect(left.targets.east).toMatchObject({ gone: true })
  })

  it.each([
    ['Conflict', 'True', 'OwnedByOthers', true],
    ['Held', 'True', 'NamespaceHeld', true],
    ['Frozen', 'True', 'FreezeActive', true],
    ['Ready', 'False', 'WaitingForEndpoints', true],
    ['Ready', 'False', 'Settling', false],
    ['Ready', 'Unknown', 'NoAnswer', false],
    ['Held', 'False', 'None', false],
    ['EndpointsReady', 'False', 'NoReadyEndpoints', false],
  ] as const)('%s=%s (%s) stands in its way: %s', async (type, status, reason, stands) => {
    store.change('placement', 'shop/web/east', (placement) => ({
      ...placement,
      conditions: [condition(type, status, reason, 'why')],
    }))
    const { obstacle } = (await see()).targets.east ?? {}
    expect(obstacle).toEqual(stands ? { reason, message: 'east: why' } : undefined)
  })
})

describe('what the route of a cluster bears', () => {
  it('is what was written last, and when proxies have taken it', async () => {
    store.change('placement', 'shop/web/east', (placement) => ({
      ...placement,
      weightsLive: { revision: 103, at: later(7 * SECOND) },
    }))
    const { targets } = await see()
    expect(targets.east?.written).toEqual({ candidate: 10, revision: 103, liveAt: T0 + 7 * SECOND })
    expect(targets.west).not.toHaveProperty('written')
  })

  it('is not nothing while a match, a cookie or copies reach the candidate', async () => {
    store.change('placement', 'shop/web/east', (placement) => ({
      ...placement,
      weights: { v1: 100, v2: 0 },
      sideRoutes: [{ kind: 'mirror', version: 'v2', content: 'x' }],
      weightsLive: { revision: 103, at: later(0) },
    }))
    expect((await see()).targets.east?.written?.candidate).toBe(1)
  })
})

describe('selectors that overlap', () => {
  const found = (revision: number, status: 'True' | 'False' | 'Unknown') =>
    store.change('placement', 'shop/web/east', (placement) => ({
      ...placement,
      preflight: { revision, warnings: ['one budget for both'] },
      conditions: [condition('VersionsApart', status, 'SelectorsOverlap', 'a and b')],
    }))

  it.each([
    [102, 'False', 'a and b'],
    [103, 'False', 'a and b'],
    [101, 'False', undefined],
    [102, 'True', undefined],
    [102, 'Unknown', undefined],
  ] as const)('as seen at revision %s with VersionsApart=%s are: %s', async (revision, status, overlap) => {
    found(revision, status)
    expect((await see(aRollout('preflight'))).targets.east?.overlap).toBe(overlap)
  })

  it('come with warnings, but while a freeze or the caps hold the rollout', async () => {
    found(102, 'True')
    expect((await see(aRollout('preflight'))).warnings).toEqual(['east: one budget for both'])
    freeze({})
    expect((await see(aRollout('preflight'))).warnings).toEqual([])
  })
})

describe('weights that another hand changed', () => {
  const drifted = () =>
    store.change('placement', 'shop/web/east', (placement) => ({
      ...placement,
      driftedAt: later(30 * SECOND),
      conditions: [condition('Drifted', 'True', 'WeightChanged')],
    }))
  const transition = { actor: PERSON, reason: 'Resumed', message: 'resumed', step: 0, weight: 10 }

  it('are seen', async () => {
    drifted()
    expect((await see()).targets.east?.weightChanged).toBe(true)
    expect((await see()).targets.west?.weightChanged).toBe(false)
  })

  it('are answered by a person who let the rollout go on since', async () => {
    drifted()
    const history = [{ ...transition, from: 'paused', to: 'progressing', at: later(40 * SECOND) }] as const
    expect((await see(aRollout('progressing', { history }))).targets.east?.weightChanged).toBe(false)
  })

  it('are not answered by an earlier resume, or by a step', async () => {
    drifted()
    const history = [
      { ...transition, from: 'paused', to: 'progressing', at: later(20 * SECOND) },
      { ...transition, from: 'progressing', to: 'progressing', at: later(40 * SECOND) },
    ] as const
    expect((await see(aRollout('progressing', { history }))).targets.east?.weightChanged).toBe(true)
  })

  it('are none where fields were only added', async () => {
    store.change('placement', 'shop/web/east', (placement) => ({
      ...placement,
      conditions: [condition('Drifted', 'True', 'FieldsAdded')],
    }))
    expect((await see()).targets.east?.weightChanged).toBe(false)
  })
})

describe('freezes', () => {
  it('count that cover rollouts on one of the clusters, now', async () => {
    freeze({ scope: { clusters: ['west'] }, from: later(0), until: later(2 * MINUTE) })
    expect((await see()).frozen).toBe('xmas (holidays)')
    expect((await see(undefined, T0 - 1)).frozen).toBeUndefined()
    expect((await see(undefined, T0 + 2 * MINUTE)).frozen).toBeUndefined()
  })

  it('do not count for other clusters, services, or configuration alone', async () => {
    for (const spec of [
      { scope: { clusters: ['north'] } },
      { scope: { services: ['shop/cart'] } },
      { scope: { namespaces: ['bank'] } },
      { covers: ['configuration' as const] },
    ]) {
      freeze(spec)
      expect((await see()).frozen).toBeUndefined()
    }
  })
})

describe('a place under the caps', () => {
  const live = (phase: Rollout['phase'], id: string, cluster: string) =>
    aRollout(phase, { id, targets: [aTarget(cluster, 0)] })
  const ask = async (caps: { perCluster: number; inAll: number }) => {
    const rollout = aRollout('pending')
    const clock = { now: () => NOW, sleep: async () => undefined }
    return (await observe({ store, metrics, clock, caps }, aService({ rollouts: [rollout] }), rollout)).slot
  }
  beforeEach(() => {
    const rollouts = [
      live('progressing', 'shop.cart.a', 'east'),
      live('paused', 'shop.cart.b', 'north'),
      live('pending', 'shop.cart.c', 'south'),
      live('baking', 'shop.cart.d', 'south'),
    ]
    store.put(aService({ name: 'cart', rollouts }))
  })

  it('is free while fewer are under way, in all and on each cluster; who waits or bakes takes none', async () => {
    expect(await ask({ perCluster: 2, inAll: 3 })).toBe(true)
    expect(await ask({ perCluster: 2, inAll: 2 })).toBe(false)
    expect(await ask({ perCluster: 1, inAll: 3 })).toBe(false)
  })

  it('is asked for only while pending', async () => {
    let lists = 0
    store.list = async (kind) => {
      if (kind === 'service') lists += 1
      return { value: [] }
    }
    expect((await see()).slot).toBe(true)
    expect(lists).toBe(0)
  })
})

describe('looks', () => {
  beforeEach(() => {
    for (const cluster of ['east', 'west']) {
      for (const version of ['v1', 'v2']) {
        const span = { fromMs: T0 - 5 * MINUTE, toMs: T0 + 5 * MINUTE, everyMs: 5 * SECOND }
        putRequests(metrics, { ...span, cluster, version, each: cluster === 'east' ? 10 : 20 })
      }
    }
  })
  const clustersAsked = () => [...new Set(metrics.queries.map(({ cluster }) => cluster))]

  it('are made at every cluster that has the weight, and show the share that really comes', async () => {
    const { progress, observedWeights } = await see()
    expect(progress.map(({ cluster, stepCandidate }) => [cluster, stepCandidate.good])).toEqual([
      ['east', 90],
      ['west', 180],
      ['*', 0],
    ])
    expect(observedWeights).toEqual({ east: 50, west: 50 })
  })

  it('do not wait for one another: a source that is slow holds up no other cluster', async () => {
    const open = metrics.open.bind(metrics)
    let go = () => {}
    const westIsAsked = new Promise<void>((resolve) => {
      go = resolve
    })
    metrics.open = async (cluster) => {
      if (cluster.name === 'west') go()
      else await westIsAsked
      return open(cluster)
    }
    expect((await see()).observedWeights).toEqual({ east: 50, west: 50 })
  })

  it('are made while blind and in the bake, and in no other phase', async () => {
    for (const phase of ['progressing', 'blind', 'baking'] as const) {
      metrics.queries.length = 0
      await see(aRollout(phase, { progress: [] }))
      expect(clustersAsked()).toEqual(['east', 'west'])
    }
    metrics.queries.length = 0
    for (const phase of ['promoting', 'rolling-back'] as const) await see(aRollout(phase))
    expect(metrics.queries).toEqual([])
    // Before the first step metrics are asked only who calls.
    for (const phase of ['pending', 'preflight'] as const) expect((await see(aRollout(phase))).progress).toEqual([])
  })

  it('are not made without gates, before the weight is live, or twice in a row', async () => {
    const { liveAt: _, ...early } = aRollout('progressing')
    const untouched = aRollout('progressing', { gates: [] })
    for (const rollout of [untouched, early]) {
      expect(await see(rollout)).toMatchObject({ progress: rollout.progress, observedWeights: {} })
    }
    const looked = aRollout('progressing', { progress: (await see()).progress })
    metrics.queries.length = 0
    expect((await see(looked, NOW + SECOND)).progress).toBe(looked.progress)
    expect(metrics.queries).toEqual([])
  })

  it('leave out a cluster that cannot be reached, has no weight, or has the present one not yet', async () => {
    const reach = (conditions: readonly ReturnType<typeof condition>[], liveRevision = 102) =>
      store.change('placement', 'shop/web/west', (placement) => ({ ...placement, conditions, liveRevision }))
    reach([condition('Reachable', 'False', 'NoAnswer')])
    await see()
    reach([], 101)
    await see()
    reach([])
    await see(aRollout('progressing', { targets: [aTarget('east', 10), aTarget('west', 0)] }))
    expect(clustersAsked()).toEqual(['east'])
    await see()
    expect(clustersAsked()).toEqual(['east', 'west'])
  })

  it('count on a cluster that came late from when it has the weight', async () => {
    store.change('placement', 'shop/web/west', (placement) => ({ ...placement, liveAt: later(30 * SECOND) }))
    const { progress } = await see()
    expect(progress.map(({ stepCandidate }) => stepCandidate.good)).toEqual([90, 80, 0])
  })

  it('go by the slowest source', async () => {
    const found = await see()
    expect(found).toMatchObject({ delayMs: 10 * SECOND, everyMs: 5 * SECOND })
    metrics.timing = ({ metrics: own }) =>
      own?.prometheus?.url === 'http://west' ? { delayMs: 60_000, everyMs: 1 } : { delayMs: 1, everyMs: 30_000 }
    expect(await see()).toMatchObject({ delayMs: 60_000, everyMs: 30_000 })
  })
})
