import { X509Certificate } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { PortError } from '../../../../src/ports/port-error.ts'
import { CertificateWorld, dataOf, days, SECRET, VAULT } from './certificate-world.ts'

let world: CertificateWorld
beforeEach(() => {
  world = new CertificateWorld()
})

describe('the delivery of a Secret', () => {
  it('writes key and chain once, marked, reads them back, and asks the rotation to look', async () => {
    const target = await world.want()
    world.cluster.forget()
    await world.deliver()
    expect(world.cluster.forget()).toEqual([
      'get Namespace',
      'get Secret',
      'apply Secret',
      'get Secret',
      'list Service',
    ])
    expect(world.secret).toMatchObject({
      type: 'kubernetes.io/tls',
      metadata: {
        labels: { 'app.kubernetes.io/managed-by': 'meshwright' },
        annotations: {
          'meshwright.io/certificate': 'web-tls',
          'meshwright.io/certificate-version': target.version,
          'meshwright.io/certificate-serial': target.serial,
          'meshwright.io/revision': '101',
        },
      },
    })
    const { 'tls.crt': chain = '', 'tls.key': key = '' } = dataOf(world.secret)
    const vaultSecret = await world.vault.secret('web-tls', target.version)
    expect(vaultSecret.value).toContain(key.trim())
    const leaf = new X509Certificate(chain)
    expect(leaf.serialNumber.toLowerCase().replace(/^0+/, '')).toBe(target.serial)
    expect(world.delivery).toMatchObject({
      state: 'delivered',
      reason: 'SecretHoldsIt',
      message: expect.stringContaining('cannot be reached from here'),
      written: target,
      writtenAt: expect.any(String),
      heldSerial: target.serial,
      deliveredAt: expect.any(String),
      objects: [{ kind: 'Secret', namespace: 'gateways', name: SECRET }],
      attempts: 0,
    })
    expect(world.delivery.shownSerial).toBeUndefined()
    expect(world.delivery.dueAt).toBeUndefined()
    expect(world.events()).toEqual(['certificate.delivered'])
    expect(world.work()).toEqual(['lifecycle rotate'])
  })

  it('again writes nothing, asks the vault nothing and tells nothing', async () => {
    await world.want()
    await world.deliver()
    world.later(1000)
    const { calls } = world.vault
    const [asked, writes] = [calls.length, world.store.writes]
    world.cluster.forget()
    await world.deliver()
    expect(world.cluster.forget()).toEqual(['get Namespace', 'get Secret'])
    expect(calls).toHaveLength(asked)
    expect(world.store.writes).toBe(writes)
  })

  it('puts a new version in the place of the old one in one apply', async () => {
    const old = await world.want()
    await world.deliver()
    const uid = world.secret?.metadata.uid
    world.later(1000)
    const target = await world.want()
    world.cluster.forget()
    await world.deliver()
    expect(world.cluster.forget().filter((request) => request.startsWith('apply'))).toEqual(['apply Secret'])
    const now = new Date(world.clock.now()).toISOString()
    expect(world.delivery).toMatchObject({ writtenAt: now, deliveredAt: now })
    expect(world.secret?.metadata.uid).toBe(uid)
    expect(world.delivery).toMatchObject({ state: 'delivered', written: target, heldSerial: target.serial })
    expect(target.serial).not.toBe(old.serial)
    expect(world.events()).toEqual(['certificate.delivered'])
    expect(world.work()).toEqual(['lifecycle rotate'])
  })

  it('moves the fence where the version stays, without asking anything of the gateway again but a look', async () => {
    const target = await world.want()
    await world.deliver()
    const before = dataOf(world.secret)
    world.later(1000)
    world.change({ targets: { east: { ...target, revision: 102 } }, revision: 102 })
    await world.deliver()
    expect(world.secret?.metadata.annotations?.['meshwright.io/revision']).toBe('102')
    expect(dataOf(world.secret)).toEqual(before)
  })

  it('does not believe what it wrote before it has read it back', async () => {
    const old = await world.want()
    await world.deliver()
    const before = world.secret
    const target = await world.want()
    world.cluster.afterWrite = () => {
      if (before) world.cluster.edit('someone', before)
    }
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'failed', reason: 'ReadBackDiffers', heldSerial: old.serial })
    expect(world.delivery.written).toEqual(old)
    world.cluster.afterWrite = () => undefined
    world.later(1000)
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'delivered', heldSerial: target.serial })
  })

  it('writes only on what it has read: a newer one that comes between stays', async () => {
    await world.want()
    await world.deliver()
    await world.want()
    const before = world.secret
    world.cluster.before = (request) => {
      if (request !== 'apply Secret' || !before) return
      world.cluster.before = () => undefined
      const annotations = { ...before.metadata.annotations, 'meshwright.io/revision': '999' }
      world.cluster.edit('meshwright', { ...before, metadata: { ...before.metadata, annotations } })
    }
    await world.deliver()
    expect(world.secret?.metadata.annotations?.['meshwright.io/revision']).toBe('999')
    expect(world.delivery).toMatchObject({ state: 'held', reason: 'FencedOff' })
  })

  it('knows its own write whose answer was lost', async () => {
    const target = await world.want()
    world.cluster.afterWrite = () => {
      world.cluster.afterWrite = () => undefined
      throw new PortError('unavailable', 'Kubernetes east', 'no answer')
    }
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'failed', reason: 'Unreachable', attempts: 1 })
    expect(world.delivery.dueAt).toBeDefined()
    expect(world.events()).toEqual(['certificate.delivery-failed'])
    expect(world.work()).toEqual(['lifecycle rotate', 'work deliver'])
    world.later(1000)
    world.cluster.forget()
    await world.deliver()
    expect(world.cluster.forget()).not.toContain('apply Secret')
    expect(world.delivery).toMatchObject({ state: 'delivered', written: target, attempts: 0 })
  })

  it('reads all again when another writer was first', async () => {
    const target = await world.want()
    world.cluster.before = (request) => {
      if (request !== 'apply Secret') return
      world.cluster.before = () => undefined
      throw new PortError('precondition', 'Kubernetes east', 'it has changed')
    }
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'delivered', written: target })
    world.store.beforeWrite = () => {
      throw new PortError('precondition', 'store', 'another')
    }
    await world.want()
    await expect(world.deliver()).rejects.toThrow('meanwhile')
  })

  it('fails with a reason, and comes again later and later, while the vault does not give the version', async () => {
    const target = await world.want()
    world.change({ targets: { east: { ...target, version: 'nowhere' } } })
    const waits: number[] = []
    for (let round = 0; round < 5; round += 1) {
      await world.deliver()
      waits.push(Date.parse(world.delivery.dueAt ?? '') - world.clock.now())
      world.later(Date.parse(world.delivery.dueAt ?? '') - world.clock.now())
    }
    expect(world.delivery).toMatchObject({ state: 'failed', reason: 'VaultVersionMissing', attempts: 5 })
    expect(waits).toEqual([...waits].sort((a, b) => a - b))
    expect(new Set(waits).size).toBe(5)
    expect(world.secret).toBeUndefined()
  })

  it.each(['unavailable', 'denied', 'throttled'] as const)(
    'says that the vault is %s, not the cluster',
    async (kind) => {
      await world.want()
      world.vault.failOnce('secret', new PortError(kind, 'Key Vault certs', 'no', { retryAfterMs: 60_000 }))
      await world.deliver()
      expect(world.delivery.reason).toMatch(/^Vault/)
      expect(Date.parse(world.delivery.dueAt ?? '') - world.clock.now()).toBeGreaterThanOrEqual(60_000)
    },
  )

  it('fails where there is no such namespace, vault or cluster', async () => {
    await world.want()
    world.spec({ secret: { namespace: 'nowhere', name: SECRET } })
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'failed', reason: 'NamespaceMissing' })
    const { vaultUrl: _, ...deps } = world.deps
    const { deliverCertificate } = await import('../../../../src/reconcile/certificates/deliver-certificate.ts')
    await deliverCertificate(deps, { certificate: 'web-tls', cluster: 'east' })
    expect(world.delivery).toMatchObject({ state: 'failed', reason: 'VaultUnknown' })
    world.spec({ vault: VAULT, secret: { namespace: 'gateways', name: SECRET } })
    await deliverCertificate(deps, { certificate: 'web-tls', cluster: 'east' })
    expect(world.delivery).toMatchObject({ state: 'delivered' })
    world.store.documents.delete('cluster east')
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'failed', reason: 'ClusterUnknown' })
  })

  it('refuses a version that has expired meanwhile', async () => {
    await world.want({ validForMs: days(1) })
    world.clock.at += days(2)
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'failed', reason: 'Expired' })
    expect(world.secret).toBeUndefined()
  })

  it('keeps it out of what an admission webhook quotes, too', async () => {
    const target = await world.want()
    const { value } = await world.vault.secret('web-tls', target.version)
    world.cluster.before = (request) => {
      if (request !== 'apply Secret') return
      const data = Buffer.from(value).toString('base64')
      throw new PortError('invalid', 'Kubernetes east', `webhook denied {"tls.key":"${data}"}: ${value}`)
    }
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'failed', reason: 'Rejected' })
    expect(world.delivery.message).toBe('webhook denied {"tls.key":"[hidden]"}: [hidden]')
  })

  it('keeps the key out of the delivery, its events and its errors', async () => {
    const target = await world.want()
    await world.deliver()
    const { value } = await world.vault.secret('web-tls', target.version)
    const [, body = ''] = /PRIVATE KEY-----\s([\s\S]+?)\s-----END/.exec(value) ?? []
    const lines = body.split('\n').filter((line) => line.length > 20)
    expect(lines.length).toBeGreaterThan(1)
    const kept = JSON.stringify([...world.store.documents.values()])
    const inBase64 = dataOf(world.secret)['tls.key'] ?? ''
    for (const line of [...lines, Buffer.from(inBase64).toString('base64').slice(40, 80)]) {
      expect(kept).not.toContain(line)
    }
  })
})
