import { createPrivateKey, X509Certificate } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Vault, VaultListing, VaultPolicy } from '../../../src/ports/vault.ts'
import { generateKey } from '../../../src/sandbox/emulators/key-vault/keys.ts'
import { pem, readPem } from '../../../src/sandbox/emulators/key-vault/pem.ts'
import { authority, signRequest } from '../../../src/sandbox/emulators/key-vault/x509.ts'

export interface OpenedVault {
  readonly vault: Vault
  /** The operation that is pending ends well, or with the issuer's refusal. */
  complete(name: string): Promise<void>
  refuse(name: string): Promise<void>
  softDelete(name: string): Promise<void>
  /** The time that the vault sees. */
  now(): number
}

export const POLICY: VaultPolicy = {
  issuer: { kind: 'self' },
  dnsNames: ['shop.example.com', '*.shop.example.com'],
  validityMonths: 3,
  key: { type: 'EC', curve: 'P-256' },
}
const MONTH_MS = 30 * 24 * 3_600_000

/** What every vault keeps to. */
export function vaultContract(title: string, open: () => Promise<OpenedVault>): void {
  describe(`vault: ${title}`, () => {
    let opened: OpenedVault
    let vault: Vault
    beforeEach(async () => {
      opened = await open()
      vault = opened.vault
    })

    it('knows nothing of a name that was never used', async () => {
      expect(await vault.version('none')).toBeUndefined()
      expect(await vault.version('none', 'a'.repeat(32))).toBeUndefined()
      expect(await vault.versions('none')).toEqual([])
      expect(await vault.operation('none')).toBeUndefined()
      await vault.dropOperation('none')
      await expect(vault.secret('none')).rejects.toMatchObject({ kind: 'not-found' })
      await expect(vault.merge('none', (await externalCa()).der)).rejects.toMatchObject({ name: 'PortError' })
    })

    it('makes a version that has the names, the tags and its own key', async () => {
      await vault.create('shop', POLICY, { rotation: 'r1' })
      expect(await vault.operation('shop')).toMatchObject({ state: 'in-progress' })
      expect(await vault.version('shop')).toBeUndefined()
      await opened.complete('shop')
      const version = await vault.version('shop')
      expect(version).toMatchObject({ dnsNames: POLICY.dnsNames, tags: { rotation: 'r1' }, enabled: true })
      const certificate = new X509Certificate(version?.pem ?? '')
      expect(version?.serial).toMatch(/^[1-9a-f][0-9a-f]*$/)
      expect(BigInt(`0x${version?.serial}`)).toBe(BigInt(`0x${certificate.serialNumber}`))
      expect(version?.fingerprint).toBe(certificate.fingerprint256.replaceAll(':', '').toLowerCase())
      expect(Date.parse(version?.notBefore ?? '')).toBeLessThanOrEqual(opened.now())
      expect(Date.parse(version?.notAfter ?? '') - opened.now()).toBeGreaterThan(2.9 * MONTH_MS)
      expect(await vault.operation('shop')).toMatchObject({ state: 'completed' })
      const secret = await vault.secret('shop', version?.version)
      expect(secret.contentType).toBe('application/x-pem-file')
      expect(certificate.checkPrivateKey(createPrivateKey(secret.value))).toBe(true)
    })

    it('keeps the older versions with their keys, in order', async () => {
      await vault.create('shop', POLICY, { rotation: 'r1' })
      await opened.complete('shop')
      const first = await vault.version('shop')
      await vault.create('shop', POLICY, { rotation: 'r2' })
      expect((await vault.version('shop'))?.version).toBe(first?.version)
      await opened.complete('shop')
      const second = await vault.version('shop')
      expect(second?.serial).not.toBe(first?.serial)
      expect(await vault.version('shop', first?.version)).toEqual(first)
      expect(await vault.versions('shop')).toEqual([
        { version: first?.version, tags: { rotation: 'r1' } },
        { version: second?.version, tags: { rotation: 'r2' } },
      ])
      for (const one of [first, second]) {
        const { value } = await vault.secret('shop', one?.version)
        expect(new X509Certificate(one?.pem ?? '').checkPrivateKey(createPrivateKey(value))).toBe(true)
      }
    })

    it('makes one at a time', async () => {
      await vault.create('shop', POLICY, {})
      await expect(vault.create('shop', POLICY, {})).rejects.toMatchObject({ kind: 'conflict', reason: 'Pending' })
      await opened.complete('shop')
      await vault.create('shop', POLICY, {})
    })

    it('tells why an issuer refused, and can try again', async () => {
      await vault.create('shop', POLICY, {})
      await opened.refuse('shop')
      expect(await vault.operation('shop')).toMatchObject({ state: 'failed', error: expect.stringMatching(/./) })
      expect(await vault.version('shop')).toBeUndefined()
      await vault.create('shop', POLICY, {})
      expect(await vault.operation('shop')).toMatchObject({ state: 'in-progress' })
    })

    it('hands out a CSR and takes the chain that another CA made of it', async () => {
      const ca = await externalCa()
      await vault.create('shop', { ...POLICY, issuer: { kind: 'external' } }, { rotation: 'r1' })
      const operation = await vault.operation('shop')
      expect(operation?.csr).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n/)
      const validity = { notBefore: opened.now(), notAfter: opened.now() + MONTH_MS, serial: '0c0ffee0' }
      const leaf = await signRequest(readPem(operation?.csr ?? '')[0]?.base64 ?? '', ca, validity)
      await vault.merge('shop', pem('CERTIFICATE', leaf) + pem('CERTIFICATE', ca.der))
      const version = await vault.version('shop')
      expect(version).toMatchObject({ serial: 'c0ffee0', issuer: 'CN=Test CA', tags: { rotation: 'r1' } })
      const { value } = await vault.secret('shop')
      expect(readPem(value).map(({ label }) => label)).toEqual(['PRIVATE KEY', 'CERTIFICATE', 'CERTIFICATE'])
      expect(readPem(value)[1]?.base64).toBe(leaf)
    })

    it('refuses a chain for another key', async () => {
      const ca = await externalCa()
      await vault.create('shop', { ...POLICY, issuer: { kind: 'external' } }, {})
      await expect(vault.merge('shop', pem('CERTIFICATE', ca.der))).rejects.toMatchObject({ kind: 'invalid' })
      expect(await vault.operation('shop')).toMatchObject({ state: 'in-progress' })
    })

    it('drops an operation, and starts anew', async () => {
      await vault.create('shop', { ...POLICY, issuer: { kind: 'external' } }, {})
      await vault.dropOperation('shop')
      expect(await vault.operation('shop')).toBeUndefined()
      await vault.create('shop', POLICY, {})
    })

    it('says that a name lies deleted', async () => {
      await vault.create('shop', POLICY, {})
      await opened.complete('shop')
      await opened.softDelete('shop')
      await expect(vault.create('shop', POLICY, {})).rejects.toMatchObject({ kind: 'conflict', reason: 'SoftDeleted' })
      expect(await vault.version('shop')).toBeUndefined()
    })

    it('lists every certificate with its end', async () => {
      const names = Array.from({ length: 27 }, (_, at) => `shop-${String(at).padStart(2, '0')}`)
      const [waiting = '', ...made] = names
      await vault.create(waiting, { ...POLICY, issuer: { kind: 'external' } }, {})
      for (const name of made) await vault.create(name, POLICY, {})
      for (const name of made) await opened.complete(name)
      const found: VaultListing[] = []
      for await (const page of vault.list()) found.push(...page)
      expect(found.map(({ name }) => name).sort()).toEqual(names)
      const done = found.filter(({ notAfter }) => notAfter !== undefined)
      expect(done).toHaveLength(26)
      expect(done.every(({ enabled }) => enabled)).toBe(true)
    })
  })
}

async function externalCa() {
  const validity = { notBefore: 0, notAfter: Date.UTC(2100, 0, 1), serial: '01' }
  return authority(await generateKey({ kty: 'EC', curve: 'P-256' }), 'CN=Test CA', validity)
}
