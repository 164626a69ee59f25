import { beforeEach, describe, expect, it } from 'vitest'
import { type KubeObject, refOf } from '../../../src/model/kube.ts'
import { refKey } from '../../../src/reconcile/content.ts'
import { World } from './world.ts'

let world: World
beforeEach(() => {
  world = new World()
})

describe('a service that comes to a cluster', () => {
  it('gets its DestinationRule first and its VirtualService after proxies had time to take it', async () => {
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'Settling' })
    expect(world.cluster.forget().filter((request) => request.startsWith('apply'))).toEqual(['apply DestinationRule'])
    expect(world.weights).toBeUndefined()
    world.clock.at += 5000
    expect(await world.reconcile()).toMatchObject({ state: 'settling' })
    expect(world.weights).toEqual({ v1: 100 })
    expect(world.placement).toMatchObject({
      weights: { v1: 100 },
      liveRevision: 0,
      appliedRevision: 100,
      rung: 'stored',
    })
  })

  it('gives proxies their time also where another pass wrote the DestinationRule a moment ago', async () => {
    await world.reconcile()
    const { objects: _written, ...unaware } = world.placement
    world.store.put({ ...unaware, objects: [] })
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'Settling' })
    expect(world.weights).toBeUndefined()
    world.clock.at += 5000
    expect(await world.reconcile()).toMatchObject({ state: 'settling' })
    expect(world.weights).toEqual({ v1: 100 })
  })

  it('is marked live after the settle time without another request', async () => {
    await world.reconcile()
    world.clock.at += 5000
    const { again } = await world.reconcile()
    world.cluster.forget()
    world.clock.at = Date.parse(again ?? '')
    expect(await world.reconcile()).toMatchObject({ state: 'live', weights: { v1: 100 } })
    expect(world.cluster.forget()).toEqual([])
    expect(world.placement).toMatchObject({ liveRevision: 100, observedGeneration: 1 })
    expect(world.condition('Ready')).toBe('True Live')
    expect(world.placement.dueAt).toBeUndefined()
  })

  it('is not rendered over a newer render that was created after we looked', async () => {
    await world.reconcile()
    world.clock.at += 5000
    const newer = { ...world.cluster.peek('DestinationRule', 'web'), kind: 'VirtualService' } as KubeObject
    const annotations = { ...newer.metadata.annotations, 'meshwright.io/revision': '999' }
    const created = {
      ...newer,
      metadata: { ...newer.metadata, annotations, uid: 'newer', resourceVersion: 'rv-newer' },
    }
    world.cluster.before = (request) => {
      if (request === 'apply VirtualService') world.cluster.objects.set(refKey(refOf(created)), created)
    }
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'FencedOff' })
    expect(world.cluster.peek('VirtualService', 'web')).toMatchObject({ metadata: { uid: 'newer', annotations } })
  })

  it('waits for ready endpoints of stable, and says which Pods it looks for', async () => {
    world.setPods({ v1: 0, v2: 1 })
    await world.reconcile()
    world.clock.at += 5000
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'WaitingForEndpoints' })
    expect(world.message('Ready')).toContain('v1 (Pods with version=v1)')
    expect(world.condition('EndpointsReady')).toBe('False NoReadyEndpoints')
    world.setPods({ v1: 1 })
    expect(await world.settle()).toMatchObject({ state: 'live' })
  })

  it('is waited for less and less often', async () => {
    world.setPods({})
    await world.reconcile()
    const waits: number[] = []
    for (let pass = 0; pass < 12; pass += 1) {
      const from = world.clock.at
      world.clock.at = Date.parse((await world.reconcile()).again ?? '')
      waits.push(world.clock.at - from)
    }
    expect(waits.slice(1)).toEqual(waits.slice(1).toSorted((a, b) => a - b))
    expect(waits[1]).toBeLessThanOrEqual(5000)
    expect(waits.at(-1)).toBe(60_000)
  })

  it('has one message for its next pass, however often it is called meanwhile', async () => {
    world.setPods({})
    await world.reconcile()
    world.clock.at += 10_000
    await world.reconcile()
    const { outbox, dueAt } = world.placement
    for (let call = 0; call < 3; call += 1) {
      world.clock.at += 500
      await world.reconcile()
    }
    expect(world.placement).toMatchObject({ outbox, dueAt })
  })

  it('names a missing CRD and tries again', async () => {
    const { PortError } = await import('../../../src/ports/port-error.ts')
    world.cluster.before = (request) => {
      if (request.startsWith('apply'))
        throw new PortError('not-found', 'Kubernetes east', 'namespaces "shop" not found')
    }
    expect(await world.reconcile()).toMatchObject({ state: 'failed', reason: 'NotFound' })
    expect(world.condition('Reachable')).toBe('True Answers')
    expect(world.placement.attempts).toBe(1)
    expect(world.work()).toEqual(['work reconcile'])
  })
})

describe('a rollout', () => {
  beforeEach(async () => {
    await world.settle()
    world.rollout('preflight', 0)
    await world.settle()
    world.cluster.forget()
  })

  it('puts its candidate into the route with weight 0 before the first step', () => {
    expect(world.weights).toEqual({ v1: 100, v2: 0 })
  })

  it('takes a step with five requests and becomes live with none', async () => {
    world.rollout('progressing', 10)
    await world.reconcile()
    expect(world.weights).toEqual({ v1: 90, v2: 10 })
    expect(world.cluster.forget().sort()).toEqual([
      'apply VirtualService',
      'get Namespace',
      'get VirtualService',
      'list EndpointSlice',
      'listMetadata Pod',
    ])
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(world.cluster.forget()).toEqual([])
  })

  it('asks the rollout to look when its weight is written and again when it is live', async () => {
    world.store.put({ ...world.placement, outbox: [] })
    world.rollout('progressing', 10)
    await world.reconcile()
    expect(world.work()).toEqual(['urgent reconcile', 'urgent advance'])
    world.store.put({ ...world.placement, outbox: [] })
    await world.settle()
    expect(world.work()).toEqual(['urgent advance'])
    expect(world.placement.liveRevision).toBe(102)
  })

  it('does not raise a candidate without ready endpoints', async () => {
    world.setPods({ v1: 2, v2: 0 })
    world.rollout('progressing', 10)
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'WaitingForEndpoints' })
    expect(world.weights).toEqual({ v1: 100, v2: 0 })
    expect(world.placement).toMatchObject({ appliedRevision: 101, liveRevision: 101, observedGeneration: 1 })
    expect(world.condition('Ready')).toBe('False WaitingForEndpoints')
  })

  it('polls for the candidate in preflight though all is live, and stops when it is ready', async () => {
    world.setPods({ v1: 2, v2: 0 })
    world.rollout('preflight', 0)
    const outcome = await world.settle(4)
    expect(outcome.state).toBe('live')
    expect(outcome.again).toBeDefined()
    world.setPods({ v1: 2, v2: 1 })
    expect((await world.settle()).again).toBeUndefined()
    expect(world.placement.versions.v2).toEqual({ ready: 1 })
  })

  it('gives all back to stable in one write when it rolls back, whatever the candidate is like', async () => {
    world.rollout('progressing', 50)
    await world.settle()
    world.setPods({ v1: 1, v2: 0 })
    world.rollout('rolling-back', 50)
    world.cluster.forget()
    expect(await world.reconcile()).toMatchObject({ state: 'settling', weights: { v1: 100, v2: 0 } })
    expect(world.weights).toEqual({ v1: 100, v2: 0 })
    expect(world.cluster.log).toHaveLength(5)
  })

  it('keeps stable in the route at 0 while the candidate bakes, and drops it at the end', async () => {
    world.rollout('baking', 100)
    await world.settle()
    expect(world.weights).toEqual({ v1: 0, v2: 100 })
    world.service((before) => ({
      rollouts: [],
      targets: { east: { stable: 'v2' } },
      renderRevision: before.renderRevision + 1,
    }))
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(world.weights).toEqual({ v2: 100 })
  })
})

describe('a change of structure', () => {
  beforeEach(async () => {
    await world.settle()
    world.cluster.forget()
  })

  it('keeps a version that leaves until the route has left it and proxies had time', async () => {
    world.spec({ traffic: { weights: { v1: 50, v2: 50 } } })
    await world.settle()
    world.spec({ versions: { v1: { labels: { version: 'v1' } } }, traffic: undefined })
    world.cluster.forget()
    await world.reconcile()
    expect(world.weights).toEqual({ v1: 100 })
    expect(subsets()).toEqual(['v1', 'v2'])
    await world.settle()
    expect(subsets()).toEqual(['v1'])
  })

  it('does not write again when nothing changed', async () => {
    const before = world.placement
    const { writes } = world.store
    for (let pass = 0; pass < 3; pass += 1) await world.reconcile()
    expect(world.placement).toEqual(before)
    expect(world.store.writes).toBe(writes)
    expect(world.cluster.forget().filter((request) => request.startsWith('apply'))).toEqual([])
  })

  function subsets(): readonly string[] {
    const subsets = world.cluster.peek('DestinationRule', 'web')?.spec?.subsets as { name: string }[] | undefined
    return (subsets ?? []).map(({ name }) => name)
  }
})

describe('other writers', () => {
  beforeEach(async () => {
    await world.settle()
  })

  it('are read again after a lost race, and the newest document wins', async () => {
    let raced = false
    world.spec({ traffic: { timeout: '5s' } })
    world.cluster.before = (request) => {
      if (request !== 'apply VirtualService' || raced) return
      raced = true
      world.annotate('VirtualService', 'web', { touched: 'yes' })
    }
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(world.cluster.peek('VirtualService', 'web')?.spec?.http).toMatchObject([{ timeout: '5s' }])
  })

  it('of an older document are fenced off by the revision on the object', async () => {
    const old = world.store.peek('service', 'shop/web')
    world.rollout('progressing', 10)
    await world.settle()
    if (old) world.store.put(old)
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'FencedOff' })
    expect(world.weights).toEqual({ v1: 90, v2: 10 })
    expect(world.condition('Ready')).toBe('False FencedOff')
  })

  it('from in between are fenced off though the content came back to what it was', async () => {
    world.rollout('preflight', 0)
    await world.settle()
    world.rollout('progressing', 5)
    const between = world.store.peek('service', 'shop/web')
    world.rollout('rolling-back', 5)
    await world.settle()
    if (between) world.store.put(between)
    expect(await world.reconcile()).toMatchObject({ reason: 'FencedOff' })
    expect(world.weights).toEqual({ v1: 100, v2: 0 })
  })

  it('that win the placement make it gather again', async () => {
    world.rollout('preflight', 0)
    let raced = false
    world.store.beforeWrite = (document) => {
      if (raced || document.kind !== 'placement') return
      raced = true
      world.store.put({ ...world.placement, restores: [] })
    }
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(raced).toBe(true)
  })
})
