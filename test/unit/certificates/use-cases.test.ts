import { beforeEach, describe, expect, it } from 'vitest'
import { completeCertificate } from '../../../src/certificates/complete-certificate.ts'
import { deleteCertificate } from '../../../src/certificates/delete-certificate.ts'
import { putCertificate } from '../../../src/certificates/put-certificate.ts'
import { receiveVaultEvents } from '../../../src/certificates/receive-vault-events.ts'
import { rotateCertificate, rotateForPerson } from '../../../src/certificates/rotate-certificate.ts'
import { selectCertificateClusters } from '../../../src/certificates/select-clusters.ts'
import { actorOf } from '../../../src/model/identity.ts'
import type { WorkMessage } from '../../../src/model/outbox.ts'
import { aCaller, aCluster, aTeam, by } from '../fakes/documents.ts'
import { certificate, createWorld, DAY, HOUR, OPERATOR, VAULT, type World } from './world.ts'

let world: World
beforeEach(() => {
  world = createWorld()
})

const putting = async (change: Readonly<Record<string, unknown>> = {}, name = 'web-tls') =>
  putCertificate(world.deps, name, certificate(change), OPERATOR)
const refusal = async (change: Readonly<Record<string, unknown>>, name?: string) => {
  const put = await putting(change, name)
  return put.ok ? undefined : { code: put.failure.code, pointer: put.failure.errors?.[0]?.pointer }
}

describe('a certificate is refused', () => {
  it.each([
    [{ clusters: ['nowhere'] }, 'UnknownReference', '/clusters'],
    [{ team: 'shop' }, 'UnknownReference', '/team'],
    [
      { windows: [{ cron: '1 2 3 4', for: '1h' }].map((one) => ({ ...one, cron: '1 2 3 4 5 6' })) },
      'InvalidCombination',
      '/windows/0/cron',
    ],
    [{ windows: [{ cron: '0 2 * * *', for: '1h', timeZone: 'Mars/X' }] }, 'InvalidCombination', '/windows/0/timeZone'],
    [{ vault: 'https://evil.vault.azure.net' }, 'InvalidCombination', '/vault'],
  ])('that asks for what cannot be: %j', async (change, code, pointer) => {
    world.vaults.refused.add('https://evil.vault.azure.net')
    expect(await refusal(change)).toEqual({ code, pointer })
    expect(world.store.peek('certificate', 'web-tls')).toBeUndefined()
  })

  it('when it is to become one of another purpose', async () => {
    await world.put()
    const put = await putCertificate(world.deps, 'web-tls', certificate({ purpose: 'workload-tls' }), OPERATOR)
    expect(put).toMatchObject({ ok: false, failure: { code: 'Conflict', errors: [{ pointer: '/purpose' }] } })
  })

  it('when neither it nor the settings name a vault', async () => {
    const { vaultUrl: _vaultUrl, ...deps } = world.deps
    const put = await putCertificate(deps, 'web-tls', certificate(), OPERATOR)
    expect(put).toMatchObject({ ok: false, failure: { code: 'UnknownReference', errors: [{ pointer: '/vault' }] } })
  })

  it('when its team does not own its hosts', async () => {
    world.store.put(aTeam({ hosts: ['*.shop.example'] }))
    expect(await refusal({ team: 'shop' })).toEqual({ code: 'InvalidCombination', pointer: '/dnsNames/0' })
    expect(await refusal({ team: 'shop', dnsNames: ['web.shop.example'] })).toBeUndefined()
  })

  it('when another one writes its Secret on a cluster of its, or rotates its certificate in the vault', async () => {
    await world.put()
    expect(await refusal({ clusters: ['west', 'north'] }, 'second')).toEqual({ code: 'Conflict', pointer: '/secret' })
    expect(await refusal({ clusters: ['north'] }, 'second')).toBeUndefined()
    const secret = { namespace: 'ingress', name: 'third' }
    expect(await refusal({ secret, vaultName: 'web-tls' }, 'third')).toEqual({
      code: 'Conflict',
      pointer: '/vaultName',
    })
    expect(await refusal({ secret, vaultName: 'Web-TLS' }, 'third')).toMatchObject({ pointer: '/vaultName' })
    const vault = 'https://other.vault.azure.net'
    expect(await refusal({ secret, vaultName: 'web-tls', vault }, 'third')).toBeUndefined()
  })

  it('when it would move to another place in a vault', async () => {
    await world.put()
    expect(await refusal({ vaultName: 'other' })).toEqual({ code: 'Conflict', pointer: '/vaultName' })
    expect(await refusal({ vault: 'https://other.vault.azure.net' })).toEqual({ code: 'Conflict', pointer: '/vault' })
    expect(await refusal({ vault: `${VAULT}/`, vaultName: 'web-tls' })).toBeUndefined()
  })
})

describe('a change', () => {
  it('of what is written gives every target a new revision, and work for it', async () => {
    await world.put()
    await world.settle()
    const before = world.document()
    await world.put({ secret: { namespace: 'ingress', name: 'other' } })
    const after = world.document()
    expect(after.generation).toBe(2)
    for (const cluster of ['east', 'west']) {
      expect(after.targets[cluster]?.revision).toBeGreaterThan(before.targets[cluster]?.revision ?? 0)
      expect(after.targets[cluster]?.serial).toBe(before.targets[cluster]?.serial)
    }
    const messages = world.store.sent.slice(-3).map(({ message }) => message)
    expect(messages).toContainEqual({ kind: 'deliver', certificate: 'web-tls', cluster: 'east' })
    await world.advance()
    expect(world.document().observedGeneration).toBe(1)
    world.deliver()
    await world.advance()
    expect(world.document().observedGeneration).toBe(2)
  })

  it('of the hosts while a CA signs ends the request, in the vault too, and begins another', async () => {
    await world.put({ issuer: { kind: 'external' } })
    await world.advance()
    const first = world.document().rotation
    expect(first).toMatchObject({ phase: 'awaiting-issuer', csr: expect.stringMatching(/BEGIN CERTIFICATE REQUEST/) })
    await world.put({ issuer: { kind: 'external' }, dnsNames: ['web.example.com', 'b.example.com'] })
    await world.advance()
    expect(world.vault.calls).toContain('dropOperation web-tls')
    const next = world.document()
    expect(next.history).toMatchObject([{ id: first?.id, reason: 'SpecChanged' }])
    expect(next.rotation).toMatchObject({ phase: 'awaiting-issuer' })
    expect(next.rotation?.csr).not.toBe(first?.csr)
  })
})

describe('a rotation that is asked for', () => {
  const rotate = (context = OPERATOR) =>
    rotateCertificate(world.deps, 'web-tls', { actor: actorOf(OPERATOR.caller), reason: 'a drill' }, context)

  it('starts once; while it lives it is answered with itself', async () => {
    await world.put()
    await world.settle()
    const first = await rotate()
    const second = await rotate()
    expect(first).toMatchObject({
      ok: true,
      value: { started: true, rotation: { phase: 'requested', reason: 'Asked' } },
    })
    if (!first.ok || !second.ok) throw new Error('both are taken')
    expect(second.value).toMatchObject({ started: false, rotation: { id: first.value.rotation.id } })
    expect(world.store.audited.map(({ action }) => action)).toContain('certificate.rotate')
    expect(world.store.sent.at(-1)).toMatchObject({ queue: 'lifecycle', message: { kind: 'rotate' } })
  })

  it('is started once for one key, though it is over when the request comes again', async () => {
    await world.put()
    await world.settle()
    const keyed = { ...OPERATOR, idempotency: { id: 'k', body: 'b' } }
    const first = await rotate(keyed)
    await world.settle()
    const again = await rotate(keyed)
    if (!first.ok || !again.ok) throw new Error('both are taken')
    expect(again.value).toMatchObject({ started: false, rotation: { id: first.value.rotation.id, phase: 'succeeded' } })
    expect(await rotate({ ...OPERATOR, idempotency: { id: 'k', body: 'other' } })).toMatchObject({
      ok: false,
      failure: { code: 'IdempotencyMismatch' },
    })
  })

  it('that found a live one starts none when it comes again after that, and changes nothing but what is remembered', async () => {
    await world.put()
    await world.settle()
    const first = await rotate()
    const before = world.document()
    const keyed = { ...OPERATOR, idempotency: { id: 'k', body: 'b' } }
    await rotate(keyed)
    const { idempotency, ...after } = world.document()
    expect(idempotency).toMatchObject([{ id: 'k' }])
    expect({ ...after, idempotency: [] }).toEqual(before)
    await world.settle()
    const again = await rotate(keyed)
    if (!first.ok || !again.ok) throw new Error('both are taken')
    expect(again.value).toMatchObject({ started: false, rotation: { id: first.value.rotation.id, phase: 'succeeded' } })
  })

  it('makes a new version now, and waits for no failure before it', async () => {
    await world.put()
    await world.advance()
    world.vault.fail('web-tls')
    await world.advance()
    await rotate()
    await world.settle()
    expect(world.document().rotation?.phase).toBe('succeeded')
  })

  it('of an imported certificate says that there is nothing new', async () => {
    await world.put({ issuer: { kind: 'imported' } })
    await world.vault.addVersion('web-tls', { dnsNames: ['web.example.com'] })
    await world.settle()
    await rotate()
    await world.advance()
    expect(world.document().rotation).toMatchObject({ phase: 'failed', reason: 'NothingNew' })
    expect(world.document().conditions.find(({ type }) => type === 'Ready')?.status).toBe('True')
  })

  it('is not made when it would end before what is served', async () => {
    await world.vault.addVersion('web-tls', { dnsNames: ['web.example.com'], validForMs: 365 * DAY })
    await world.put()
    await world.settle()
    await rotate()
    await world.advance()
    expect(world.document().rotation).toMatchObject({ phase: 'failed', reason: 'EndsEarlier' })
    expect(world.vault.calls.filter((call) => call.startsWith('create'))).toEqual([])
  })

  it('by a person in a chat needs the role', async () => {
    await world.put()
    const deployer = by({ caller: aCaller({ roles: ['Mesh.Deployer'] }) })
    expect(await rotateForPerson(world.deps, 'web-tls', '', deployer)).toMatchObject({
      ok: false,
      failure: { code: 'Forbidden' },
    })
    expect(await rotateForPerson(world.deps, 'web-tls', 'a drill', OPERATOR)).toMatchObject({
      ok: true,
      value: expect.stringMatching(/is under way/),
    })
    expect(await rotateForPerson(world.deps, 'none', '', OPERATOR)).toMatchObject({
      ok: false,
      failure: { code: 'NotFound' },
    })
  })
})

describe('what a CA signed', () => {
  beforeEach(async () => {
    await world.put({ issuer: { kind: 'external' } })
    await world.advance()
  })
  const csr = () => world.document().rotation?.csr ?? ''
  const complete = (chain: string) => completeCertificate(world.deps, 'web-tls', chain, OPERATOR)

  it('is checked, stored, given to the vault and brought to the clusters', async () => {
    expect(world.events()).toContain('certificate.awaiting-issuer')
    const chain = await world.vault.signCsr(csr())
    expect(await complete(chain)).toMatchObject({ ok: true, value: { rotation: { reason: 'Merging' } } })
    const { writes } = world.store
    expect((await complete(chain)).ok).toBe(true)
    expect(world.store.writes).toBe(writes)
    await world.advance()
    expect(world.document().rotation?.phase).toBe('delivering')
    expect(world.document().history).toEqual([])
    await world.settle()
    expect(world.document().history[0]).toMatchObject({ phase: 'succeeded' })
    expect(world.document().history[0]).not.toHaveProperty('chain')
  })

  it('is given to the vault once, though the answer is lost', async () => {
    await complete(await world.vault.signCsr(csr()))
    const { merge } = world.vault
    world.vault.merge = async (...args) => {
      await merge.apply(world.vault, args)
      throw new (await import('../../../src/ports/port-error.ts')).PortError('unavailable', 'Key Vault', 'no answer')
    }
    await world.advance()
    world.pass(HOUR)
    await world.settle()
    expect(world.vault.calls.filter((call) => call.startsWith('merge'))).toHaveLength(1)
    expect(world.document().rotation?.phase).toBe('succeeded')
  })

  it('is refused when it was made for another key, for too short a time, or when nothing waits', async () => {
    const chain = await world.vault.signCsr(csr())
    const other = createWorld()
    await other.put({ issuer: { kind: 'external' } })
    await other.advance()
    const foreign = await other.vault.signCsr(other.document().rotation?.csr ?? '')
    for (const text of [foreign, 'none', `${chain}x-----BEGIN PRIVATE KEY-----`]) {
      expect(await complete(text)).toMatchObject({
        ok: false,
        failure: { code: 'InvalidCombination', errors: [{ pointer: '/chain' }] },
      })
    }
    await complete(chain)
    await world.settle()
    expect(await complete(chain)).toMatchObject({ ok: false, failure: { code: 'Conflict' } })
    expect(await completeCertificate(world.deps, 'none', chain, OPERATOR)).toMatchObject({
      failure: { code: 'NotFound' },
    })
  })

  it('goes nowhere when another hand took the operation away', async () => {
    await world.vault.dropOperation('web-tls')
    await world.advance()
    expect(world.document().rotation).toMatchObject({ phase: 'failed', reason: 'OperationGone' })
  })

  it('is not waited for any more when the certificate is deleted', async () => {
    expect(await deleteCertificate(world.deps, 'web-tls', OPERATOR)).toEqual({ ok: true, value: { removed: false } })
    await world.advance()
    expect(world.store.peek('certificate', 'web-tls')).toBeUndefined()
    expect(await world.vault.operation('web-tls')).toBeUndefined()
  })
})

describe('clusters that are chosen by label', () => {
  const labelled = (name: string, env: string) => {
    const cluster = aCluster(name)
    return { ...cluster, spec: { ...cluster.spec, labels: { env } } }
  }

  it('are chosen anew when labels change', async () => {
    world.store.put(labelled('east', 'prod'))
    await world.put({ clusters: { matchLabels: { env: 'prod' } } })
    await world.settle()
    expect(Object.keys(world.document().targets)).toEqual(['east'])
    world.store.put(labelled('east', 'test'))
    world.store.put(labelled('north', 'prod'))
    expect((await selectCertificateClusters(world.deps)).ok).toBe(true)
    expect(world.document()).toMatchObject({ clusters: ['north'], leaving: ['east'] })
    await world.advance()
    expect(Object.keys(world.document().targets)).toEqual(['north'])
    const { writes } = world.store
    await selectCertificateClusters(world.deps)
    expect(world.store.writes).toBe(writes)
  })
})

describe('an event of Key Vault', () => {
  const receive = async (vault: string, name: string) => {
    const sent: WorkMessage[] = []
    const queue = { send: async (_queue: string, message: WorkMessage) => void sent.push(message) }
    await receiveVaultEvents({ ...world.deps, queue }, [
      { vault, name },
      { vault, name },
    ])
    return sent.map((message) => (message.kind === 'rotate' ? message.certificate : message.kind))
  }

  it('has the certificate looked at that is meant, once, in whatever case it is written', async () => {
    await world.put()
    await world.put({ vaultName: 'Other-Name', secret: { namespace: 'ingress', name: 'other' } }, 'other')
    expect(await receive('shop', 'web-tls')).toEqual(['web-tls'])
    expect(await receive('SHOP', 'WEB-TLS')).toEqual(['web-tls'])
    expect(await receive('shop', 'Other-Name')).toEqual(['other'])
    expect(await receive('another', 'web-tls')).toEqual([])
    expect(await receive('shop', 'unknown')).toEqual([])
  })
})
