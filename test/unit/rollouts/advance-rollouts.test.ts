import { beforeEach, describe, expect, it } from 'vitest'
import { PortError } from '../../../src/ports/port-error.ts'
import { advanceRollouts } from '../../../src/rollouts/advance-rollouts.ts'
import { aCluster, aPlacement, aService, workIn } from '../fakes/documents.ts'
import { FakeMetrics, putRequests } from '../fakes/fake-metrics.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { aRollout, aTarget, later, MINUTE, SECOND, T0 } from './fixture.ts'

let store: MemoryStore
let metrics: FakeMetrics
let now: number
beforeEach(() => {
  store = new MemoryStore({ relaying: true })
  metrics = new FakeMetrics()
  now = T0 + MINUTE
  for (const name of ['east', 'west']) {
    store.put(aCluster(name))
    store.put(aPlacement(name))
  }
})

function advance() {
  const clock = { now: () => now, sleep: async () => undefined }
  return advanceRollouts({ store, metrics, clock, caps: { perCluster: 10, inAll: 30 } }, 'shop/web')
}

const service = () => store.get('service', 'shop/web')
const rollout = () => service().rollouts[0]

/** What reconcile does when all is well: the route of the newest revision is written and has settled. */
function goLive(cluster: string): void {
  store.change('placement', `shop/web/${cluster}`, (placement) => ({
    ...placement,
    liveRevision: service().renderRevision,
    liveAt: new Date(now).toISOString(),
  }))
}

/** Shared as the steps ask: 10 % for the first, 50 % from when the second is live; v2 fails `failing` of 20. */
function traffic(failing: number): void {
  const shares = [
    { fromMs: T0 - 10 * MINUTE, toMs: T0 + 75 * SECOND, stable: 180, candidate: 20 },
    // A restart: the first sample after it counts from zero.
    { fromMs: T0 + 80 * SECOND, toMs: T0 + 60 * MINUTE, stable: 20, candidate: 20 },
  ]
  for (const cluster of ['east', 'west']) {
    for (const { stable, candidate, ...when } of shares) {
      const span = { cluster, ...when, everyMs: 5 * SECOND }
      putRequests(metrics, { ...span, version: 'v1', each: stable, base: stable })
      putRequests(metrics, { ...span, version: 'v2', each: candidate - failing, base: candidate - failing })
      if (failing > 0) putRequests(metrics, { ...span, version: 'v2', code: '500', each: failing, base: failing })
    }
  }
}

/** Follows a rollout as the host does: each step when it is due, routes live at once. Gives the phases and weights. */
async function follow(limit = 200): Promise<readonly string[]> {
  const seen: string[] = []
  for (let pass = 0; pass < limit; pass += 1) {
    const due = rollout()?.nextAttemptAt
    if (due === undefined) break
    now = Math.max(now, Date.parse(due))
    await advance()
    for (const cluster of ['east', 'west']) {
      if (store.get('placement', `shop/web/${cluster}`).liveRevision < service().renderRevision) goLive(cluster)
    }
    const state = rollout() ? `${rollout()?.phase} ${rollout()?.weight}` : 'ended'
    if (seen.at(-1) !== state) seen.push(state)
  }
  return seen
}

describe('a rollout on its way', () => {
  beforeEach(() => {
    now = T0
    store.put(aService({ renderRevision: 102, rollouts: [aRollout('pending', { nextAttemptAt: later(0) })] }))
  })

  it('goes from start to success by itself', async () => {
    traffic(0)
    expect(await follow()).toEqual(['progressing 10', 'progressing 50', 'promoting 100', 'baking 100', 'ended'])
    const ended = store.get('rollout', 'shop/web/shop.web.k3').rollout
    expect(ended).toMatchObject({ phase: 'succeeded', weight: 100 })
    expect(ended.history.map(({ to }) => to)).toEqual([
      'preflight',
      'progressing',
      'progressing',
      'promoting',
      'baking',
      'succeeded',
    ])
    expect(service()).toMatchObject({ targets: { east: { stable: 'v2' }, west: { stable: 'v2' } }, rollouts: [] })
    expect(service()).not.toHaveProperty('dueAt')
  })

  it('goes back by itself when the candidate fails', async () => {
    traffic(4)
    expect(await follow()).toEqual(['progressing 10', 'rolling-back 0', 'ended'])
    expect(store.get('rollout', 'shop/web/shop.web.k3').rollout).toMatchObject({
      phase: 'rolled-back',
      reason: 'LimitExceeded',
      message: expect.stringMatching(/^gate errors on all clusters together: \d+ of \d+ requests failed \(20.0 %\)/),
    })
    expect(service().targets.east).toEqual({ stable: 'v1' })
  })

  it('waits blind when the metrics are gone, and goes on when they are back', async () => {
    traffic(0)
    metrics.failure = new PortError('unavailable', 'Prometheus', 'Prometheus answered 503')
    expect(await follow(20)).toEqual(['progressing 10', 'blind 10'])
    expect(store.kept.map(({ type }) => type)).toContain('rollout.blind')
    metrics.failure = undefined
    expect((await follow()).at(-1)).toBe('ended')
    expect(store.get('rollout', 'shop/web/shop.web.k3').rollout.phase).toBe('succeeded')
  })

  it('counts every request once, whatever passes there were', async () => {
    traffic(0)
    await follow()
    const { progress, bakeUntil } = store.get('rollout', 'shop/web/shop.web.k3').rollout
    const looks = store.kept.filter(({ type }) => type === 'rollout.look')
    expect(looks.length).toBeGreaterThan(100)
    for (const cluster of ['east', 'west']) {
      const windows = looks
        .filter(({ data }) => data?.cluster === cluster)
        .map(({ data }) => data?.counted as { fromMs: number; toMs: number })
      for (const [index, window] of windows.entries()) {
        expect(window.fromMs).toBeLessThan(window.toMs)
        expect(window.fromMs).toBeGreaterThanOrEqual(windows[index - 1]?.toMs ?? 0)
      }
      expect(windows.at(-1)?.toMs).toBe(Date.parse(bakeUntil ?? ''))
      const scrapes = windows.reduce(
        (sum, { fromMs, toMs }) => sum + Math.floor((toMs - T0) / 5000) - Math.floor((fromMs - T0) / 5000),
        0,
      )
      expect(progress.find((one) => one.cluster === cluster)?.candidate).toEqual({ good: 20 * scrapes, bad: 0 })
    }
  })
})

describe('an advance', () => {
  it('takes several steps at once as long as no route has to be written', async () => {
    store.put(aService({ renderRevision: 102, rollouts: [aRollout('pending')] }))
    await advance()
    expect(store.writes).toBe(1)
    expect(rollout()).toMatchObject({ phase: 'progressing', weight: 10, revision: 103 })
    expect(rollout()?.history).toMatchObject([{ to: 'preflight' }, { to: 'progressing' }])
  })

  it('does not take a route for live that is yet to be written, though all happens in one millisecond', async () => {
    now = T0
    store.put(aService({ renderRevision: 102, rollouts: [aRollout('pending', { gates: [] })] }))
    await advance()
    expect(rollout()).toMatchObject({ phase: 'progressing', weight: 10, revision: 103 })
    expect(rollout()).not.toHaveProperty('liveAt')
  })

  it('writes nothing when nothing is due', async () => {
    store.put(aService({ renderRevision: 102, rollouts: [aRollout('progressing', { gates: [] })] }))
    await advance()
    const { writes } = store
    now += SECOND
    await advance()
    await advance()
    expect(store.writes).toBe(writes)
  })

  it('writes nothing for a service without rollouts, or with one that waits for a person', async () => {
    expect(await advance()).toEqual({ ok: true, value: undefined })
    store.put(aService())
    await advance()
    for (const phase of ['paused', 'awaiting-approval'] as const) {
      store.put(aService({ rollouts: [aRollout(phase)] }))
      await advance()
    }
    expect(store.writes).toBe(0)
    expect(metrics.queries).toEqual([])
  })

  it('moves each rollout of the service for itself', async () => {
    const east = aRollout('progressing', { id: 'shop.web.a', gates: [], targets: [aTarget('east', 10)] })
    const west = aRollout('paused', { id: 'shop.web.b', targets: [aTarget('west', 10)] })
    store.put(aService({ renderRevision: 102, rollouts: [east, west] }))
    now = T0 + 65 * SECOND
    await advance()
    expect(service().rollouts).toMatchObject([
      { weight: 50, revision: 103 },
      { phase: 'paused', revision: 102 },
    ])
    expect(workIn([...store.sent.map((work, id) => ({ ...work, id: String(id), kind: 'work' as const }))])).toContain(
      'urgent reconcile east',
    )
  })

  it('of two workers at once counts one look', async () => {
    traffic(0)
    store.put(aService({ renderRevision: 102, rollouts: [aRollout('progressing')] }))
    now = T0 + 30 * SECOND
    await Promise.all([advance(), advance()])
    expect(rollout()?.progress[0]).toMatchObject({ stepCandidate: { good: 60, bad: 0 } })
    expect(store.kept.filter(({ type }) => type === 'rollout.look')).toHaveLength(3)
  })

  it('after an abort that came meanwhile goes back, and does not rise', async () => {
    store.put(aService({ renderRevision: 102, rollouts: [aRollout('progressing', { gates: [] })] }))
    now = T0 + 65 * SECOND
    let raced = false
    store.beforeWrite = () => {
      if (raced) return
      raced = true
      const back = aRollout('rolling-back', { revision: 103 })
      store.put(aService({ renderRevision: 103, rollouts: [back] }))
    }
    await advance()
    expect(rollout()).toMatchObject({ phase: 'rolling-back', weight: 0 })
  })

  it('throws when the store does not answer, so that the message comes again', async () => {
    store.put(aService({ rollouts: [aRollout('progressing')] }))
    store.beforeRead = (kind) => {
      if (kind === 'placement') throw new PortError('unavailable', 'Cosmos DB', 'no answer')
    }
    await expect(advance()).rejects.toThrow('no answer')
  })
})
