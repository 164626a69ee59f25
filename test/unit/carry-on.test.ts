import { beforeEach, describe, expect, it } from 'vitest'
import { advanceAndReconcile, reconcileAndAdvance } from '../../src/carry-on.ts'
import type { FreezeDocument } from '../../src/model/documents.ts'
import { timestamp } from '../../src/model/names.ts'
import type { Rollout } from '../../src/model/rollout.ts'
import { PortError } from '../../src/ports/port-error.ts'
import { NO_TELEMETRY } from '../../src/ports/telemetry.ts'
import { FakeManagedClusters } from './fakes/fake-managed-clusters.ts'
import { FakeMetrics } from './fakes/fake-metrics.ts'
import { MemoryStore } from './fakes/memory-store.ts'
import { clusterDocument, serviceDocument, World } from './reconcile/world.ts'
import { aRollout, aTarget } from './rollouts/fixture.ts'

const KEY = 'shop/web'

let world: World
let store: MemoryStore
let settleMs: number

beforeEach(() => {
  world = new World()
  store = new MemoryStore({ relaying: true })
  store.put(clusterDocument())
  settleMs = 1
})

const deps = () => ({
  ...world.deps,
  store,
  settleMs,
  metrics: new FakeMetrics(),
  managedClusters: new FakeManagedClusters(),
  caps: { perCluster: 9, inAll: 9 },
  logger: { log: () => undefined },
  telemetry: NO_TELEMETRY,
})
const advance = () => advanceAndReconcile(deps(), KEY)
const reconcile = () => reconcileAndAdvance(deps(), { service: KEY, cluster: 'east' })
const rollout = () => store.get('service', KEY).rollouts[0]
const messages = () => store.sent.map(({ message, notBefore }) => `${message.kind}${notBefore ? ' later' : ''}`)

/** shop/web is live on east with v1 alone, and a rollout to v2 begins there. */
async function begin(change: Partial<Rollout> = {}): Promise<void> {
  store.put(serviceDocument())
  for (let pass = 0; pass < 3; pass += 1) {
    await reconcile()
    world.clock.at += settleMs
  }
  const now = timestamp(world.clock.now())
  const times = { phaseSince: now, weightSince: now, startedAt: now, updatedAt: now, nextAttemptAt: now }
  const targets = [aTarget('east', 0)]
  const one = aRollout('pending', { ...times, targets, gates: [], revision: 101, bakeMs: 1000, ...change })
  store.change('service', KEY, (before) => ({ ...before, renderRevision: 101, rollouts: [one] }))
  store.sent.splice(0)
  world.cluster.forget()
}

describe('one look at a rollout', () => {
  it('takes it from its start to the time of its first step, and asks the queue for nothing but the next look', async () => {
    await begin()
    expect(await advance()).toMatchObject({ ok: true })
    expect(world.weights).toEqual({ v1: 90, v2: 10 })
    expect(rollout()).toMatchObject({ phase: 'progressing', weight: 10, liveAt: expect.any(String) })
    expect(messages()).toEqual(['advance later'])
    expect(store.get('service', KEY).outbox).toEqual([])
    expect(store.get('placement', 'shop/web/east').outbox).toEqual([])
    expect(store.kept.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['rollout.preflight', 'rollout.progressing', 'placement.applied']),
    )
  })

  it('stops where routes have to settle, and goes on when a pass finds that they have', async () => {
    settleMs = 5000
    await begin()
    await advance()
    expect(rollout()).toMatchObject({ phase: 'preflight' })
    expect(messages()).toEqual(expect.arrayContaining(['reconcile later']))
    expect(messages()).not.toContain('reconcile')
    expect(messages()).not.toContain('advance')
    world.clock.at += 5000
    await reconcile()
    expect(rollout()).toMatchObject({ phase: 'progressing', weight: 10 })
    expect(world.weights).toEqual({ v1: 90, v2: 10 })
  })

  it('ends a rollout whose time is over with one version in the route', async () => {
    await begin({ steps: [{ weight: 100, for: '10s' }] })
    await advance()
    world.clock.at += 10_000
    await advance()
    expect(rollout()).toMatchObject({ phase: 'baking' })
    world.clock.at += 1000
    await advance()
    expect(rollout()).toBeUndefined()
    expect(world.weights).toEqual({ v2: 100 })
    expect(store.peek('rollout', 'shop/web/shop.web.k3')).toMatchObject({ rollout: { phase: 'succeeded' } })
  })
})

describe('a freeze that begins within an invocation', () => {
  it('holds a rise that was decided on without it: the pass reads freezes anew before it writes', async () => {
    await begin()
    const base = { schema: 1, outbox: [], createdAt: '', updatedAt: '', generation: 1, idempotency: [] } as const
    store.beforeWrite = (_change, document) => {
      const decided = document.kind === 'service' && document.rollouts[0]?.weight === 10
      const spec = { reason: 'holidays', scope: {}, covers: ['rollouts'] as const }
      if (decided) store.put({ ...base, kind: 'freeze', name: 'holidays', spec } as unknown as FreezeDocument)
    }
    await advance()
    expect(rollout()).toMatchObject({ phase: 'progressing', weight: 10 })
    expect(world.weights).toEqual({ v1: 100, v2: 0 })
    expect(store.get('placement', 'shop/web/east').conditions).toContainEqual(
      expect.objectContaining({ type: 'Frozen', status: 'True' }),
    )
  })
})

describe('what one invocation did not come to', () => {
  it('goes over the queue when there are many clusters', async () => {
    await begin({ targets: Array.from({ length: 9 }, (_, index) => aTarget(`c${index}`, 0)) })
    await advance()
    expect(messages().filter((kind) => kind === 'reconcile')).toHaveLength(9)
    expect(world.cluster.forget()).toEqual([])
  })

  it('goes over the queue when the store fails in between', async () => {
    await begin()
    store.beforeWrite = (_change, { kind }) => {
      if (kind === 'placement') throw new PortError('unavailable', 'store', 'no answer')
    }
    await expect(advance()).rejects.toThrow('no answer')
    expect(messages()).toEqual(expect.arrayContaining(['reconcile', 'advance later']))
    expect(store.get('service', KEY).outbox).toEqual([])
  })

  it('is in the outbox when the process ends in between', async () => {
    await begin()
    store.beforeWrite = (_change, { kind }) => (kind === 'placement' ? new Promise(() => undefined) : undefined)
    void advance()
    await new Promise((resolve) => setImmediate(resolve))
    const work = store.get('service', KEY).outbox.filter(({ kind }) => kind === 'work')
    expect(work.map((entry) => entry.kind === 'work' && entry.message.kind)).toEqual(['reconcile', 'advance'])
  })
})
