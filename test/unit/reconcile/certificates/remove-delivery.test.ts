import { beforeEach, describe, expect, it } from 'vitest'
import type { CertificateDocument } from '../../../../src/model/documents.ts'
import { PortError } from '../../../../src/ports/port-error.ts'
import { CertificateWorld, SECRET, workIn } from './certificate-world.ts'

let world: CertificateWorld
beforeEach(async () => {
  world = new CertificateWorld()
  await world.want()
  await world.deliver()
  world.later(1000)
})

/** The certificate is to leave the cluster. */
function leave(change: Partial<CertificateDocument> = {}): void {
  const { revision } = world.certificate
  world.change({ clusters: [], targets: {}, leaving: ['east'], revision: revision + 1, outbox: [], ...change })
}

describe('a certificate that leaves a cluster', () => {
  it('takes its Secret along, is let go by its document, and asks the rotation to look', async () => {
    leave()
    await world.deliver()
    expect(world.secret).toBeUndefined()
    expect(world.store.peek('delivery', 'web-tls/east')).toBeUndefined()
    expect(world.certificate.leaving).toEqual([])
    expect(workIn(world.certificate.outbox)).toEqual(['lifecycle rotate'])
  })

  it('that is being deleted loses its target too', async () => {
    const { targets } = world.certificate
    leave({ targets, deletingAt: '2026-05-01T10:00:00.000Z' })
    await world.deliver()
    expect(world.certificate).toMatchObject({ leaving: [], targets: {} })
    expect(world.secret).toBeUndefined()
  })

  it('that is gone leaves nothing behind', async () => {
    world.store.documents.delete('certificate web-tls')
    await world.deliver()
    expect(world.secret).toBeUndefined()
    expect(world.store.peek('delivery', 'web-tls/east')).toBeUndefined()
  })

  it('that was never there is let go after one look', async () => {
    world.store.documents.delete('delivery web-tls/east')
    for (const [key, { kind }] of world.cluster.objects) if (kind === 'Secret') world.cluster.objects.delete(key)
    leave()
    world.cluster.forget()
    await world.deliver()
    expect(world.cluster.forget()).toEqual(['get Secret'])
    expect(world.certificate.leaving).toEqual([])
    expect(world.store.peek('delivery', 'web-tls/east')).toBeUndefined()
  })

  it('that was to come, and whose version was taken back before anything was written down, leaves nothing', async () => {
    world.store.documents.delete('delivery web-tls/east')
    world.change({ targets: {}, leaving: [], outbox: [] })
    await world.deliver()
    expect(world.secret).toBeUndefined()
    expect(world.certificate.clusters).toEqual(['east'])
    expect(world.store.peek('delivery', 'web-tls/east')).toBeUndefined()
  })

  it.each([
    ['no delivery', undefined],
    ['a delivery that names nothing', []],
  ])('takes along what was written by one who died before he wrote it down (%s)', async (_, objects) => {
    if (objects) world.store.put({ ...world.delivery, objects })
    else world.store.documents.delete('delivery web-tls/east')
    leave()
    await world.deliver()
    expect(world.secret).toBeUndefined()
    expect(world.certificate.leaving).toEqual([])
    expect(world.store.peek('delivery', 'web-tls/east')).toBeUndefined()
  })

  it.each([
    ['is another by now', { uid: 'another' }],
    ['bears our marks no longer', { labels: {} }],
    ['bears those of another certificate', { annotations: { 'meshwright.io/certificate': 'other' } }],
  ])('leaves a Secret that %s', async (_, change) => {
    world.cluster.change('kubectl', 'Secret', SECRET, (object) => ({
      ...object,
      metadata: { ...object.metadata, ...change },
    }))
    const key = `v1/Secret/gateways/${SECRET}`
    const live = world.cluster.objects.get(key)
    if (live) world.cluster.objects.set(key, { ...live, metadata: { ...live.metadata, ...change } })
    leave()
    await world.deliver()
    expect(world.secret).toBeDefined()
    expect(world.store.peek('delivery', 'web-tls/east')).toBeUndefined()
  })

  it('leaves a Secret that a newer document had written', async () => {
    world.cluster.change('meshwright', 'Secret', SECRET, (object) => ({
      ...object,
      metadata: {
        ...object.metadata,
        annotations: { ...object.metadata.annotations, 'meshwright.io/revision': '999' },
      },
    }))
    leave()
    await world.deliver()
    expect(world.secret).toBeDefined()
  })

  it('that comes back while its last object goes is written again', async () => {
    const target = world.certificate.targets.east
    if (!target) throw new Error('no target')
    leave()
    world.store.beforeWrite = (document) => {
      if (document.kind !== 'delivery') return
      world.store.beforeWrite = () => undefined
      world.change({ targets: { east: { ...target, revision: 200 } }, leaving: [], revision: 200 })
    }
    await world.deliver()
    expect(world.secret).toBeUndefined()
    expect(world.delivery).toMatchObject({ state: 'leaving', objects: [] })
    expect(world.delivery.dueAt).toBeDefined()
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'delivered', written: { revision: 200 } })
    expect(world.secret).toBeDefined()
  })

  it('waits for a hold, and for a freeze', async () => {
    world.freeze({ reason: 'holiday', scope: {}, covers: ['configuration'] })
    leave()
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'held', reason: 'FreezeActive', objects: [{ name: SECRET }] })
    expect(world.certificate.leaving).toEqual(['east'])
    expect(world.delivery.dueAt).toBeDefined()
    world.store.documents.delete('freeze holiday')
    await world.deliver()
    expect(world.secret).toBeUndefined()
    expect(world.certificate.leaving).toEqual([])
  })

  it('goes on after a cluster that did not answer', async () => {
    leave()
    world.cluster.before = () => {
      throw new PortError('unavailable', 'Kubernetes east', 'no answer')
    }
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'failed', reason: 'Unreachable', objects: [{ name: SECRET }] })
    world.cluster.before = () => undefined
    await world.deliver()
    expect(world.certificate.leaving).toEqual([])
  })

  it('goes on after a crash between the cluster and the documents', async () => {
    leave()
    let writes = 0
    world.store.beforeWrite = () => {
      writes += 1
      if (writes === 2) throw new PortError('unavailable', 'store', 'crash')
    }
    await expect(world.deliver()).rejects.toThrow('crash')
    expect(world.delivery).toMatchObject({ state: 'leaving', objects: [] })
    expect(world.delivery.dueAt).toBeDefined()
    world.store.beforeWrite = () => undefined
    await world.deliver()
    expect(world.store.peek('delivery', 'web-tls/east')).toBeUndefined()
    expect(world.certificate.leaving).toEqual([])
  })

  it('that came back meanwhile stays', async () => {
    const { targets } = world.certificate
    leave({ targets, clusters: ['east'] })
    await world.deliver()
    expect(world.secret).toBeDefined()
    expect(world.delivery.state).toBe('delivered')
  })

  it('takes along what it wrote under a former name, which stays until then', async () => {
    world.spec({ secret: { namespace: 'gateways', name: 'newer' } })
    await world.want()
    await world.deliver()
    expect(world.cluster.peek('Secret', 'newer')).toBeDefined()
    expect(world.secret).toBeDefined()
    expect(world.delivery.objects.map(({ name }) => name)).toEqual(['newer', SECRET])
    world.later(1000)
    await world.deliver()
    expect(world.events()).toEqual([])
    leave()
    await world.deliver()
    expect(world.cluster.peek('Secret', 'newer')).toBeUndefined()
    expect(world.secret).toBeUndefined()
  })

  it('forgets what it wrote under a former name once another hand has removed it', async () => {
    world.spec({ secret: { namespace: 'gateways', name: 'newer' } })
    await world.want()
    await world.deliver()
    world.cluster.objects.delete(`v1/Secret/gateways/${SECRET}`)
    world.later(1000)
    await world.deliver()
    expect(world.delivery.objects.map(({ name }) => name)).toEqual(['newer'])
    expect(world.delivery.state).toBe('delivered')
  })

  it('takes the Pod before its class', async () => {
    world.cluster.objects.delete(`v1/Secret/gateways/${SECRET}`)
    const clientId = '11111111-1111-4111-8111-111111111111'
    world.spec({ delivery: 'csi', csi: { clientId, tenantId: clientId } })
    await world.want()
    await world.deliver()
    leave()
    world.cluster.forget()
    await world.deliver()
    expect(world.cluster.forget().filter((request) => request.startsWith('remove'))).toEqual([
      'remove Deployment',
      'remove SecretProviderClass',
    ])
  })
})
