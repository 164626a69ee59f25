import { beforeEach, describe, expect, it } from 'vitest'
import { PortError } from '../../../src/ports/port-error.ts'
import { enumeratePlaces } from '../../../src/watch/enumerate-places.ts'
import { watchVaults } from '../../../src/watch/watch-vaults.ts'
import { aCertificate, aCluster, aMeshCa } from '../fakes/documents.ts'
import { type TestRoot, testCaSet, testRoot } from '../fakes/mesh-authority.ts'
import { createWorld, DAY, meshFacts, START, VAULT, type World } from './world.ts'

let world: World
let root: TestRoot
beforeEach(async () => {
  world = createWorld()
  root = await testRoot('west', START)
})

const near = () =>
  world
    .events()
    .filter(({ type }) => type === 'certificate.near-expiry')
    .map(({ subject, data }) => [subject, data?.daysLeft, data?.page])

describe('a look at a cluster for which no CA is registered', () => {
  it('records each root once, with its end and the namespaces that trust it', async () => {
    const other = await testRoot('other', START)
    world.bundles(root.pem, 'default', 'shop')
    world.bundles(root.pem + other.pem, 'data')
    world.bundles('no certificate', 'broken')
    await world.look()
    expect(world.found()).toMatchObject({
      ...{ state: 'seen', reason: 'Read', unreadable: 1, left: 0, attempts: 0 },
      lookedAt: new Date(START).toISOString(),
    })
    expect(world.found().certificates).toHaveLength(2)
    expect(world.found().certificates).toContainEqual(
      expect.objectContaining({
        ...{ kind: 'mesh-root', object: 'ConfigMap istio-ca-root-cert', subject: 'CN=root-west, O=mesh' },
        ...{ namespaces: 3, examples: ['default', 'shop', 'data'], serial: expect.stringMatching(/^[0-9a-f]+$/) },
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      }),
    )
    expect(near()).toEqual([])
  })

  it('keeps what was seen while it cannot be read, says why, and comes again sooner than the next hour', async () => {
    world.bundles(root.pem, 'shop')
    await world.look()
    world.pass(3_600_000)
    world.clusters.refusal = new PortError('unavailable', 'Kubernetes west', 'no route')
    await world.look()
    const { state, reason, message, certificates, lookedAt, dueAt = '' } = world.found()
    expect({ state, reason }).toEqual({ state: 'failed', reason: 'Unreachable' })
    expect(message).toContain('no route')
    expect(certificates).toHaveLength(1)
    expect(lookedAt).toBe(new Date(START).toISOString())
    expect(Date.parse(dueAt) - world.now()).toBe(60_000)
    for (let time = 0; time < 10; time += 1) await world.look()
    expect(Date.parse(world.found().dueAt ?? '') - world.now()).toBe(3_600_000)
    world.clusters.refusal = undefined
    await world.look()
    expect(world.found()).toMatchObject({ state: 'seen', attempts: 0 })
    expect(world.found()).not.toHaveProperty('dueAt')
  })

  it('that is not allowed names the role to bind, and is not tried before the next hour', async () => {
    world.clusters.failures.set('list ConfigMap', new PortError('denied', 'Kubernetes west', 'forbidden'))
    await world.look()
    expect(world.found()).toMatchObject({ state: 'failed', reason: 'Denied' })
    expect(world.found().message).toContain('trust-role.yaml')
    expect(world.found()).not.toHaveProperty('dueAt')
  })

  it('is forgotten with its cluster', async () => {
    await world.look()
    world.store.drop('cluster', 'west')
    await world.look()
    expect(() => world.found()).toThrow()
  })
})

describe('people are told of what nobody registered', () => {
  it('60 to 1 days before its end, once each, with a page from seven on, though nobody can be asked meanwhile', async () => {
    world.bundles(root.pem, 'shop')
    await world.look()
    world.clusters.refusal = new PortError('unavailable', 'Kubernetes west', 'no route')
    const end = Date.parse(world.found().certificates[0]?.notAfter ?? '')
    world.pass(end - START - 70 * DAY)
    for (let day = 0; day < 75; day += 1) {
      world.pass(DAY)
      await world.look()
      await world.look()
    }
    expect(near().map(([, daysLeft]) => daysLeft)).toEqual([60, 30, 14, 7, 3, 1])
    expect(near().map(([, , page]) => page)).toEqual([false, false, false, true, true, true])
    expect(near()[0]?.[0]).toBe('clusters/west')
    expect(world.events()[0]).toMatchObject({ reason: 'EndsSoon', data: { registered: false, cluster: 'west' } })
    expect(world.events()[0]?.message).toContain('Nobody registered it')
  })

  it('once, of all that is passed, when it is found late; of a registered root not at all, and of a short life not at its birth', async () => {
    const short = await testCaSet(root, START, { lifetimeMs: 12 * DAY })
    world.bundles(short.caCert, 'shop')
    await world.look()
    expect(near()).toEqual([])
    world.pass(11 * DAY)
    await world.look()
    await world.look()
    expect(near()).toEqual([['clusters/west', 1, true]])
    const [certificate] = world.found().certificates
    if (!certificate) throw new Error('nothing was found')
    const { subject = '', serial = '', fingerprint = '', notBefore = '', notAfter } = certificate
    const signer = { subject, serial, fingerprint, notBefore, notAfter }
    const versions = { rootCert: 'v', caCert: 'v', certChain: 'v', caKey: 'v' }
    const current = { rootCert: '', caCert: '', certChain: '', versions, roots: [signer], signer }
    world.store.put(aMeshCa({ current }))
    world.store.put({ ...world.found(), warned: {} })
    await world.look()
    expect(near()).toHaveLength(1)
  })
})

describe('a look at a plug-in CA that nobody registered', () => {
  beforeEach(async () => {
    world.store.put(aCluster('north', { aks: meshFacts(true) }))
    const set = await testCaSet(root, START)
    const values = {
      'root-cert': set.rootCert,
      'ca-cert': set.caCert,
      'cert-chain': set.certChain,
      'ca-key': set.caKey,
    }
    for (const [name, value] of Object.entries(values)) await world.secrets.setSecret(name, value, {})
    world.secrets.calls.length = 0
  })

  it('reads its root, signer and chain, and never its key', async () => {
    await world.look('plug-in-ca/north')
    const { certificates, reason } = world.found('plug-in-ca/north')
    expect(reason).toBe('Read')
    expect(certificates.map(({ kind, object }) => `${kind} ${object}`).sort()).toEqual([
      'mesh-root secret root-cert',
      'mesh-signer secret ca-cert',
    ])
    expect(world.secrets.calls).toEqual(['readSecret root-cert', 'readSecret ca-cert', 'readSecret cert-chain'])
    expect(JSON.stringify(world.found('plug-in-ca/north'))).not.toContain('PRIVATE')
  })

  it('tells of the signer, and of the root only where no bundle has shown it', async () => {
    world.bundles(root.pem, 'shop')
    await world.look('cluster/north')
    await world.look('plug-in-ca/north')
    world.pass(364 * DAY)
    await world.look('cluster/north')
    await world.look('plug-in-ca/north')
    expect(near()).toEqual([['clusters/north', 1, true]])
    expect(world.events().at(-1)?.data).toMatchObject({ what: 'mesh-signer' })
    world.pass(9 * 365 * DAY)
    await world.look('cluster/north')
    await world.look('plug-in-ca/north')
    expect(world.events().filter(({ data }) => data?.what === 'mesh-root')).toHaveLength(1)
  })

  it('says what the vault lacks or refuses', async () => {
    world.secrets.softDelete('ca-cert')
    await world.look('plug-in-ca/north')
    expect(world.found('plug-in-ca/north')).toMatchObject({ reason: 'SecretsMissing' })
    world.secrets.failOnce('readSecret', new PortError('denied', 'Key Vault', 'forbidden'))
    await world.look('plug-in-ca/north')
    expect(world.found('plug-in-ca/north')).toMatchObject({ state: 'failed', reason: 'VaultDenied' })
    expect(world.found('plug-in-ca/north').certificates).not.toEqual([])
  })

  it('ends when the CA is registered, and is asked of the vault’s readers until then', async () => {
    await world.look('plug-in-ca/north')
    const sent: string[] = []
    const queue = {
      send: async (name: string, message: object) =>
        void sent.push(`${name} ${'found' in message ? message.found : ''}`),
    }
    await enumeratePlaces({ store: world.store, queue })
    expect(sent).toEqual(['work cluster/north', 'work cluster/west', 'lifecycle plug-in-ca/north'])
    const ca = aMeshCa()
    world.store.put({ ...ca, name: 'north-ca', spec: { ...ca.spec, cluster: 'north' } })
    await world.look('plug-in-ca/north')
    expect(() => world.found('plug-in-ca/north')).toThrow()
    sent.length = 0
    await enumeratePlaces({ store: world.store, queue })
    expect(sent).toEqual(['work cluster/north', 'work cluster/west'])
  })
})

describe('a look at vaults', () => {
  it('records what nobody registered, reads it once, and tells of its end', async () => {
    const stranger = await world.vault.addVersion('shop-tls', { dnsNames: ['shop.example.com'], validForMs: 90 * DAY })
    await world.vault.addVersion('web-tls', { dnsNames: ['web.example.com'] })
    const certificate = aCertificate()
    world.store.put({ ...certificate, spec: { ...certificate.spec, vault: VAULT } })
    const watch = () => watchVaults(world.deps, new Map(), [])
    await watch()
    await watch()
    expect(world.found('vault/corp').certificates).toMatchObject([
      {
        ...{ kind: 'vault-certificate', object: 'certificate shop-tls', serial: stranger.serial },
        fingerprint: stranger.fingerprint,
      },
    ])
    expect(world.vault.calls.filter((call) => call.startsWith('version '))).toEqual(['version shop-tls'])
    world.pass(62 * DAY)
    await watch()
    expect(near()).toEqual([['vaults/corp', 28, false]])
    world.pass(22 * DAY)
    await watch()
    expect(near().at(-1)).toEqual(['vaults/corp', 6, true])
  })

  it('takes what the scan has listed, tells of a vault that does not answer, and forgets one that is used no more', async () => {
    const end = new Date(START + 300 * DAY).toISOString()
    const listed = new Map([[VAULT, [{ name: 'gone-tls', notAfter: end, enabled: true }]]])
    await watchVaults(world.deps, listed, [])
    expect(world.found('vault/corp').certificates).toEqual([
      { kind: 'vault-certificate', object: 'certificate gone-tls', notAfter: end },
    ])
    expect(world.vault.calls.filter((call) => call.startsWith('list'))).toEqual([])
    const other = 'https://other.vault.azure.net'
    await watchVaults(world.deps, listed, [other])
    expect(world.found('vault/other')).toMatchObject({ state: 'failed', reason: 'VaultDenied' })
    await watchVaults(world.deps, listed, [])
    expect(() => world.found('vault/other')).toThrow()
  })
})
