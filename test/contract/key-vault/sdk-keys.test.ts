import { createHash, createPublicKey, verify } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { type EmulatedVault, emulatedVault, VAULT_URL } from './emulated-vault.ts'

const BYTES = Buffer.from('what is to be signed')

/** What the SDK's client of keys sends and takes, on the emulated Key Vault. */
describe('the SDK of keys on the emulated Key Vault', () => {
  let vault: EmulatedVault
  beforeEach(async () => {
    vault = await emulatedVault()
  })

  it.each([
    ['P-256', 'ES256', 'sha256'],
    ['P-384', 'ES384', 'sha384'],
    ['P-521', 'ES512', 'sha512'],
  ] as const)('signs with %s so that OpenSSL verifies it', async (curve, algorithm, hash) => {
    const made = await vault.keys.createEcKey('key', { curve })
    const { crv = '', x = new Uint8Array(), y = new Uint8Array() } = made.key ?? {}
    const jwk = { kty: 'EC', crv, x: text(x), y: text(y) }
    const half = createPublicKey({ key: jwk, format: 'jwk' })
    for (let at = 0; at < 10; at += 1) {
      const bytes = Buffer.from(`${at}`)
      const { result } = await vault.keys.getCryptographyClient('key').signData(algorithm, bytes)
      expect(verify(hash, bytes, { key: half, dsaEncoding: 'ieee-p1363' }, result)).toBe(true)
    }
  })

  it.each([
    ['RS256', 'sha256'],
    ['RS384', 'sha384'],
    ['RS512', 'sha512'],
  ] as const)('signs with RSA by %s', async (algorithm, hash) => {
    const made = await vault.keys.createRsaKey('key', { keySize: 2048 })
    const { n = new Uint8Array(), e = new Uint8Array() } = made.key ?? {}
    const half = createPublicKey({ key: { kty: 'RSA', n: text(n), e: text(e) }, format: 'jwk' })
    const { result } = await vault.keys.getCryptographyClient('key').signData(algorithm, BYTES)
    expect(verify(hash, BYTES, half, result)).toBe(true)
  })

  it('refuses an algorithm that is not the key’s, a digest of another length, and a key that may not', async () => {
    await vault.keys.createEcKey('key', { curve: 'P-384' })
    const client = vault.keys.getCryptographyClient('key')
    await expect(client.signData('ES256', BYTES)).rejects.toMatchObject({ statusCode: 400 })
    await expect(client.sign('ES384', createHash('sha256').update(BYTES).digest())).rejects.toMatchObject({
      statusCode: 400,
    })
    const { properties } = await vault.keys.createEcKey('other', { curve: 'P-384', keyOps: ['verify'] })
    const raw = await sign(vault, `/keys/other/${properties.version}/sign`)
    expect(raw).toMatchObject({
      status: 403,
      error: { code: 'Forbidden', innererror: { code: 'KeyOperationForbidden' } },
    })
    const day = 86_400_000
    const late = await vault.keys.createEcKey('late', { curve: 'P-384', expiresOn: new Date(vault.clock.now() + day) })
    await vault.pass(day)
    const expired = await sign(vault, `/keys/late/${late.properties.version}/sign`)
    expect(expired).toMatchObject({ status: 403, error: { innererror: { code: 'KeyExpired' } } })
    await expect(vault.keys.createEcKey('bad', { curve: 'P-384', keyOps: ['encrypt'] })).rejects.toMatchObject({
      statusCode: 400,
    })
    await expect(vault.keys.createEcKey('bad', { curve: 'P-1' })).rejects.toMatchObject({ statusCode: 400 })
  })

  it('keeps versions and tags, and says what is in hardware', async () => {
    const first = await vault.keys.createEcKey('key', { curve: 'P-384', hsm: true, tags: { a: '1' } })
    await vault.pass(1000)
    const second = await vault.keys.createEcKey('key', { curve: 'P-384' })
    expect([first.keyType, second.keyType]).toEqual(['EC-HSM', 'EC'])
    const read = await vault.keys.getKey('key', { version: first.properties.version ?? '' })
    expect(read).toMatchObject({
      id: first.id,
      keyType: 'EC-HSM',
      keyOperations: ['sign', 'verify'],
      properties: { tags: { a: '1' } },
    })
    expect((await vault.keys.getKey('key')).id).toBe(second.id)
    const versions = []
    for await (const one of vault.keys.listPropertiesOfKeyVersions('key')) versions.push(one.version)
    expect(versions.sort()).toEqual([first.properties.version, second.properties.version].sort())
    const names = []
    for await (const one of vault.keys.listPropertiesOfKeys()) names.push(one.name)
    expect(names).toEqual(['key'])
  })

  it('keeps what is deleted under its name until it is purged', async () => {
    await vault.keys.createEcKey('key', { curve: 'P-384' })
    await (await vault.keys.beginDeleteKey('key')).pollUntilDone()
    await expect(vault.keys.getKey('key')).rejects.toMatchObject({ statusCode: 404, code: 'KeyNotFound' })
    await expect(vault.keys.createEcKey('key', {})).rejects.toMatchObject({ statusCode: 409 })
    await (await vault.keys.beginRecoverDeletedKey('key')).pollUntilDone()
    await vault.keys.getKey('key')
    await (await vault.keys.beginDeleteKey('key')).pollUntilDone()
    const lying = []
    for await (const one of vault.keys.listDeletedKeys()) lying.push(one.name)
    expect(lying).toEqual(['key'])
    await vault.keys.purgeDeletedKey('key')
    await vault.keys.createEcKey('key', { curve: 'P-384' })
  })

  it('leaves the keys of certificates to their certificates, and the names of keys to keys', async () => {
    const policy = { issuerName: 'Self', subject: 'CN=a', keyType: 'EC', keyCurveName: 'P-256' } as const
    await vault.certificates.beginCreateCertificate('shop', { ...policy, contentType: 'application/x-pem-file' })
    await vault.pass(2000)
    const { properties, keyType } = await vault.keys.getKey('shop')
    expect([keyType, properties.managed]).toEqual(['EC', true])
    await expect(vault.keys.createEcKey('shop', {})).rejects.toMatchObject({ statusCode: 409 })
    await expect(vault.keys.beginDeleteKey('shop')).rejects.toMatchObject({ statusCode: 403 })
    await vault.keys.createEcKey('key', {})
    await expect(vault.certificates.beginCreateCertificate('key', policy)).rejects.toMatchObject({ statusCode: 409 })
  })
})

async function sign(vault: EmulatedVault, path: string): Promise<object> {
  const value = createHash('sha384').update(BYTES).digest('base64url')
  const answer = await vault.emulator.handle({
    method: 'POST',
    url: new URL(`${VAULT_URL}${path}?api-version=7.5`),
    headers: { authorization: 'Bearer good' },
    body: Buffer.from(JSON.stringify({ alg: 'ES384', value })),
  })
  return { status: answer.status, ...JSON.parse(String(answer.body)) }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
