import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { CertificatePolicy } from '@azure/keyvault-certificates'
import { beforeEach, describe, expect, it } from 'vitest'
import { generateKey } from '../../../src/sandbox/emulators/key-vault/keys.ts'
import { pem, readPem } from '../../../src/sandbox/emulators/key-vault/pem.ts'
import { authority, selfSigned, signRequest } from '../../../src/sandbox/emulators/key-vault/x509.ts'
import { type EmulatedVault, emulatedVault } from './emulated-vault.ts'

const DAY_MS = 24 * 3_600_000
const PEM = 'application/x-pem-file' as const
const SELF: CertificatePolicy = {
  issuerName: 'Self',
  subject: 'CN=shop.example.com',
  subjectAlternativeNames: { dnsNames: ['shop.example.com'] },
  contentType: PEM,
  lifetimeActions: [],
}

/** What the SDK's client of certificates sends and takes, on the emulated Key Vault. */
describe('the SDK of certificates on the emulated Key Vault', () => {
  let vault: EmulatedVault
  beforeEach(async () => {
    vault = await emulatedVault()
  })

  async function made(name: string, policy: object = {}): Promise<void> {
    await vault.certificates.beginCreateCertificate(name, { ...SELF, ...policy }, { tags: { of: 'test' } })
    await vault.pass(2000)
  }

  it('makes a certificate of its own, with a key that can be read', async () => {
    const poller = await vault.certificates.beginCreateCertificate('shop', SELF, { tags: { of: 'test' } })
    expect(poller.isDone()).toBe(false)
    await vault.pass(2000)
    await poller.poll()
    expect(poller.isDone()).toBe(true)
    const { properties, policy, keyId, secretId, cer } = await vault.certificates.getCertificate('shop')
    expect(properties).toMatchObject({ enabled: true, tags: { of: 'test' }, recoveryLevel: 'Recoverable+Purgeable' })
    expect(policy).toMatchObject({ issuerName: 'Self', validityInMonths: 12, keyType: 'RSA', keySize: 2048 })
    const at = `https://shop.vault.azure.net`
    expect([keyId, secretId]).toEqual([
      `${at}/keys/shop/${properties.version}`,
      `${at}/secrets/shop/${properties.version}`,
    ])
    const certificate = new X509Certificate(cer ?? new Uint8Array())
    expect(properties.x509ThumbprintString).toBe(certificate.fingerprint.replaceAll(':', '').toLowerCase())
    expect(properties.expiresOn?.getTime()).toBe(Date.parse(certificate.validTo))
    const secret = await vault.secrets.getSecret('shop')
    expect(certificate.checkPrivateKey(createPrivateKey(secret.value ?? ''))).toBe(true)
    expect(secret.properties).toMatchObject({ contentType: PEM, managed: true, version: properties.version })
  })

  it('has an integrated issuer sign: the chain ends at its root', async () => {
    await made('shop', { issuerName: 'DigiCert', keyType: 'EC', keyCurveName: 'P-256' })
    const { value = '' } = await vault.secrets.getSecret('shop')
    const [leaf, intermediate, root] = readPem(value)
      .slice(1)
      .map(({ base64 }) => new X509Certificate(Buffer.from(base64, 'base64')))
    expect(leaf?.verify(intermediate?.publicKey ?? (() => expect.fail('no chain'))())).toBe(true)
    expect(intermediate?.verify(root?.publicKey ?? (() => expect.fail('no chain'))())).toBe(true)
    expect(new X509Certificate(await vault.emulator.rootCertificate()).fingerprint256).toBe(root?.fingerprint256)
    await expect(
      vault.certificates.beginCreateCertificate('other', { ...SELF, issuerName: 'NotSetUp' }),
    ).rejects.toMatchObject({ statusCode: 404 })
  })

  it.each(['DER', 'base64 text, as the samples of the SDK send it'])('merges what a CA signed, as %s', async (form) => {
    await vault.certificates.beginCreateCertificate('shop', { ...SELF, issuerName: 'Unknown' })
    await vault.pass(DAY_MS)
    const poller = await vault.certificates.getCertificateOperation('shop')
    const { certificateOperation } = poller.getOperationState()
    expect(certificateOperation).toMatchObject({ status: 'inProgress', issuerName: 'Unknown' })
    const ca = await testCa()
    const now = vault.clock.now()
    const csr = Buffer.from(certificateOperation?.csr ?? []).toString('base64')
    const leaf = await signRequest(csr, ca, { notBefore: now, notAfter: now + DAY_MS, serial: '77' })
    const bytes = (one: string) => (form === 'DER' ? Buffer.from(one, 'base64') : Buffer.from(one))
    const merged = await vault.certificates.mergeCertificate('shop', [bytes(leaf), bytes(ca.der)])
    expect(Buffer.from(merged.cer ?? []).toString('base64')).toBe(leaf)
    const { value = '' } = await vault.secrets.getSecret('shop')
    expect(readPem(value).map(({ base64 }) => base64)).toEqual([expect.anything(), leaf, ca.der])
    expect(new X509Certificate(Buffer.from(leaf, 'base64')).checkPrivateKey(createPrivateKey(value))).toBe(true)
    await expect(vault.certificates.mergeCertificate('shop', [bytes(leaf)])).rejects.toMatchObject({ statusCode: 404 })
  })

  it('refuses to merge what an issuer is still at', async () => {
    await vault.certificates.beginCreateCertificate('shop', SELF)
    const ca = await testCa()
    const merging = vault.certificates.mergeCertificate('shop', [Buffer.from(ca.der, 'base64')])
    await expect(merging).rejects.toMatchObject({ statusCode: 403, code: 'Forbidden' })
  })

  it('imports PEM with its key, and no PKCS #12', async () => {
    const key = await generateKey({ kty: 'EC', curve: 'P-256' })
    const content = { subject: 'CN=i.example.com', names: { dnsNames: ['i.example.com'] }, ekus: [], keyUsage: [] }
    const now = vault.clock.now()
    const der = await selfSigned(key, content, { notBefore: now, notAfter: now + 90 * DAY_MS, serial: '11' })
    const text = pem('PRIVATE KEY', key.pkcs8) + pem('CERTIFICATE', der)
    const options = { policy: { ...SELF, issuerName: 'Unknown', contentType: PEM } }
    const imported = await vault.certificates.importCertificate('shop', Buffer.from(text), options)
    expect(Buffer.from(imported.cer ?? []).toString('base64')).toBe(der)
    expect(imported.policy).toMatchObject({ keyType: 'EC', keyCurveName: 'P-256', issuerName: 'Unknown' })
    expect(readPem((await vault.secrets.getSecret('shop')).value ?? '')[0]?.base64).toBe(key.pkcs8)
    const other = await generateKey({ kty: 'EC', curve: 'P-256' })
    const wrong = pem('PRIVATE KEY', other.pkcs8) + pem('CERTIFICATE', der)
    for (const bad of [wrong, 'no PEM', pem('CERTIFICATE', der)])
      await expect(vault.certificates.importCertificate('shop', Buffer.from(bad), options)).rejects.toMatchObject({
        statusCode: 400,
        code: 'BadParameter',
      })
    expect(vault.events.map(({ type, name }) => `${type} ${name}`)).toEqual(['CertificateNewVersionCreated shop'])
  })

  it('cancels an operation, and takes one away', async () => {
    const poller = await vault.certificates.beginCreateCertificate('shop', { ...SELF, issuerName: 'Unknown' })
    await poller.cancelOperation()
    await vault.pass(2000)
    const cancelled = await vault.certificates.getCertificateOperation('shop')
    expect(cancelled.getOperationState().certificateOperation).toMatchObject({ status: 'cancelled' })
    await expect(cancelled.cancelOperation()).rejects.toMatchObject({ statusCode: 403 })
    await made('shop')
    await vault.certificates.beginCreateCertificate('shop', { ...SELF, issuerName: 'Unknown' })
    expect(await vault.certificates.deleteCertificateOperation('shop')).toMatchObject({ status: 'inProgress' })
    await expect(vault.certificates.getCertificateOperation('shop')).rejects.toMatchObject({
      statusCode: 404,
      code: 'PendingCertificateNotFound',
    })
  })

  it('changes tags and policy', async () => {
    await made('shop')
    const { properties } = await vault.certificates.getCertificate('shop')
    await vault.certificates.updateCertificateProperties('shop', properties.version ?? '', {
      enabled: false,
      tags: { b: '2' },
    })
    expect((await vault.certificates.getCertificate('shop')).properties).toMatchObject({
      enabled: false,
      tags: { b: '2' },
    })
    await expect(vault.secrets.getSecret('shop')).rejects.toMatchObject({ statusCode: 403 })
    await vault.certificates.updateCertificatePolicy('shop', { ...SELF, validityInMonths: 6, reuseKey: true })
    expect(await vault.certificates.getCertificatePolicy('shop')).toMatchObject({ validityInMonths: 6, reuseKey: true })
    await expect(
      vault.certificates.updateCertificatePolicy('shop', { ...SELF, keySize: 1024, keyType: 'RSA' }),
    ).rejects.toMatchObject({ statusCode: 400, code: 'BadParameter' })
  })

  it('keeps what is deleted, for a while, under its name', async () => {
    await made('shop')
    const deleting = await vault.certificates.beginDeleteCertificate('shop')
    expect(await deleting.pollUntilDone()).toMatchObject({
      recoveryId: 'https://shop.vault.azure.net/deletedcertificates/shop',
    })
    await expect(vault.certificates.beginCreateCertificate('shop', SELF)).rejects.toMatchObject({
      statusCode: 409,
      details: { error: { innerError: { code: 'ObjectIsDeletedButRecoverable' } } },
    })
    await expect(vault.certificates.getCertificate('shop')).rejects.toMatchObject({ statusCode: 404 })
    await expect(vault.secrets.getSecret('shop')).rejects.toMatchObject({ statusCode: 404 })
    expect(await names(vault.certificates.listDeletedCertificates())).toEqual(['shop'])
    await (await vault.certificates.beginRecoverDeletedCertificate('shop')).pollUntilDone()
    expect((await vault.certificates.getCertificate('shop')).properties.tags).toEqual({ of: 'test' })
    await (await vault.certificates.beginDeleteCertificate('shop')).pollUntilDone()
    await vault.certificates.purgeDeletedCertificate('shop')
    await made('shop')
    expect(await names(vault.certificates.listPropertiesOfCertificateVersions('shop'))).toHaveLength(1)
  })

  it('renews by itself where a policy says so, and tells of ends', async () => {
    const lifetimeActions = [{ action: 'AutoRenew' as const, daysBeforeExpiry: 20 }]
    await made('renewed', { validityInMonths: 2, lifetimeActions })
    await made('left', { validityInMonths: 2 })
    await vault.emulator.advance()
    vault.events.length = 0
    for (let day = 0; day < 70; day += 1) {
      await vault.pass(DAY_MS)
      await vault.emulator.advance()
    }
    expect(vault.events.map(({ type, name }) => `${type.replace('Certificate', '')} ${name}`)).toEqual([
      'NearExpiry left',
      'NearExpiry renewed',
      'NewVersionCreated renewed',
      'Expired left',
    ])
    expect(await names(vault.certificates.listPropertiesOfCertificateVersions('renewed'))).toHaveLength(2)
  })
})

async function names(list: AsyncIterable<{ readonly name?: string | undefined }>): Promise<(string | undefined)[]> {
  const found = []
  for await (const { name } of list) found.push(name)
  return found
}

async function testCa() {
  const validity = { notBefore: 0, notAfter: Date.UTC(2100, 0, 1), serial: '01' }
  return authority(await generateKey({ kty: 'EC', curve: 'P-256' }), 'CN=Test CA', validity)
}
