import { beforeEach, describe, expect, it } from 'vitest'
import { PortError } from '../../../src/ports/port-error.ts'
import { World } from './world.ts'

let world: World
beforeEach(async () => {
  world = new World()
  await world.settle()
  world.store.put({ ...world.placement, outbox: [] })
  world.cluster.forget()
})

function leave(deletingAt?: string): void {
  world.service((before) => ({
    targets: {},
    leaving: ['east'],
    renderRevision: before.renderRevision + 1,
    ...(deletingAt === undefined ? {} : { deletingAt }),
  }))
}

describe('a service that leaves a cluster', () => {
  it('goes route first, then rule after the proxies had time, then placement and name', async () => {
    leave()
    expect(await world.reconcile()).toMatchObject({ state: 'leaving' })
    expect(world.cluster.forget()).toEqual(['get Namespace', 'get VirtualService', 'remove VirtualService'])
    expect(world.placement.objects.map(({ kind }) => kind)).toEqual(['DestinationRule'])
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'Settling' })
    world.clock.at += 5000
    expect(await world.reconcile()).toMatchObject({ state: 'removed' })
    expect(world.cluster.peek('DestinationRule', 'web')).toBeUndefined()
    expect(world.store.peek('placement', 'shop/web/east')).toBeUndefined()
    expect(world.store.peek('service', 'shop/web')).toMatchObject({ leaving: [], targets: {} })
  })

  it.each([
    ['its route', (kind: string) => kind !== 'VirtualService'],
    ['all of it', () => false],
  ])('takes along, in the same order, what was created and never written down: %s', async (_, isKnown) => {
    world.store.put({ ...world.placement, objects: world.placement.objects.filter(({ kind }) => isKnown(kind)) })
    leave()
    expect(await world.reconcile()).toMatchObject({ state: 'leaving' })
    expect(world.cluster.forget().filter((request) => request.startsWith('remove'))).toEqual(['remove VirtualService'])
    world.clock.at += 5000
    expect(await world.settle()).toMatchObject({ state: 'removed' })
    expect(world.cluster.peek('DestinationRule', 'web')).toBeUndefined()
  })

  it('leaves what bears the names of its render and not its marks', async () => {
    world.store.put({ ...world.placement, objects: [] })
    world.cluster.change('kubectl', 'VirtualService', 'web', (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: {} },
    }))
    leave()
    await world.settle()
    expect(world.cluster.peek('VirtualService', 'web')).toBeDefined()
    expect(world.cluster.peek('DestinationRule', 'web')).toBeUndefined()
  })

  it('is let go though the cluster does not answer, where nothing is known to be there', async () => {
    world.store.put({ ...world.placement, objects: [] })
    leave()
    world.cluster.before = () => {
      throw new PortError('unavailable', 'Kubernetes east', 'refused')
    }
    expect(await world.reconcile()).toMatchObject({ state: 'removed' })
  })

  it('writes all anew when it comes back half-way, so that a removal under way goes through no more', async () => {
    leave()
    await world.reconcile()
    const before = world.cluster.peek('DestinationRule', 'web')
    world.service(({ renderRevision }) => ({
      targets: { east: { stable: 'v1' } },
      leaving: [],
      renderRevision: renderRevision + 1,
    }))
    world.cluster.forget()
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(world.cluster.forget().filter((request) => request.startsWith('apply'))).toEqual([
      'apply DestinationRule',
      'apply VirtualService',
    ])
    const after = world.cluster.peek('DestinationRule', 'web')
    expect(after?.spec).toEqual(before?.spec)
    expect(after?.metadata.resourceVersion).not.toBe(before?.metadata.resourceVersion)
  })

  it('that is being deleted goes too when it is nowhere any more', async () => {
    leave('2026-05-01T10:00:00.000Z')
    expect(await world.settle()).toMatchObject({ state: 'removed' })
    expect(world.store.peek('service', 'shop/web')).toBeUndefined()
    expect(await world.reconcile()).toMatchObject({ state: 'removed' })
  })

  it('stays while another cluster has yet to be left', async () => {
    leave('2026-05-01T10:00:00.000Z')
    world.service(() => ({ leaving: ['east', 'west'] }))
    await world.settle()
    expect(world.store.peek('service', 'shop/web')?.leaving).toEqual(['west'])
  })

  it('takes back what a slow call created after all was removed', async () => {
    world.cluster.objects.clear()
    world.cluster.edit('kubectl', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
    world.setPods({ v1: 1 })
    world.clock.at += 60_000
    world.cluster.afterWrite = (request) => {
      if (request !== 'apply DestinationRule') return
      world.store.documents.delete('service shop/web')
      world.store.documents.delete('placement shop/web/east')
    }
    world.store.put({ ...world.placement, objects: [] })
    expect(await world.reconcile()).toMatchObject({ state: 'removed' })
    expect(world.cluster.peek('DestinationRule', 'web')).toBeUndefined()
    expect(world.store.peek('placement', 'shop/web/east')).toBeUndefined()
  })

  it('goes though its document is gone and it was never complete', async () => {
    const { appliedRevision: _applied, weightsLive: _weights, ...rest } = world.placement
    world.store.put({ ...rest, liveRevision: 0, writtenRevision: 100 })
    world.store.documents.delete('service shop/web')
    expect(await world.settle()).toMatchObject({ state: 'removed' })
    expect(world.cluster.peek('DestinationRule', 'web')).toBeUndefined()
  })

  it('stays where it is wanted again by the time that a slow call would remove it', async () => {
    leave()
    world.cluster.before = (request) => {
      if (request !== 'remove VirtualService') return
      world.cluster.before = () => undefined
      world.service((before) => ({
        targets: { east: { stable: 'v1' } },
        leaving: [],
        renderRevision: before.renderRevision + 1,
      }))
      world.annotate('VirtualService', 'web', { 'meshwright.io/revision': '102' })
    }
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(world.cluster.peek('VirtualService', 'web')?.metadata.uid).toBe(
      world.placement.objects.find(({ kind }) => kind === 'VirtualService')?.uid,
    )
    expect(world.cluster.log).not.toContain('apply DestinationRule')
  })

  it('leaves objects that another hand recreated or marked as its own', async () => {
    leave()
    world.cluster.change('kubectl', 'VirtualService', 'web', (object) => ({
      ...object,
      metadata: { ...object.metadata, labels: {} },
    }))
    world.cluster.change('kubectl', 'DestinationRule', 'web', (object) => {
      world.cluster.objects.delete('networking.istio.io/v1/DestinationRule/shop/web')
      return object
    })
    expect(await world.settle()).toMatchObject({ state: 'removed' })
    expect(world.cluster.peek('VirtualService', 'web')).toBeDefined()
    expect(world.cluster.peek('DestinationRule', 'web')).toBeDefined()
  })

  it('waits for a hold and a freeze to end', async () => {
    leave()
    world.annotate('Namespace', 'shop', { 'meshwright.io/hold': 'true' })
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'NamespaceHeld' })
    expect(world.weights).toEqual({ v1: 100 })
  })

  it('is gone where the namespace is gone', async () => {
    leave()
    world.cluster.objects.delete('v1/Namespace//shop')
    expect(await world.reconcile()).toMatchObject({ state: 'removed' })
  })

  it('goes on after a crash between its documents', async () => {
    leave('2026-05-01T10:00:00.000Z')
    await world.reconcile()
    world.clock.at += 5000
    world.store.remove = async () => {
      throw new Error('crash')
    }
    await expect(world.reconcile()).rejects.toThrow('crash')
    expect(world.placement).toMatchObject({ pruned: true })
    expect(world.placement.dueAt).toBeDefined()
    Reflect.deleteProperty(world.store, 'remove')
    expect(await world.reconcile()).toMatchObject({ state: 'removed' })
    expect(world.store.peek('service', 'shop/web')).toBeUndefined()
    expect(world.store.peek('placement', 'shop/web/east')).toBeUndefined()
  })

  it('comes back when it is wanted again in the middle', async () => {
    leave()
    await world.reconcile()
    world.service((before) => ({
      targets: { east: { stable: 'v1' } },
      leaving: [],
      renderRevision: before.renderRevision + 1,
    }))
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(world.weights).toEqual({ v1: 100 })
    expect(world.placement.restores).toEqual([])
  })
})
