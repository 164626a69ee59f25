import { beforeEach, describe, expect, it } from 'vitest'
import { PortError } from '../../../src/ports/port-error.ts'
import { OLDER_THAN, RestartsWorld } from './restarts-world.ts'

let world: RestartsWorld
beforeEach(() => {
  world = new RestartsWorld()
})

const types = () => world.events().map(({ type }) => type)

describe('what stops restarts', () => {
  const many = () => {
    world.seedMany(60)
    world.settle()
  }

  it('a freeze that begins between two of them', async () => {
    many()
    world.after = () => world.freeze()
    await world.restart()
    expect(world.patches).toEqual(['Deployment n1/web'])
    expect(world.restarts).toMatchObject({ held: { reason: 'Frozen', message: 'freeze sale holds: sale.' } })
    await world.live(3)
    expect(world.patches).toHaveLength(1)
    world.after = () => undefined
    world.thaw()
    await world.live(1)
    expect(world.patches.slice(0, 3)).toEqual(['Deployment n1/web', 'Deployment n10/web', 'Deployment n11/web'])
    expect(world.restarts?.held).toBeUndefined()
  })

  it('a pause, and an intent that is withdrawn; what is under way is seen to its end', async () => {
    many()
    world.after = () => world.rotation({ paused: { actor: { kind: 'person', id: 'a', name: 'A' }, at: OLDER_THAN } })
    await world.restart()
    expect(world.patches).toHaveLength(1)
    world.rotation({})
    const { restarting: _restarting, ...rotation } = world.store.peek('mesh-ca', 'east-ca')?.rotation ?? { id: '' }
    world.ca({ rotation: rotation as never })
    await world.live(20)
    expect(world.patches).toHaveLength(1)
    expect(world.underWay()).toEqual([])
    expect(types()).toContain('certificate.workload-restarted')
  })

  it('a window that closed', async () => {
    many()
    const spec = world.store.peek('mesh-ca', 'east-ca')?.spec
    if (!spec?.restarts) throw new Error('no restarts')
    const windows = [{ cron: '0 3 * * *', for: '1h', timeZone: 'UTC' }]
    world.ca({ spec: { ...spec, restarts: { ...spec.restarts, windows } } })
    await world.live(2)
    expect(world.patches).toEqual([])
    expect(world.restarts?.held).toMatchObject({ reason: 'WaitsForWindow' })
  })

  it.each<[string, string, () => void]>([
    ['failures that rose', 'FailuresRisen', () => world.look({ failures: { now: 50, before: 0 } })],
    [
      'a look that failed',
      'Unreachable',
      () => world.look({ state: 'failed', reason: 'Unreachable', message: 'No answer.' }),
    ],
    ['a look that was long ago', 'WaitsForLook', () => world.look({ lookedAt: '2026-05-01T10:00:00.000Z' })],
    ['a change by Azure', 'ClusterChanging', () => world.azure({ provisioningState: 'Updating' })],
    ['a cluster that is stopped', 'ClusterStopped', () => world.azure({ powerState: 'Stopped' })],
    ['an upgrade of the mesh', 'MeshUpgrade', () => world.azure({ mesh: { revisions: ['asm-1-26', 'asm-1-27'] } })],
  ])('%s, between two of them too', async (_, reason, happens) => {
    many()
    world.after = happens
    await world.restart()
    expect(world.patches).toHaveLength(1)
    world.isLookedAt = false
    world.after = () => undefined
    await world.restart()
    expect(world.restarts?.held).toMatchObject({ reason })
    world.now += 200_000
    await world.restart()
    expect(world.patches).toHaveLength(1)
    world.azure({})
    world.look({ state: 'seen', failures: { now: 50, before: 40 } })
    world.isLookedAt = true
    await world.live(2)
    expect(world.patches.length).toBeGreaterThan(1)
  })

  it('a right that is missing, which is named with the file that grants it', async () => {
    world.seedMany(1)
    world.settle()
    world.user = { user: 'us', groups: [], rules: [{ verbs: ['get', 'list'], apiGroups: ['*'], resources: ['*'] }] }
    await world.restart()
    expect(world.restarts?.held).toMatchObject({ reason: 'Denied' })
    expect(world.restarts?.held?.message).toMatch(/restart-role\.yaml/)
    expect(world.restarts).toMatchObject({ underWay: [], left: 0 })
    expect(world.restarts?.cannot[0]).toMatch(/^Deployment n1\/web: the cluster refuses its restart: /)
    await world.live(40)
    const held = world.events().filter(({ type }) => type === 'certificate.held')
    expect(held).toMatchObject([{ reason: 'Denied' }])
    world.user = { user: 'admin', groups: ['system:masters'] }
    world.now += 300_000
    await world.live(3)
    expect(world.patches).toEqual(['Deployment n1/web'])
    expect(world.restarts?.held).toBeUndefined()
    expect(world.restarts).toMatchObject({ done: 1, cannot: [] })
  })

  it('nothing but the one that the cluster refuses: the others go on', async () => {
    world.seedMany(3)
    world.settle()
    world.before = (name) => {
      if (name === 'Deployment n1/web') throw new PortError('invalid', 'Kubernetes east', 'a webhook says no')
    }
    await world.live(12)
    expect(world.patches).toEqual(['Deployment n2/web', 'Deployment n3/web'])
    expect(world.restarts).toMatchObject({ done: 2, left: 0, held: { reason: 'Refused' } })
    expect(world.restarts?.cannot).toEqual(['Deployment n1/web: the cluster refuses its restart: a webhook says no'])
  })

  it('a workload that is not ready in time: it is named, people are told once, and it goes on by itself', async () => {
    world.seedMany(2)
    world.settle()
    await world.restart()
    world.isStopped = true
    await world.live(70)
    expect(world.patches).toEqual(['Deployment n1/web'])
    expect(world.restarts).toMatchObject({ stuck: 'Deployment n1/web', left: 1 })
    const held = world.events().filter(({ type }) => type === 'certificate.held')
    expect(held).toMatchObject([{ reason: 'RestartStuck' }])
    expect(held[0]?.message).toMatch(/^Deployment n1\/web is not ready after its restart/)
    world.isStopped = false
    await world.live(6)
    expect(world.restarts).toMatchObject({ done: 2, left: 0 })
    expect(world.restarts?.stuck).toBeUndefined()
  })
})

describe('when another hand restarts everything', () => {
  it('as many are followed as would be begun, by lists of the whole cluster, and all are counted', async () => {
    world.seedMany(30)
    world.settle()
    const spec = world.store.peek('mesh-ca', 'east-ca')?.spec
    if (!spec?.restarts) throw new Error('no restarts')
    world.ca({ spec: { ...spec, restarts: { ...spec.restarts, atOnce: 6 } } })
    world.isStopped = true
    world.restartAll()
    await world.restart()
    expect(world.underWay()).toHaveLength(6)
    expect(world.restarts).toMatchObject({ done: 0, left: 24 })
    world.lists.length = 0
    await world.restart()
    expect(world.underWay()).toHaveLength(6)
    expect(world.lists.filter((path) => path.includes('/namespaces/'))).toEqual([])
    world.isStopped = false
    await world.live(12)
    expect(world.patches).toEqual([])
    expect(world.restarts).toMatchObject({ done: 30, left: 0, underWay: [] })
  })
})
