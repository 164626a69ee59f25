import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/model/kube.ts'
import { planPlacement } from '../../../src/reconcile/plan.ts'
import { clusterDocument, World } from './world.ts'

const META = 'consul.hashicorp.com/service-meta-version'

/** Service shop/web on a cluster with Consul, whose controller takes what `refuse` has no words against. */
class ConsulWorld extends World {
  refuse: (object: KubeObject) => string | undefined = () => undefined
  /** Does the controller look at all? */
  answers = true

  constructor() {
    super()
    this.store.put(clusterDocument({ mesh: { provider: 'consul' } }))
    this.count({ v1: 'v1', v2: 'v2' })
    this.cluster.afterWrite = () => this.look()
  }

  /** Sets the annotation by which Consul knows a version, by the label of the Pods. */
  count(values: Readonly<Record<string, string>>): void {
    for (const [key, object] of this.cluster.objects) {
      if (object.kind !== 'Pod') continue
      const value = values[object.metadata.labels?.version ?? '']
      const annotations: Readonly<Record<string, string>> = value === undefined ? {} : { [META]: value }
      this.cluster.objects.set(key, { ...object, metadata: { ...object.metadata, annotations } })
    }
  }

  private readonly seen = new Map<string, number | undefined>()

  /** The controller looks at what changed. */
  look(): void {
    if (!this.answers) return
    for (const [key, object] of this.cluster.objects) {
      if (!object.apiVersion.startsWith('consul.') || this.seen.get(key) === object.metadata.generation) continue
      this.seen.set(key, object.metadata.generation)
      const why = this.refuse(object)
      const synced = why
        ? { type: 'Synced', status: 'False', reason: 'ConsulAgentError', message: why }
        : { type: 'Synced', status: 'True' }
      const at = why ? {} : { lastSyncedTime: new Date(this.clock.now()).toISOString() }
      this.cluster.objects.set(key, { ...object, status: { ...object.status, ...at, conditions: [synced] } })
    }
  }

  get split(): unknown {
    return this.cluster.peek('ServiceSplitter', 'web')?.spec?.splits
  }

  applied(): readonly string[] {
    return this.cluster.forget().filter((line) => line.startsWith('apply'))
  }
}

const split = (v1: number, v2: number) => [
  { weight: v1, serviceSubset: 'v1' },
  { weight: v2, serviceSubset: 'v2' },
]

describe('a service on Consul', () => {
  it('gets each object once Consul has taken what it refers to, and is live when it has taken all', async () => {
    const world = new ConsulWorld()
    world.answers = false
    await world.settle(5)
    expect(world.applied()).toEqual(['apply ServiceDefaults'])
    expect(world.condition('Ready')).toBe('False WaitingForAcceptance')
    world.answers = true
    world.look()
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(world.applied()).toEqual(['apply ServiceResolver', 'apply ServiceSplitter', 'apply ServiceRouter'])
    expect(world.placement).toMatchObject({ rung: 'accepted', weights: { v1: 100 }, liveRevision: 100 })
  })

  it('says what Consul says when it refuses', async () => {
    const world = new ConsulWorld()
    world.refuse = ({ kind }) => (kind === 'ServiceResolver' ? 'bad filter' : undefined)
    await world.settle(8)
    expect(world.condition('Ready')).toBe('False NotAccepted')
    expect(world.message('Ready')).toContain('ConsulAgentError: bad filter')
    expect(world.split).toBeUndefined()
  })

  it('is not live with weights that Consul refused', async () => {
    const world = new ConsulWorld()
    await world.settle()
    world.rollout('progressing', 10)
    world.refuse = ({ kind }) => (kind === 'ServiceSplitter' ? 'no quorum' : undefined)
    await world.settle(8)
    expect(world.condition('Ready')).toBe('False NotAccepted')
    expect(world.placement.liveRevision).toBe(100)
  })

  it('moves weights one write a step, and gives all back at once', async () => {
    const world = new ConsulWorld()
    world.rollout('progressing', 0)
    await world.settle()
    world.applied()
    world.rollout('progressing', 10)
    expect(await world.settle()).toMatchObject({ state: 'live', weights: { v1: 90, v2: 10 } })
    expect(world.applied()).toEqual(['apply ServiceSplitter'])
    expect(world.split).toEqual(split(90, 10))
    world.rollout('rolling-back', 0)
    expect(await world.settle()).toMatchObject({ state: 'live', weights: { v1: 100, v2: 0 } })
    expect(world.applied()).toEqual(['apply ServiceSplitter'])
  })

  it('sends nothing to a version whose Pods Consul does not count to it', async () => {
    const world = new ConsulWorld()
    world.count({ v1: 'v1', v2: 'v1' })
    world.rollout('progressing', 0)
    await world.settle()
    world.rollout('progressing', 10)
    expect(await world.settle(6)).toMatchObject({ state: 'stopped', reason: 'WaitingForEndpoints' })
    expect(world.message('EndpointsReady')).toContain(`${META}=v2`)
    world.count({ v1: 'v1', v2: 'v2' })
    expect(await world.settle()).toMatchObject({ state: 'live', weights: { v1: 90, v2: 10 } })
  })

  it('keeps what matches on the router beside the weights on the splitter, and takes it back under a freeze', async () => {
    const world = new ConsulWorld()
    const match = [{ headers: { 'x-preview': { exact: 'yes' } } }]
    world.traffic('progressing', { weight: 10, match })
    expect(await world.settle()).toMatchObject({ state: 'live' })
    const revision = world.store.peek('service', 'shop/web')?.renderRevision
    expect(world.placement).toMatchObject({
      weights: { v1: 90, v2: 10 },
      sideRoutes: [{ kind: 'match', version: 'v2' }],
      weightsLive: { revision },
    })
    world.applied()
    world.freeze({ reason: 'holiday', covers: 'rollouts' } as never)
    world.rollout('rolling-back', 0)
    await world.settle()
    expect(world.applied()).toEqual(['apply ServiceRouter', 'apply ServiceSplitter'])
    expect(world.placement).toMatchObject({ weights: { v1: 100, v2: 0 } })
    expect(world.placement.sideRoutes).toBeUndefined()
  })

  it('pauses where another hand sends requests past the split during a rollout', async () => {
    const world = new ConsulWorld()
    world.traffic('progressing', { weight: 10, match: [{ headers: { 'x-preview': { exact: 'yes' } } }] })
    await world.settle()
    world.cluster.change('kubectl', 'ServiceRouter', 'web', (object) => ({ ...object, spec: { routes: [] } }))
    await world.settle(3)
    expect(world.condition('Drifted')).toBe('True WeightChanged')
  })

  it('is in conflict with a service of the same name in another namespace', async () => {
    const world = new ConsulWorld()
    world.cluster.edit('kubectl', {
      apiVersion: 'consul.hashicorp.com/v1alpha1',
      kind: 'ServiceDefaults',
      metadata: { name: 'web', namespace: 'other' },
      spec: { protocol: 'http' },
    })
    await world.settle(3)
    expect(world.condition('Conflict')).toBe('True OwnedByOthers')
    expect(world.message('Conflict')).toContain('ServiceDefaults other/web')
  })

  it('goes in the order in which Consul lets it go', async () => {
    const world = new ConsulWorld()
    await world.settle()
    world.cluster.forget()
    world.service(() => ({ targets: {}, leaving: ['east'] }))
    await world.settle()
    expect(world.cluster.forget().filter((line) => line.startsWith('remove'))).toEqual([
      'remove ServiceRouter',
      'remove ServiceSplitter',
      'remove ServiceResolver',
      'remove ServiceDefaults',
    ])
  })
})

describe('a service on Open Service Mesh', () => {
  it('is told in its plan and its placement that the mesh ends', async () => {
    const world = new World()
    world.store.put(clusterDocument({ mesh: { provider: 'osm' } }))
    world.spec({ workload: { labels: { app: 'web' } } })
    const service = world.store.peek('service', 'shop/web')
    if (!service) throw new Error('no service')
    const plan = await planPlacement(world.deps, service, 'east')
    expect(plan.findings).toContainEqual(expect.objectContaining({ code: 'MeshRetires', severity: 'warning' }))
    await world.reconcile()
    expect(world.condition('MeshMaintained')).toBe('False Retires')
    expect(world.message('MeshMaintained')).toContain('2027-09-30')
  })
})
