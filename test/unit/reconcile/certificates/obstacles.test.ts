import { beforeEach, describe, expect, it } from 'vitest'
import { clusterSpec } from '../../../../src/model/cluster.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import { CertificateWorld, dataOf, days, SECRET } from './certificate-world.ts'

let world: CertificateWorld
beforeEach(() => {
  world = new CertificateWorld()
})

function foreign(change: Partial<KubeObject['metadata']> = {}): KubeObject {
  const metadata = { name: SECRET, namespace: 'gateways', ...change }
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': '', 'tls.key': '' },
  }
}

describe('what stands in the way of a Secret', () => {
  it('is one of others under its name, which is named with its manager and never overwritten', async () => {
    await world.want()
    world.cluster.edit('cert-manager-controller', foreign())
    const before = world.secret
    await world.deliver()
    expect(world.secret).toEqual(before)
    expect(world.delivery).toMatchObject({ state: 'held', reason: 'Conflict', objects: [] })
    expect(world.delivery.message).toContain('cert-manager-controller')
    expect(world.delivery.message).toContain('name another Secret')
    expect(world.events()).toEqual(['certificate.delivery-held'])
    world.later(60_000)
    await world.deliver()
    expect(world.events()).toEqual([])
  })

  it('is one of another certificate', async () => {
    await world.want()
    const labels = { 'app.kubernetes.io/managed-by': 'meshwright' }
    world.cluster.edit('meshwright', foreign({ labels, annotations: { 'meshwright.io/certificate': 'other' } }))
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'held', reason: 'Conflict' })
  })

  it('is a higher revision: another Meshwright wrote it', async () => {
    await world.want()
    await world.deliver()
    world.cluster.change('meshwright', 'Secret', SECRET, (object) => ({
      ...object,
      metadata: {
        ...object.metadata,
        annotations: { ...object.metadata.annotations, 'meshwright.io/revision': '999' },
      },
    }))
    const before = world.secret
    await world.want()
    await world.deliver()
    expect(world.secret).toEqual(before)
    expect(world.delivery).toMatchObject({ state: 'held', reason: 'FencedOff' })
  })

  it('is the mode observe, in which the cluster is not asked anything', async () => {
    await world.want()
    world.clusterIs({ spec: clusterSpec.parse({ kubeconfig: { context: 'east' }, mode: 'observe' }) })
    world.cluster.forget()
    await world.deliver()
    expect(world.cluster.forget()).toEqual([])
    expect(world.delivery).toMatchObject({ state: 'held', reason: 'ObserveMode' })
  })

  it.each(['Namespace', 'Secret'])('is a hold on the %s', async (kind) => {
    await world.want()
    await world.deliver()
    world.later(1000)
    const name = kind === 'Secret' ? SECRET : 'gateways'
    world.cluster.change('kubectl-annotate', kind, name, (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, 'meshwright.io/hold': 'true' } },
    }))
    const before = dataOf(world.secret)
    await world.want()
    await world.deliver()
    expect(dataOf(world.secret)).toEqual(before)
    expect(world.delivery).toMatchObject({ state: 'held', reason: kind === 'Secret' ? 'ObjectHeld' : 'NamespaceHeld' })
    expect(world.delivery.dueAt).toBeDefined()
  })

  it('is a freeze, for the first delivery and for a certificate that has time', async () => {
    await world.want()
    world.freeze({ reason: 'holiday', scope: { namespaces: ['gateways'] }, covers: ['configuration'] })
    await world.deliver()
    expect(world.secret).toBeUndefined()
    expect(world.delivery).toMatchObject({ state: 'held', reason: 'FreezeActive' })
    expect(world.delivery.message).toContain('holiday')
    world.store.documents.delete('freeze holiday')
    world.later(60_000)
    await world.deliver()
    world.freeze({ reason: 'holiday', scope: {}, covers: ['configuration'] })
    const old = world.delivery.heldSerial
    await world.want()
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'held', reason: 'FreezeActive', heldSerial: old })
  })

  it('is no freeze any more when what the cluster holds ends within seven days, and an event says so', async () => {
    await world.want({ validForMs: days(30) })
    await world.deliver()
    world.freeze({ reason: 'holiday', scope: {}, covers: ['rollouts', 'configuration'] })
    world.later(days(22))
    const target = await world.want()
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'held', reason: 'FreezeActive' })
    world.later(days(1) + 1)
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'delivered', heldSerial: target.serial })
    expect(world.events()).toEqual(['certificate.freeze-passed', 'certificate.delivered'])
    const [told] = world.delivery.outbox.flatMap((entry) => (entry.kind === 'event' ? [entry.event] : []))
    expect(told?.message).toContain('holiday')
  })

  it('is a key that does not belong to the certificate', async () => {
    const [first, second] = [await world.want(), await world.want()]
    const [a, b] = await Promise.all([first, second].map(({ version }) => world.vault.secret('web-tls', version)))
    const mixed = `${/-----BEGIN PRIVATE[\s\S]+?-----END PRIVATE KEY-----\n/.exec(a?.value ?? '')?.[0]}${b?.value.replace(/-----BEGIN PRIVATE[\s\S]+?-----END PRIVATE KEY-----\n/, '')}`
    world.vault.secret = async () => ({ value: mixed, contentType: 'application/x-pem-file' })
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'failed', reason: 'KeyMismatch' })
    expect(world.secret).toBeUndefined()
  })
})

describe('another hand', () => {
  async function meddle(): Promise<void> {
    world.cluster.change('kubectl-edit', 'Secret', SECRET, (object) => ({
      ...object,
      data: { ...dataIn(object), 'tls.key': Buffer.from('broken').toString('base64') },
    }))
    world.later(1000)
    await world.deliver()
  }

  it('that changed the Secret is undone, told, and the gateway looked at again', async () => {
    const { serial } = await world.want()
    world.addGateway('20.1.2.3')
    world.shown.set('20.1.2.3:443', serial)
    await world.deliver()
    const before = dataOf(world.secret)
    await meddle()
    expect(world.looks).toHaveLength(2)
    expect(dataOf(world.secret)).toEqual(before)
    expect(world.delivery).toMatchObject({ state: 'delivered', restores: [expect.any(String)] })
    expect(world.events()).toEqual(['certificate.drift-restored'])
    const [told] = world.delivery.outbox.flatMap((entry) => (entry.kind === 'event' ? [entry.event] : []))
    expect(told?.message).toContain('kubectl-edit')
  })

  it('that removed the Secret is undone, and told', async () => {
    await world.want()
    await world.deliver()
    world.cluster.objects.delete('v1/Secret/gateways/web-tls-secret')
    world.later(1000)
    await world.deliver()
    expect(world.secret).toBeDefined()
    expect(world.events()).toEqual(['certificate.drift-restored'])
  })

  it('that does it again and again is let be after three restores in ten minutes, and for that time', async () => {
    await world.want()
    await world.deliver()
    for (let round = 0; round < 3; round += 1) await meddle()
    expect(world.delivery.state).toBe('delivered')
    await meddle()
    expect(world.delivery).toMatchObject({ state: 'held', reason: 'RestoredTooOften' })
    expect(dataOf(world.secret)['tls.key']).toBe('broken')
    world.later(600_000)
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'delivered' })
    expect(dataOf(world.secret)['tls.key']).not.toBe('broken')
  })

  it('that only added an annotation is left alone', async () => {
    await world.want()
    await world.deliver()
    world.cluster.change('kubectl-annotate', 'Secret', SECRET, (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, note: 'mine' } },
    }))
    world.later(1000)
    world.cluster.forget()
    await world.deliver()
    expect(world.cluster.forget()).not.toContain('apply Secret')
    expect(world.delivery).toMatchObject({ state: 'delivered' })
    expect(world.delivery.objects[0]?.resourceVersion).toBe(world.secret?.metadata.resourceVersion)
    expect(world.events()).toEqual([])
  })
})

function dataIn(object: KubeObject): Readonly<Record<string, string>> {
  return object.data as Readonly<Record<string, string>>
}
