import { beforeEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/model/kube.ts'
import { timestamp } from '../../../src/model/names.ts'
import type { CandidateTraffic } from '../../../src/model/step.ts'
import { World } from './world.ts'

const MATCH: CandidateTraffic = { weight: 0, match: [{ headers: { 'x-preview': { exact: 'yes' } } }] }
const MIRROR: CandidateTraffic = { weight: 0, mirror: 50 }
const STICKY = { cookie: 'meshwright-version', maxAgeMs: 86_400_000 }
const FREEZE = { reason: 'holidays', scope: {}, covers: ['configuration' as const, 'rollouts' as const] }

let world: World
beforeEach(async () => {
  world = new World()
  await world.settle()
  world.rollout('preflight', 0)
  await world.settle()
  world.cluster.forget()
})

/** The applies since they were last asked for. */
function applies(): readonly string[] {
  return world.cluster.forget().filter((request) => request.startsWith('apply'))
}

describe.each([
  ['match', MATCH],
  ['mirror', MIRROR],
])('a %s for the candidate', (kind, traffic) => {
  it('is one write, and live when it has settled', async () => {
    world.traffic('progressing', traffic)
    expect(await world.reconcile()).toMatchObject({ state: 'settling', weights: { v1: 100, v2: 0 } })
    expect(world.sideRoutes).toEqual([`${kind} v2`])
    expect(applies()).toEqual(['apply VirtualService'])
    expect(world.placement.sideRoutes).toMatchObject([{ kind, version: 'v2' }])
    const words = kind === 'match' ? 'what matches' : 'copies'
    expect(JSON.stringify(world.placement.outbox)).toContain(`Written to east: v1 100 %, v2 0 % and ${words}.`)
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(world.placement.weightsLive?.revision).toBe(world.placement.liveRevision)
  })

  it('waits for ready endpoints of the candidate', async () => {
    world.setPods({ v1: 2, v2: 0 })
    world.traffic('progressing', traffic)
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'WaitingForEndpoints' })
    expect(world.sideRoutes).toEqual([])
    expect(world.message('Ready')).toContain('v2')
    expect(world.placement.weightsLive).toBeUndefined()
  })

  it('is held by a freeze, and taken away in spite of one', async () => {
    world.freeze({ ...FREEZE, until: timestamp(world.clock.at + 30_000) })
    world.traffic('progressing', traffic)
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'FreezeActive' })
    expect(world.sideRoutes).toEqual([])
    world.clock.at += 30_000
    await world.settle()
    expect(world.sideRoutes).toEqual([`${kind} v2`])
    world.freeze(FREEZE)
    world.traffic('rolling-back', traffic)
    await world.reconcile()
    expect(world.sideRoutes).toEqual([])
  })

  it('goes away in one write when the rollout goes back, whatever the candidate is like', async () => {
    world.traffic('progressing', traffic)
    await world.settle()
    world.setPods({ v1: 1, v2: 0 })
    world.traffic('rolling-back', traffic)
    world.cluster.forget()
    expect(await world.reconcile()).toMatchObject({ state: 'settling' })
    expect(world.sideRoutes).toEqual([])
    expect(applies()).toEqual(['apply VirtualService'])
    expect(world.placement.sideRoutes).toBeUndefined()
    expect(world.placement.weightsLive).toMatchObject({ revision: 103, at: timestamp(world.clock.at + 5000) })
  })

  it('still stands while a hold stops its end: nothing is said to be back', async () => {
    world.traffic('progressing', traffic)
    await world.settle()
    world.annotate('VirtualService', 'web', { 'meshwright.io/hold': 'true' })
    world.traffic('rolling-back', traffic)
    await world.reconcile()
    expect(world.placement.weightsLive).toBeUndefined()
    expect(world.placement.sideRoutes).toMatchObject([{ kind, version: 'v2' }])
  })

  it('that another hand takes away during a rollout pauses it, and is set again when that is wanted', async () => {
    world.traffic('progressing', traffic)
    await world.settle()
    editHttp(([, last, ...rest]) => [...(last ? [last] : []), ...rest], kind)
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'WeightChanged' })
    expect(world.placement.sideRoutes).toMatchObject([{ kind, version: 'v2' }])
    expect(world.placement.driftedAt).toBeDefined()
    expect(world.sideRoutes).toEqual([])
  })

  it('that another hand adds during a rollout pauses it', async () => {
    world.traffic('progressing', traffic)
    await world.settle()
    const added = world.cluster.peek('VirtualService', 'web')?.spec?.http
    world.rollout('progressing', 0)
    await world.settle()
    world.cluster.change('kubectl-edit', 'VirtualService', 'web', (object) => withHttp(object, added))
    expect(world.sideRoutes).toEqual([`${kind} v2`])
    expect(await world.reconcile()).toMatchObject({ reason: 'WeightChanged' })
    world.rollout('rolling-back', 0)
    await world.reconcile()
    expect(world.sideRoutes).toEqual([])
  })

  it('gives way to a weight: first it goes, then the weight comes', async () => {
    world.traffic('progressing', traffic)
    await world.settle()
    world.cluster.forget()
    world.traffic('progressing', { weight: 10 })
    await world.settle()
    expect(world.weights).toEqual({ v1: 90, v2: 10 })
    expect(world.sideRoutes).toEqual([])
    expect(applies()).toEqual(['apply VirtualService', 'apply VirtualService'])
  })
})

describe('a route that another hand puts before ours', () => {
  it('moves requests as a weight does, whatever it is called', async () => {
    world.rollout('progressing', 10)
    await world.settle()
    const route = [{ destination: { host: 'web.shop.svc.cluster.local', subset: 'v2' } }]
    world.cluster.change('kubectl-edit', 'VirtualService', 'web', (object) => {
      const http = (object.spec?.http ?? []) as readonly object[]
      return withHttp(object, [{ match: [{ uri: { prefix: '/a' } }], route }, ...http])
    })
    expect(await world.reconcile()).toMatchObject({ reason: 'WeightChanged' })
  })
})

describe('clients that stay with the candidate', () => {
  it('have their cookie before the first of them gets it; a further step is one write', async () => {
    const seen: unknown[] = []
    world.cluster.afterWrite = () => seen.push([world.weights, world.sideRoutes])
    world.traffic('progressing', { weight: 10 }, STICKY)
    await world.settle()
    expect(seen).toEqual([
      [{ v1: 100, v2: 0 }, ['affinity v2']],
      [{ v1: 90, v2: 10 }, ['affinity v2']],
    ])
    expect(world.cluster.forget()).toHaveLength(6)
    world.traffic('progressing', { weight: 50 }, STICKY)
    await world.reconcile()
    expect(world.weights).toEqual({ v1: 50, v2: 50 })
    expect(world.cluster.forget()).toHaveLength(5)
  })

  it('go back with all the others: the route for them goes first, and no request more is made than six', async () => {
    world.traffic('progressing', { weight: 10 }, STICKY)
    await world.settle()
    world.cluster.forget()
    const seen: unknown[] = []
    world.cluster.afterWrite = () => seen.push([world.weights, world.sideRoutes])
    world.traffic('rolling-back', { weight: 10 }, STICKY)
    await world.reconcile()
    expect(seen).toEqual([
      [{ v1: 90, v2: 10 }, []],
      [{ v1: 100, v2: 0 }, []],
    ])
    expect(world.cluster.log).toHaveLength(6)
  })

  it('are forgotten at 100 per cent, so that the way back from the bake is one write', async () => {
    world.traffic('progressing', { weight: 50 }, STICKY)
    await world.settle()
    world.traffic('baking', { weight: 100 }, STICKY)
    await world.settle()
    expect([world.weights, world.sideRoutes]).toEqual([{ v1: 0, v2: 100 }, []])
    world.cluster.forget()
    world.traffic('rolling-back', { weight: 100 }, STICKY)
    await world.reconcile()
    expect(applies()).toEqual(['apply VirtualService'])
    expect(world.weights).toEqual({ v1: 100, v2: 0 })
  })
})

/** Changes the http routes as another hand: without the match route, or without the mirror. */
function editHttp(withoutFirst: (http: readonly object[]) => readonly object[], kind: string): void {
  world.cluster.change('kubectl-edit', 'VirtualService', 'web', (object) => {
    const http = (object.spec?.http ?? []) as readonly object[]
    return withHttp(
      object,
      kind === 'match' ? withoutFirst(http) : http.map((route) => ({ ...route, mirror: undefined })),
    )
  })
}

function withHttp(object: KubeObject, http: unknown): KubeObject {
  return { ...object, spec: { ...object.spec, http } }
}
