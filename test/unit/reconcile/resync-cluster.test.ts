import { beforeEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/model/kube.ts'
import { resyncCluster } from '../../../src/reconcile/resync-cluster.ts'
import { clusterDocument, serviceDocument, World } from './world.ts'

let world: World
beforeEach(async () => {
  world = new World()
  await world.settle()
  world.store.put({ ...world.placement, outbox: [] })
  world.cluster.forget()
})

const LISTS = ['listMetadata DestinationRule', 'listMetadata Namespace', 'listMetadata VirtualService']

function forgotten(name: string, kind = 'VirtualService'): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind,
    metadata: {
      name,
      namespace: 'shop',
      labels: { 'app.kubernetes.io/managed-by': 'meshwright' },
      annotations: { 'meshwright.io/service': `shop/${name}`, 'meshwright.io/revision': '7' },
    },
    spec: {},
  }
}

describe('a resync', () => {
  it('of a cluster where nothing changed is lists only, whatever the number of services', async () => {
    const { placement } = world
    const labels = { 'app.kubernetes.io/managed-by': 'meshwright' }
    for (let index = 0; index < 1000; index += 1) {
      const name = `s${index}`
      const objects = placement.objects.map((entry) => {
        const annotations = { 'meshwright.io/service': `shop/${name}` }
        const metadata = { name, namespace: 'shop', labels, annotations }
        const { uid = '' } = world.cluster.edit('meshwright', { ...entry, metadata, spec: { name } }).metadata
        return { ...entry, name, uid, generation: 1 }
      })
      world.store.put({ ...placement, service: `shop/${name}`, objects })
    }
    const { writes } = world.store
    expect(await resyncCluster(world.deps, 'east')).toEqual({ reconcile: [], pruned: [], unconfirmed: [] })
    expect(world.cluster.forget().sort()).toEqual(LISTS)
    expect(world.store.writes).toBe(writes)
  })

  it('asks for a reconcile where another hand changed an object', async () => {
    world.moveWeights('kubectl-edit', { v1: 0 })
    expect(await resyncCluster(world.deps, 'east')).toMatchObject({ reconcile: ['shop/web'] })
    expect(world.work()).toEqual(['work reconcile'])
  })

  it('asks for one where the cluster did not answer before: what waits there need not wait longer', async () => {
    const condition = {
      type: 'Reachable',
      status: 'False',
      reason: 'NoAnswer',
      message: '',
      lastTransitionTime: '',
    } as const
    world.store.put({ ...world.placement, conditions: [condition] })
    expect(await resyncCluster(world.deps, 'east')).toMatchObject({ reconcile: ['shop/web'] })
  })

  it('leaves a cluster alone that is known not to answer', async () => {
    const condition = {
      type: 'Reachable',
      status: 'False',
      reason: 'NoAnswer',
      message: '',
      lastTransitionTime: '',
    } as const
    world.store.put(clusterDocument({ conditions: [condition] }))
    world.moveWeights('kubectl-edit', { v1: 0 })
    expect(await resyncCluster(world.deps, 'east')).toEqual({ reconcile: [], pruned: [], unconfirmed: [] })
    expect(world.cluster.forget()).toEqual([])
  })

  it('asks for one where an object was removed', async () => {
    world.cluster.objects.delete('networking.istio.io/v1/DestinationRule/shop/web')
    expect(await resyncCluster(world.deps, 'east')).toMatchObject({ reconcile: ['shop/web'] })
  })

  it('asks for one where the message for it was lost', async () => {
    world.spec({ traffic: { timeout: '5s' } })
    expect(await resyncCluster(world.deps, 'east')).toMatchObject({ reconcile: ['shop/web'] })
    expect(world.work()).toEqual(['work reconcile'])
    await world.settle()
    expect(await resyncCluster(world.deps, 'east')).toMatchObject({ reconcile: [] })
  })

  it('asks for none where one is planned', async () => {
    world.spec({ traffic: { timeout: '5s' } })
    world.store.put({ ...world.placement, dueAt: '2026-05-01T10:05:00.000Z' })
    expect(await resyncCluster(world.deps, 'east')).toMatchObject({ reconcile: [] })
  })

  it('registers a service whose first message was lost, and removes one whose last was', async () => {
    world.store.put(serviceDocument({ name: 'cart' }))
    world.service(() => ({ targets: {}, leaving: ['east'], renderRevision: 101 }))
    expect(await resyncCluster(world.deps, 'east')).toMatchObject({ reconcile: ['shop/cart', 'shop/web'] })
    expect(world.cluster.peek('DestinationRule', 'cart')).toBeDefined()
    expect(world.work()).toEqual(['work reconcile'])
  })

  it('asks for one where a hold came, and not again while it is known', async () => {
    world.annotate('Namespace', 'shop', { 'meshwright.io/hold': 'true' })
    expect(await resyncCluster(world.deps, 'east')).toMatchObject({ reconcile: ['shop/web'] })
    await world.reconcile()
    expect(await resyncCluster(world.deps, 'east')).toMatchObject({ reconcile: [] })
    world.annotate('Namespace', 'shop', { 'meshwright.io/hold': 'false' })
    expect(await resyncCluster(world.deps, 'east')).toMatchObject({ reconcile: ['shop/web'] })
  })

  it('leaves what stands in no inventory: another Meshwright may have written it. Says so once', async () => {
    world.cluster.edit('meshwright', forgotten('old'))
    world.cluster.edit('meshwright', forgotten('old', 'DestinationRule'))
    world.cluster.forget()
    expect(await resyncCluster(world.deps, 'east')).toMatchObject({ pruned: [], unconfirmed: [{}, {}] })
    await resyncCluster(world.deps, 'east')
    expect(world.cluster.forget().filter((request) => !request.startsWith('list'))).toEqual([])
    expect(world.store.kept.map(({ type, reason }) => [type, reason])).toEqual([['cluster.orphans', 'NeedsConfirm']])
  })

  it('removes it when a person confirms, routes before rules', async () => {
    world.cluster.edit('meshwright', forgotten('old'))
    world.cluster.edit('meshwright', forgotten('old', 'DestinationRule'))
    const confirmed = () => resyncCluster(world.deps, 'east', { confirm: true })
    expect(await confirmed()).toMatchObject({ pruned: [{ kind: 'VirtualService', name: 'old' }] })
    expect(await confirmed()).toMatchObject({ pruned: [{ kind: 'DestinationRule', name: 'old' }] })
    expect(world.cluster.peek('VirtualService', 'web')).toBeDefined()
  })

  it('leaves them where a hold or another owner is', async () => {
    world.cluster.edit('meshwright', forgotten('old'))
    world.annotate('VirtualService', 'old', { 'meshwright.io/hold': 'true' })
    const { metadata, ...plain } = forgotten('other')
    const { annotations: _, ...unmarked } = metadata
    world.cluster.edit('meshwright', { ...plain, metadata: unmarked })
    expect(await resyncCluster(world.deps, 'east', { confirm: true })).toMatchObject({ pruned: [] })
  })

  it('carries out a service whose placement was never recorded', async () => {
    world.store.put(serviceDocument({ name: 'cart', renderRevision: 7 }))
    world.cluster.edit('meshwright', forgotten('cart'))
    expect(await resyncCluster(world.deps, 'east')).toMatchObject({ reconcile: ['shop/cart'], pruned: [] })
    expect(world.store.peek('placement', 'shop/cart/east')).toBeDefined()
  })
})
